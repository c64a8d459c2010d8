"""The text of a JSON document as it arrives: valid UTF-8, a piece at a time, with its places."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from waybill.transforms.places import Place
from waybill.transforms.tool import PIECE_BYTES, Refused
from waybill.transforms.utf8 import BOM, not_utf8

if TYPE_CHECKING:
    from waybill.transforms.tool import Source


def invalid_json(place: Place, message: str = "JSON validation failed.") -> Refused:
    """``INVALID_JSON`` at a place."""
    return place.refused(message, "INVALID_JSON")


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
            self.failure = not_utf8()
            self.is_end = True
            return self._without_mark(text[: error.start])
        self.is_end = not piece
        return self._without_mark(text[: len(text) - len(self._decoder.getstate()[0])])

    def _without_mark(self, text: bytes) -> bytes:
        if self._is_first and text:
            self._is_first = False
            return text.removeprefix(BOM)
        return text
