"""A workbook written sheet by sheet: texts are text cells, never a formula or a link.

What a cell can hold is for the caller to know: nothing that is given here is cut or refused.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Final, TypeAlias

from xlsxwriter import Workbook

from waybill.reports.xlsx_text import CELL_UNITS, CREATED, units_of, write_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from xlsxwriter.format import Format

SheetCell: TypeAlias = str | int | float | bool | date | None

_WIDTHS: Final = {
    "_record": 10,
    "_line": 10,
    "_outcome": 12,
    "_code": 24,
    "_field": 18,
    "_value": 24,
    "_message": 80,
}
_DATE_FORMAT: Final = "yyyy-mm-dd"
_TIME_FORMAT: Final = "yyyy-mm-dd hh:mm:ss"


def write_workbook(
    path: Path,
    *,
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[SheetCell]],
    sheet_rows: int,
) -> None:
    """Write the rows under the header, in as many sheets of ``sheet_rows`` rows as they need.

    ``title``: of the document and its first sheet, of at most 31 characters.
    The same input gives the same bytes. Memory does not grow with the number of rows.
    """
    sheets = _Sheets(path, title, header, sheet_rows)
    try:
        for row in rows:
            sheets.add_row(row)
    finally:
        sheets.close()


def fits_cell(text: str) -> bool:
    """Whether one cell holds the whole text."""
    if len(text) <= CELL_UNITS // 2:
        return True
    return units_of(text) <= CELL_UNITS


class _Sheets:
    """A workbook that begins a new sheet, header and all, when one is full."""

    def __init__(self, path: Path, title: str, header: Sequence[str], sheet_rows: int) -> None:
        options = {"constant_memory": True, "tmpdir": str(path.parent)}
        self._workbook = Workbook(str(path), options)
        self._workbook.use_zip64()
        self._workbook.set_properties({"created": CREATED, "title": title})
        self._bold = self._workbook.add_format({"bold": True})
        self._plain = self._workbook.add_format()
        self._date = self._workbook.add_format({"num_format": _DATE_FORMAT})
        self._time = self._workbook.add_format({"num_format": _TIME_FORMAT})
        self._header = header
        self._sheet_rows = sheet_rows
        self._begin_sheet(title)

    def close(self) -> None:
        self._workbook.close()

    def add_row(self, cells: Sequence[SheetCell]) -> None:
        if self._row == self._sheet_rows:
            self._begin_sheet()
        for place, cell in enumerate(cells):
            if isinstance(cell, str):
                self._write_text(place, cell, None)
            elif cell is not None:
                self._write_value(place, cell)
        self._row += 1

    def _begin_sheet(self, sheet_name: str | None = None) -> None:
        self._sheet = self._workbook.add_worksheet(sheet_name)
        self._sheet.freeze_panes(1, 0)
        self._sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        self._row = 0
        for place, name in enumerate(self._header):
            self._sheet.set_column(place, place, _width(name))
            self._write_text(place, name, self._bold)
        self._row = 1

    def _write_value(self, place: int, value: float | date) -> None:
        if isinstance(value, bool):
            self._sheet.write_boolean(self._row, place, value)
        elif isinstance(value, date):
            shape = self._time if isinstance(value, datetime) else self._date
            self._sheet.write_datetime(self._row, place, value, shape)
        else:
            self._sheet.write_number(self._row, place, value)

    def _write_text(self, place: int, text: str, style: Format | None) -> None:
        if text:
            write_text(self._sheet, (self._row, place), text, plain=self._plain, style=style)


def _width(name: str) -> int:
    return _WIDTHS.get(name, min(max(len(name) + 2, 12), 40))
