"""Rows as XLSX: each value as it is, or the file fails and says where; nothing is ever cut.

Texts are text cells with the same reversible escape as in CSV. Numbers, booleans, dates and times
are such cells where XLSX gives them back exactly, else texts. A missing value and an empty text
both are an empty cell: XLSX cannot tell them apart.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Final

from waybill.errors import ValueNotRepresentable
from waybill.ports.sink import RECORD
from waybill.reports.rows import text_of
from waybill.reports.scratch_file import send_written
from waybill.reports.workbook import fits_cell, write_workbook
from waybill.reports.xlsx_text import CELL_UNITS, NO_XML, SHEET_ROWS
from waybill.validation.formula import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from waybill.reports.rows import Cell
    from waybill.reports.workbook import SheetCell

_LARGEST_INTEGER: Final = 2**53
"""Up to here a double holds every whole number."""

_FIRST_DAY: Final = date(1900, 3, 1)
"""Before it programs disagree on the day of a number, for one of them has a 29 February 1900."""

_TWO_ESCAPES: Final = re.compile("_x[0-9A-Fa-f]{4}_x[0-9A-Fa-f]{4}_")
"""Texts that read as two escapes of XLSX with one underscore in common; the writer of workbooks
guards the first only, so that the second would be read as a character."""


def write_xlsx_rows(
    names: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    directory: Path,
    *,
    title: str,
    sheet_rows: int = SHEET_ROWS,
) -> Iterator[bytes]:
    """The rows as pieces of an XLSX file; the same input gives the same bytes.

    The whole file is first written below ``directory``. Memory does not grow with the number of
    rows. A sheet takes ``sheet_rows`` rows, its header included; more begin the next one.

    Raises:
        ValueNotRepresentable: a text does not fit a cell; the record is the row's ``_record``, or
            its number from 1 where the rows have none.
        StorageFull: the folder cannot be written.
    """

    def write(path: Path) -> None:
        write_workbook(
            path,
            title=title,
            header=[_whole_text(name, None, name) for name in names],
            rows=_sheet_rows(names, rows),
            sheet_rows=sheet_rows,
        )

    return send_written(write, directory)


def _sheet_rows(
    names: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> Iterator[Sequence[SheetCell]]:
    place = names.index(RECORD) if RECORD in names else None
    for number, row in enumerate(rows, start=1):
        own = number if place is None else row[place]
        record = own if isinstance(own, int) else number
        yield [_cell(value, record, name) for value, name in zip(row, names, strict=True)]


def _cell(value: Cell, record: int, name: str) -> SheetCell:
    if value is None:
        return None
    if isinstance(value, str):
        return _whole_text(value, record, name)
    exact = _exact(value)
    return _whole_text(text_of(value), record, name) if exact is None else exact


def _exact(value: int | float | Decimal | date) -> SheetCell:  # noqa: PYI041 - a float is no whole number
    """The value as a cell that gives it back exactly; ``None`` where no cell does."""
    match value:
        case Decimal():
            nearest = float(value)
            is_exact = abs(value) <= _LARGEST_INTEGER and Decimal(repr(nearest)) == value
            return _exact(nearest) if is_exact else None
        case datetime():
            is_exact = value.tzinfo is None and not value.microsecond and _has_number(value.date())
        case date():
            is_exact = _has_number(value)
        case float():
            is_exact = isfinite(value) and float(f"{value:.16G}") == value  # as it is written
        case _:
            is_exact = abs(value) <= _LARGEST_INTEGER
    return value if is_exact else None


def _has_number(day: date) -> bool:
    return day >= _FIRST_DAY


def _whole_text(text: str, record: int | None, name: str) -> str:
    """The text of a cell, escaped.

    Raises:
        ValueNotRepresentable: a cell would cut or alter it.
    """
    escaped = escape(text)
    if not fits_cell(escaped):
        reason = f"{len(text)} characters are more than a cell of XLSX holds ({CELL_UNITS})"
        raise ValueNotRepresentable(reason, record=record, column=name)
    lost = NO_XML.search(text) or _TWO_ESCAPES.search(text)
    if lost:
        raise ValueNotRepresentable(
            f"XLSX has no place for {lost.group()!r}", record=record, column=name
        )
    return escaped
