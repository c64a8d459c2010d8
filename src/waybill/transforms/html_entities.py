"""Character references of HTML to the characters they stand for, piece by piece."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from waybill.transforms.utf8 import text_pieces

if TYPE_CHECKING:
    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Source, Target

_OPEN_REFERENCE: Final = re.compile(r"&(?:#(?:[0-9]*|[xX][0-9a-fA-F]*)|[^\t\n\f <&#;]{0,32})\Z")
"""What further text may still make a reference, or a longer one; no name has over 32 letters."""

_LONG_NUMBER: Final = re.compile(r"&#(?:([xX])([0-9a-fA-F]{9,})|([0-9]{9,}))")
_DIGITS: Final = 8
"""As many that count make a number beyond the last character."""


def decode_html(source: Source, target: Target, _options: Options, _limits: Limits) -> None:
    """HTML with its character references replaced, as browsers read them in text.

    Those that mean nothing stay as they are. Memory: some pieces. Raises as ``text_pieces``.
    Source: HTML Living Standard, section 13.2.5.72, as ``html.unescape`` has it.
    """
    held = ""
    for piece in text_pieces(source):
        text = held + piece.decode()
        size = _size_of_whole(text)
        target.write(_decode(text[:size]).encode())
        held = _shorten(text[size:])
    target.write(_decode(held).encode())


def _size_of_whole(text: str) -> int:
    """How many characters stand before a reference that the end may have cut."""
    last = text.rfind("&")
    return last if last >= 0 and _OPEN_REFERENCE.match(text, last) else len(text)


def _decode(text: str) -> str:
    return html.unescape(_shorten(text))


def _shorten(text: str) -> str:
    """The text with long numbers of the same meaning, which may be of any length as they stand.

    They are read in time that grows with the square of their length, or not at all.
    """
    return _LONG_NUMBER.sub(_short_number, text)


def _short_number(match: re.Match[str]) -> str:
    mark, hexadecimal, decimal = match.groups(default="")
    digits = (hexadecimal or decimal).lstrip("0")[:_DIGITS] or "0"
    return f"&#{mark}{digits}"
