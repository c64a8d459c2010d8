"""The text of a source, a piece at a time, and the places in it."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

from waybill.transforms.tool import PIECE_BYTES, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.transforms.tool import Source


@dataclass(slots=True)
class Place:
    """Where the next character stands, counted from 1 in characters; ``after_return``: after a CR.

    A line ends with LF, CRLF or CR.
    """

    line: int = 1
    column: int = 1
    after_return: bool = False

    def passed(self, text: str) -> Place:
        """The place after ``text``."""
        if not text:
            return self
        breaks = text.count("\n")
        if "\r" in text:
            breaks += text.count("\r") - text.count("\r\n")
        if self.after_return and text[0] == "\n":
            breaks -= 1
        last = max(text.rfind("\n"), text.rfind("\r"))
        column = self.column + len(text) if last < 0 else len(text) - last
        return Place(self.line + breaks, column, text[-1] == "\r")


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
            raise invalid_encoding() from error
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


def empty_input() -> Refused:
    """What says that there is no content."""
    return Refused("The request body is empty.", code="EMPTY_INPUT")


def invalid_encoding() -> Refused:
    """What says that the content is in another encoding."""
    return Refused("The content is not valid UTF-8.", code="INVALID_ENCODING")


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
