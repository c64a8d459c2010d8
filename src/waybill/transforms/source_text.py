"""The text of a source, decoded, a piece at a time."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from waybill.transforms.tool import PIECE_BYTES
from waybill.transforms.utf8 import empty_input, not_utf8

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.transforms.tool import Source


def read_text(source: Source) -> Iterator[str]:
    """The text in pieces of ``PIECE_BYTES``, each but the last, however the source gives them.

    No byte order mark; what comes before a byte that is not UTF-8 is given first.

    Raises:
        Refused: ``INVALID_ENCODING``.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    first = True
    while True:
        piece = _read_full(source)
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            valid = error.object[: error.start].decode()
            if valid := valid.removeprefix("\ufeff") if first else valid:
                yield valid
            raise not_utf8() from error
        if text:
            yield text.removeprefix("\ufeff") if first else text
            first = False
        if not piece:
            return


def read_whole(source: Source) -> str:
    """The whole text, without byte order mark.

    Raises:
        Refused: ``INVALID_ENCODING``, or ``EMPTY_INPUT`` where it is white space alone.
    """
    text = "".join(read_text(source))
    if not text or text.isspace():
        raise empty_input()
    return text


def _read_full(source: Source) -> bytes:
    """``PIECE_BYTES`` of the source, fewer at its end alone."""
    piece = source.read(PIECE_BYTES)
    if not piece or len(piece) == PIECE_BYTES:
        return piece
    parts, missing = [piece], PIECE_BYTES - len(piece)
    while missing and (more := source.read(missing)):
        parts.append(more)
        missing -= len(more)
    return b"".join(parts)
