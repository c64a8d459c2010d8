"""Cutting CSV text into slices at record boundaries: the one sequential step, and a cheap one.

Where a slice ends depends on where it begins and on the text, never on the attempt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from waybill.formats.csv_exact import QuoteLayout, trace_quotes
from waybill.formats.slices import NO_QUOTES, Slice
from waybill.ports.reader import ReadPosition
from waybill.validation.codes import file_refused
from waybill.validation.record_index import (
    find_line_ends,
    find_quotes,
    index_records,
    is_regular,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.errors import FileRefused
    from waybill.formats.slices import CutRules
    from waybill.formats.text_stream import TextStream
    from waybill.validation.record_index import Offsets, RecordIndex

RECORD_BYTES: Final = 16 * 1024 * 1024
"""A record that is still open after this many bytes is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    end: int
    layout: QuoteLayout


@dataclass(frozen=True, slots=True, kw_only=True)
class _Indexed:
    """``text``: whole records from the head of the buffer; those before ``begin`` were given."""

    text: bytes
    layout: QuoteLayout
    index: RecordIndex
    begin: int = 0

    def end_after(self, records: int) -> int:
        """Where that many further records end; -1 where the text after the cut is needed."""
        first = int(self.index.starts.searchsorted(self.begin))
        if first + records < self.index.records:
            return int(self.index.starts[first + records])
        return -1


class SliceCutter:
    """Cuts one text, front to back. Memory: two chunks, or two of the longest record.

    ``position``: where the next slice begins, except for blank lines.
    """

    def __init__(self, stream: TextStream, rules: CutRules, start: ReadPosition) -> None:
        self._stream = stream
        self._rules = rules
        self.position = start
        self._ordinal = 0
        self._buffer = stream.skip(start.byte)
        self._ended = False
        self._known: _Indexed | None = None

    @property
    def _is_done(self) -> bool:
        """Whether the last slice has been given."""
        return self._ended and not self._buffer

    def slices(self) -> Iterator[Slice]:
        """All slices; raises as ``next_slice``."""
        while piece := self.next_slice():
            yield piece

    def skip_to(self, place: ReadPosition) -> None:
        """Go on from the begin of a record that lies ahead."""
        self._drop(self._known.begin if self._known else 0)
        ahead = place.byte - self.position.byte
        held = len(self._buffer)
        self._buffer = self._buffer[ahead:] if ahead < held else self._stream.skip(ahead - held)
        self.position = place

    def next_slice(self) -> Slice | None:
        """The next slice that has records; ``None`` at the end.

        Raises:
            FileRefused: ``LINE_TOO_LONG`` or ``QUOTE_UNCLOSED`` of the next record; every record
                before it has been given.
        """
        while (piece := self._next_slice()) and not piece.index.records:
            pass  # blank lines only
        return piece

    def _next_slice(self) -> Slice | None:
        known = self._known
        end = known.end_after(self._rules.chunk_records) if known else -1
        if known is None or end < 0:
            self._drop(known.begin if known else 0)
            cut = self._grow_until_cut()
            if cut is None:
                return None
            text = self._buffer[: cut.end]
            index = index_records(text, cut.layout.toggles)
            known = _Indexed(text=text, layout=cut.layout, index=index)
            end = known.end_after(self._rules.chunk_records)
        end = end if end >= 0 else len(known.text)
        self._known = replace(known, begin=end)
        return self._slice(known, end)

    def _drop(self, size: int) -> None:
        self._buffer = self._buffer[size:]
        self._known = None

    def _grow_until_cut(self) -> _Cut | None:
        """A cut of the buffer; ``None`` at the end of the text."""
        size = self._rules.chunk_bytes
        cut = self._cut(size)
        while cut is None:
            if self._is_done:
                return None
            if self._is_whole(size) or size >= RECORD_BYTES or self._has_long_line(size):
                raise self._refusal(size)
            size *= 2
            cut = self._cut(size)
        return cut

    def _cut(self, size: int) -> _Cut | None:
        self._fill(size + 1)
        end = first_long_line(self._buffer, min(size, len(self._buffer)), self._rules.line_bytes)
        if end < 0:
            return find_cut(self._buffer, size, self._rules.delimiter, whole=self._is_whole(size))
        return find_cut(self._buffer, end, self._rules.delimiter, whole=False)

    def _fill(self, size: int) -> None:
        parts, held = [self._buffer], len(self._buffer)
        while held < size and not self._ended:
            part = self._stream.read(size - held)
            self._ended = not part
            parts.append(part)
            held += len(part)
        self._buffer = b"".join(parts)

    def _is_whole(self, size: int) -> bool:
        """Whether ``size`` reaches the end of the text."""
        return self._ended and len(self._buffer) <= size

    def _has_long_line(self, size: int) -> bool:
        size = min(size, len(self._buffer))
        return first_long_line(self._buffer, size, self._rules.line_bytes) >= 0

    def _slice(self, known: _Indexed, end: int) -> Slice:
        index = known.index.part(known.begin, end)
        start = self.position
        self.position = ReadPosition(
            byte=start.byte + end - known.begin,
            line=start.line + index.lines,
            record=start.record + index.records,
        )
        self._ordinal += bool(index.records)
        return Slice(
            ordinal=self._ordinal - 1,
            text=known.text[known.begin : end],
            layout=known.layout.part(known.begin, end),
            index=index,
            start=start,
            end=self.position,
            input_bytes=self._stream.input_bytes,
        )

    def _refusal(self, size: int) -> FileRefused:
        """Why the record at the head of the buffer cannot be read."""
        size = min(size, len(self._buffer))
        long_at = first_long_line(self._buffer, size, self._rules.line_bytes)
        if long_at < 0 and self._rules.delimiter:
            layout = _trace(self._buffer, find_quotes(self._buffer, size), self._rules.delimiter)
            if layout.open_at >= 0:
                return self._refuse("QUOTE_UNCLOSED", layout.open_at)
        return self._refuse("LINE_TOO_LONG", max(long_at, 0))

    def _refuse(self, code: str, offset: int) -> FileRefused:
        line = self.position.line + find_line_ends(self._buffer[:offset]).size
        byte = self.position.byte + offset
        return file_refused(code, line=line, byte=byte, allowed=self._rules.line_bytes)


def find_cut(text: bytes, size: int, delimiter: str, *, whole: bool) -> _Cut | None:
    """Where the last whole record of ``text[:size]`` ends; ``None`` where there is none.

    ``whole``: the text ends there, so that a last record needs no newline.
    """
    if not delimiter:
        end = min(size, len(text)) if whole else last_line_end(text, size)
        return _Cut(end=end, layout=QuoteLayout.regular(NO_QUOTES)) if end > 0 else None
    quotes = find_quotes(text, min(size, len(text)))
    end = _last_record_end(text, size, quotes, whole=whole)
    inside = quotes[: quotes.searchsorted(end)]
    if end > 0 and is_regular(text, inside, end, ord(delimiter)):
        return _Cut(end=end, layout=QuoteLayout.regular(inside))
    if not quotes.size:
        return None
    layout = _trace(text, quotes, delimiter)
    whole = whole and layout.open_at < 0
    limit = layout.open_at if layout.open_at >= 0 else size
    end = _last_record_end(text, limit, layout.toggles, whole=whole)
    return _Cut(end=end, layout=layout.part(0, end)) if end > 0 else None


def _trace(text: bytes, quotes: Offsets, delimiter: str) -> QuoteLayout:
    return trace_quotes(text, quotes, ord(delimiter))


def _last_record_end(text: bytes, size: int, toggles: Offsets, *, whole: bool) -> int:
    """The end of the last line outside quotes, 0 where there is none."""
    if whole and toggles.size % 2 == 0:
        return min(size, len(text))
    end = last_line_end(text, size)
    while end > 0:
        before = int(toggles.searchsorted(end - 1))
        if before % 2 == 0:
            return end
        end = last_line_end(text, int(toggles[before - 1]))
    return 0


def last_line_end(text: bytes, size: int) -> int:
    """The end of the last line of ``text[:size]`` that certainly ends there; 0 where none does."""
    feed = text.rfind(b"\n", 0, size)
    lone = text.rfind(b"\r", feed + 1, size)
    while lone >= 0 and (lone + 1 >= len(text) or text[lone + 1 : lone + 2] == b"\n"):
        lone = text.rfind(b"\r", feed + 1, lone)  # perhaps half of a CRLF
    return max(feed, lone) + 1


def first_long_line(text: bytes, size: int, limit: int) -> int:
    """The start of the first physical line of ``text[:size]`` beyond the limit; -1 if none."""
    at = 0
    while at + limit < size:
        end = text.rfind(b"\n", at, at + limit + 1)
        if end < 0:
            end = text.rfind(b"\r", at, at + limit + 1)
        if end < 0:
            return at
        at = end + 1
    return -1
