"""Where the records of a piece of CSV text begin, as arrays: exact, and cheap to make.

A newline outside quotes ends a record; LF, CRLF and a lone CR each end a physical line and count
once. Whether quotes may be counted by parity alone is proved by ``is_regular``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Offsets = npt.NDArray[np.int64]
    Bytes = npt.NDArray[np.uint8]

LF: Final = 0x0A
CR: Final = 0x0D
QUOTE: Final = 0x22


def as_array(text: bytes, size: int | None = None) -> Bytes:
    """The first ``size`` bytes of the text as an array that shares its memory."""
    return np.frombuffer(text, dtype=np.uint8, count=len(text) if size is None else size)


def find_quotes(text: bytes, size: int) -> Offsets:
    """Offsets of every quote within the first ``size`` bytes."""
    if text.find(b'"', 0, size) < 0:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(as_array(text, size) == QUOTE)


def find_line_ends(text: bytes) -> Offsets:
    """The offset after each physical newline, those inside quotes included."""
    array = as_array(text)
    feeds = np.flatnonzero(array == LF)
    if b"\r" not in text:
        return feeds + 1
    returns = np.flatnonzero(array == CR)
    following = array[np.minimum(returns + 1, len(text) - 1)]
    lone = returns[following != LF]
    if not lone.size:
        return feeds + 1
    return np.sort(np.concatenate((feeds, lone))) + 1


def is_regular(text: bytes, quotes: Offsets, end: int, delimiter: int) -> bool:
    """Whether the quotes of ``text[:end]`` mean what their parity says.

    True where every even quote opens a cell (or is the second half of a doubled one) and every
    odd one closes a cell (or is the first half). Then, from the start on, each quote is what a
    parser makes of it, so that parity is exact. ``end`` must be a line end or the text's end.
    """
    if quotes.size % 2:
        return False
    allowed = np.zeros(256, dtype=np.bool_)
    allowed[[LF, CR, QUOTE, delimiter]] = True
    array = as_array(text, end)
    openers, closers = quotes[0::2], quotes[1::2]
    before = array[np.maximum(openers - 1, 0)]  # a quote at 0 looks at itself, which is allowed
    after = array[np.minimum(closers + 1, end - 1)]
    return bool(allowed[before].all() and allowed[after].all())


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordIndex:
    """The records of one piece of text.

    ``starts``: offset of each record; blank lines are none. ``line_ends``: as ``find_line_ends``.
    """

    starts: Offsets
    line_ends: Offsets

    @property
    def records(self) -> int:
        """How many records there are."""
        return int(self.starts.size)

    @property
    def lines(self) -> int:
        """How many physical lines end in the text."""
        return int(self.line_ends.size)

    def line_of(self, offsets: Offsets) -> Offsets:
        """How many physical lines end before each offset."""
        return np.searchsorted(self.line_ends, offsets, side="right")

    def records_at(self, offsets: Offsets) -> Offsets:
        """The record (from 0) that each offset lies in, without repeats."""
        return np.unique(np.searchsorted(self.starts, offsets, side="right") - 1)

    def part(self, begin: int, end: int) -> RecordIndex:
        """The index of ``text[begin:end]``; both ends are ends of lines."""
        return RecordIndex(
            starts=shift(self.starts, begin, end),
            line_ends=shift(self.line_ends, begin + 1, end + 1) + 1,
        )


def shift(offsets: Offsets, begin: int, end: int) -> Offsets:
    """Those of rising offsets that lie in ``[begin, end)``, counted from ``begin``."""
    first, last = offsets.searchsorted((begin, end))
    return offsets[first:last] - begin


def index_records(text: bytes, toggles: Offsets) -> RecordIndex:
    """The index of a text that ends at a record's end.

    ``toggles``: offsets of quotes that open and close in turn; all quotes of a regular text.
    """
    line_ends = find_line_ends(text)
    record_ends = line_ends
    if toggles.size:
        record_ends = line_ends[np.searchsorted(toggles, line_ends - 1) % 2 == 0]
    starts = np.concatenate((np.zeros(1, dtype=np.int64), record_ends))
    if starts[-1] == len(text):
        starts = starts[:-1]
    first = as_array(text)[starts]
    return RecordIndex(starts=starts[(first != LF) & (first != CR)], line_ends=line_ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkPositions:
    """See ``waybill.ports.reader.Positions``; ``index`` counts from the three given numbers."""

    index: RecordIndex
    first_record: int
    first_line: int
    first_byte: int

    def locate(self, records: Sequence[int]) -> Sequence[tuple[int, int]]:
        """See ``Positions.locate``."""
        starts = self.index.starts[np.asarray(records, dtype=np.int64) - self.first_record]
        lines = self.index.line_of(starts) + self.first_line
        offsets = starts + self.first_byte
        return list(zip(lines.tolist(), offsets.tolist(), strict=True))
