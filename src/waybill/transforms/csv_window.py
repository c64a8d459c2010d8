"""The part of a CSV text that is looked at: it begins at a record and grows until one is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.transforms.excess import too_large
from waybill.transforms.places import Place
from waybill.transforms.tool import PIECE_BYTES, Refused
from waybill.transforms.utf8 import text_pieces

if TYPE_CHECKING:
    from waybill.transforms.tool import Source


class CsvWindow:
    """What has been read and not used yet.

    ``text``: whole characters, and no line beyond ``line_bytes``. ``is_last``: the content ends
    with it. Memory: ``least_bytes`` and a piece of the source, or two of the longest record.
    """

    def __init__(self, source: Source, *, line_bytes: int, least_bytes: int = PIECE_BYTES) -> None:
        self._pieces = text_pieces(source)
        self._line_bytes = line_bytes
        self._least_bytes = least_bytes
        self._place = Place()
        self._failure: Refused | None = None
        self._has_long_line = False
        self.text = b""
        self.is_last = False

    def grow(self) -> None:
        """Read on: to the least size, or to twice the text, so that all looks together are linear.

        Raises:
            Refused: as ``text_pieces``; ``PAYLOAD_TOO_LARGE`` of a line that is too long. The text
                that stands before has been given.
        """
        if self._has_long_line:
            message = f"A line is longer than {self._line_bytes} bytes (limits.line_bytes)."
            raise self.refused_at(len(self.text), message)
        if self._failure:
            raise self._failure
        parts, size = [self.text], len(self.text)
        wanted = max(self._least_bytes, 2 * size)
        while size < wanted and (piece := self._next_piece()):
            parts.append(piece)
            size += len(piece)
        self._set_text(b"".join(parts))

    def drop(self, size: int) -> None:
        """Go on behind the first bytes of the text."""
        self._place = self._place.after(self.text[:size])
        self.text = self.text[size:]

    def refused_at(self, offset: int, excess: str = "") -> Refused:
        """The refusal of what stands there in the text, which is of no use after that.

        ``excess``: the limit that is met there.
        """
        self._place = self._place.after(self.text[:offset])
        if excess:
            return too_large(excess, self._place)
        return self._place.refused("CSV validation failed.", "INVALID_CSV")

    def _next_piece(self) -> bytes:
        try:
            piece = next(self._pieces, b"")
        except Refused as failure:
            self._failure = failure
            return b""
        self.is_last = not piece
        return piece

    def _set_text(self, text: bytes) -> None:
        long_at = first_long_line(text, self._line_bytes)
        self._has_long_line = long_at >= 0
        self.is_last = self.is_last and not self._has_long_line
        self.text = text[:long_at] if self._has_long_line else text


def first_long_line(text: bytes, most_bytes: int) -> int:
    """Where the first line begins that has more bytes without its end; -1 where none does."""
    at = 0
    while at + most_bytes < len(text):
        end = text.rfind(b"\n", at, at + most_bytes + 1)
        if end < 0:
            end = text.rfind(b"\r", at, at + most_bytes + 1)
        if end < 0:
            return at
        at = end + 1
    return -1
