"""Rows as CSV for people: text carries the formula escape, numbers and dates never do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.reports.csv_text import gather, line, text_cell
from waybill.reports.rows import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from waybill.reports.rows import Cell


def write_csv_rows(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The rows as pieces of UTF-8 CSV, a header line first."""
    return gather(_lines(names, rows))


def _lines(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    yield line([text_cell(name) for name in names])
    for row in rows:
        yield line([_cell(value) for value in row])


def _cell(value: Cell) -> str:
    return text_cell(value) if value is None or isinstance(value, str) else text_of(value)
