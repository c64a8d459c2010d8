"""Plain text without needless white space, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.transforms.utf8 import empty_input, text_pieces

if TYPE_CHECKING:
    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Source, Target

_BLANKS: Final = bytes.maketrans(b"\t\r", b" \n")


def minify_text(source: Source, target: Target, _options: Options, _limits: Limits) -> None:
    """Runs of spaces and tabs become one space; none is left at either end of a line.

    Blank lines are dropped; a line ends with LF, the last one where it did in the source. Memory:
    some pieces. Raises as ``text_pieces``; white space alone is no content.
    """
    held = b"\n"  # as if a line had ended there, so that nothing blank leads
    has_begun = False
    for piece in text_pieces(source):
        text = _collapse(held + piece)
        end = len(text.rstrip(b" \n"))
        if end:
            target.write(text[:end] if has_begun else text[1:end])
            has_begun = True
        held = text[end:]
    if not has_begun:
        raise empty_input()
    if held.startswith(b"\n"):
        target.write(b"\n")


def _collapse(text: bytes) -> bytes:
    """The text in which each run of white space is one byte."""
    text = _squeeze(text.translate(_BLANKS), b" ")
    return _squeeze(text.replace(b" \n", b"\n").replace(b"\n ", b"\n"), b"\n")


def _squeeze(text: bytes, byte: bytes) -> bytes:
    """The text without repeats of the byte: few passes, however long a run is."""
    for size in (64, 8, 2):
        run = byte * size
        while run in text:
            text = text.replace(run, byte)
    return text
