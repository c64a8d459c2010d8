"""CSV by the letter, for text whose quotes do not follow the rule.

A quote opens a cell only at the cell's start; anywhere else outside quotes it is data. Text after
a closing quote makes the record invalid. A newline outside quotes ends the record.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from waybill.validation.record_index import CR, LF, QUOTE, shift

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.validation.record_index import Offsets

_AT_A_TIME: Final = 65_536

Cells = tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteLayout:
    """What the quotes of a text are.

    ``toggles``: offsets that open and close in turn. ``bare``: quotes that are data in an unquoted
    cell. ``broken``: closing quotes with text after them. ``open_at``: the quote left open at the
    end, -1 where none.
    """

    toggles: Offsets
    bare: Offsets
    broken: Offsets
    open_at: int = -1

    @classmethod
    def regular(cls, quotes: Offsets) -> QuoteLayout:
        """The layout of a text in which parity is exact."""
        nothing = np.empty(0, dtype=np.int64)
        return cls(toggles=quotes, bare=nothing, broken=nothing)

    @property
    def is_regular(self) -> bool:
        """Whether a parser may be given the text as it is."""
        return not (self.bare.size or self.broken.size)

    @property
    def has_neighbours(self) -> bool:
        """Whether two quotes stand side by side somewhere, as those of an empty cell do."""
        return bool((np.diff(self.toggles) == 1).any())

    def part(self, begin: int, end: int) -> QuoteLayout:
        """The layout of ``text[begin:end]``; both ends lie outside quotes."""
        return QuoteLayout(
            toggles=shift(self.toggles, begin, end),
            bare=shift(self.bare, begin, end),
            broken=shift(self.broken, begin, end),
        )


def trace_quotes(text: bytes, quotes: Offsets, delimiter: int) -> QuoteLayout:
    """What each quote is, found by walking them all; the text begins at a record's start."""
    edges = frozenset((LF, CR, delimiter))
    toggles, bare, broken = array("q"), array("q"), array("q")
    open_at = doubled = -1
    for at in _integers(quotes):
        if at == doubled:
            continue
        if open_at < 0:
            if at and text[at - 1] not in edges:
                bare.append(at)
            else:
                open_at = at
            continue
        after = text[at + 1] if at + 1 < len(text) else LF
        if after == QUOTE:
            doubled = at + 1
            continue
        toggles.extend((open_at, at))
        open_at = -1
        if after not in edges:
            broken.append(at)
    return QuoteLayout(
        toggles=_offsets(toggles), bare=_offsets(bare), broken=_offsets(broken), open_at=open_at
    )


def _integers(offsets: Offsets) -> Iterator[int]:
    """The offsets as Python's integers, a few at a time: all of them take much memory."""
    for begin in range(0, offsets.size, _AT_A_TIME):
        yield from offsets[begin : begin + _AT_A_TIME].tolist()


def _offsets(values: array[int]) -> Offsets:
    return np.frombuffer(values, dtype=np.int64) if values else np.empty(0, dtype=np.int64)


def split_record(record: str, delimiter: str) -> Cells:
    """The cells of one record without its newline; ``None`` for an empty unquoted one.

    Text after a closing quote stays, as typed, behind the cell's content.
    """
    cells: list[str | None] = []
    at = 0
    while True:
        cell, at = _take_cell(record, at, delimiter)
        cells.append(cell)
        if at >= len(record):
            return tuple(cells)
        at += 1  # the delimiter
        if at == len(record):
            return (*cells, None)


def _take_cell(record: str, at: int, delimiter: str) -> tuple[str | None, int]:
    """The cell that begins at ``at``, and where it ends."""
    if not record.startswith('"', at):
        end = _find(record, delimiter, at)
        return record[at:end] or None, end
    content, after = _take_quoted(record, at + 1)
    end = _find(record, delimiter, after)
    return content + record[after:end], end


def _take_quoted(record: str, at: int) -> tuple[str, int]:
    parts: list[str] = []
    while True:
        end = _find(record, '"', at)
        parts.append(record[at:end])
        if not record.startswith('""', end):
            return "".join(parts), min(end + 1, len(record))
        parts.append('"')
        at = end + 2


def _find(record: str, wanted: str, at: int) -> int:
    found = record.find(wanted, at)
    return len(record) if found < 0 else found


def join_record(cells: Cells, delimiter: str) -> str:
    """The cells as one record that follows the quote rule, with its newline."""
    quoted = ("" if cell is None else '"' + cell.replace('"', '""') + '"' for cell in cells)
    return delimiter.join(quoted) + "\n"
