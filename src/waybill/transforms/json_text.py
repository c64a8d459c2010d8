"""The text of a JSON document as it arrives: valid UTF-8, a piece at a time, with its places."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

from waybill.transforms.tool import PIECE_BYTES, Refused

if TYPE_CHECKING:
    from waybill.transforms.tool import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Line and column of a character, both from 1; ``follows_return``: a CR stands before it."""

    line: int = 1
    column: int = 1
    follows_return: bool = False

    def after(self, text: bytes) -> Place:
        """The place behind a text that begins here. LF, CRLF and CR each end a line."""
        if self.follows_return and text.startswith(b"\n"):
            text = text[1:]
            if not text:
                return Place(line=self.line)
        if not text:
            return self
        breaks, last = text.count(b"\n"), text.rfind(b"\n")
        if b"\r" in text:
            breaks += text.count(b"\r") - text.count(b"\r\n")
            last = max(last, text.rfind(b"\r"))
        return Place(
            line=self.line + breaks,
            column=(self.column if last < 0 else 1) + len(text[last + 1 :].decode()),
            follows_return=text.endswith(b"\r"),
        )


def invalid_json(place: Place, message: str = "JSON validation failed.") -> Refused:
    """``INVALID_JSON`` at a place."""
    return Refused(message, code="INVALID_JSON", line=place.line, column=place.column)


class JsonText:
    """What of a document has been read and not yet passed over: ``text``, about a piece.

    ``place``: of its first byte. ``is_end``: nothing follows it. ``failure``: why, where that is no
    end of the document: bytes that are not UTF-8, or a source that refuses. It is for the user to
    raise, once what stands before was found to be right.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._is_first = True
        self.text = b""
        self.place = Place()
        self.is_end = False
        self.failure: Refused | None = None

    def fill(self) -> None:
        """Read on until there is a piece, or nothing more."""
        self.read_more(PIECE_BYTES - len(self.text))

    def read_more(self, size: int) -> None:
        """Read so many bytes more, or up to the end."""
        pieces = [self.text]
        while size > 0 and not self.is_end:
            piece = self._read(size)
            size -= len(piece)
            pieces.append(piece)
        if len(pieces) > 1:
            self.text = b"".join(pieces)

    def pass_over(self, size: int) -> None:
        """The first bytes of the text are done with."""
        self.place = self.place.after(self.text[:size])
        self.text = self.text[size:]

    def place_at(self, offset: int) -> Place:
        """The place of a byte of the text."""
        return self.place.after(self.text[:offset])

    def _read(self, size: int) -> bytes:
        """Some whole characters; marks the end."""
        try:
            piece = self._source.read(size)
        except Refused as failure:
            self.failure = failure
            self.is_end = True
            return b""
        held = self._decoder.getstate()[0]
        text = held + piece
        try:
            self._decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            self.failure = Refused("The content is not valid UTF-8.", code="INVALID_ENCODING")
            self.is_end = True
            return self._without_mark(text[: error.start])
        self.is_end = not piece
        return self._without_mark(text[: len(text) - len(self._decoder.getstate()[0])])

    def _without_mark(self, text: bytes) -> bytes:
        if self._is_first and text:
            self._is_first = False
            return text.removeprefix(codecs.BOM_UTF8)
        return text
