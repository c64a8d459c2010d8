"""Rejected records as XLSX: text cells only, never a formula or a link.

Cells carry the same reversible escape as the CSV report. ``_record`` and ``_line`` are numbers, so
that they sort. A missing cell and an empty text both are an empty cell: XLSX cannot tell them
apart. A text longer than a cell can hold is replaced by a note that says how long it is and where
the whole of it stands; it is never cut. Control characters are written as ``_xHHHH_``.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from xlsxwriter import Workbook
from xlsxwriter.exceptions import XlsxFileError

from waybill.errors import StorageFull
from waybill.reports.layout import REPORT_COLUMNS, escape_message, lay_out
from waybill.reports.xlsx_text import CELL_UNITS, CREATED, SHEET_ROWS, units_of, write_text
from waybill.validation.formula import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from xlsxwriter.format import Format

    from waybill.model.finding import Rejection
    from waybill.reports.layout import Layout

_WIDTHS: Final = {"_record": 10, "_line": 10, "_code": 24, "_field": 18, "_value": 24}
_MESSAGE_WIDTH: Final = 80
_PIECE_BYTES: Final = 256 * 1024


def write_xlsx(
    columns: Sequence[str],
    rejections: Iterable[Rejection],
    directory: Path,
    *,
    sheet_rows: int = SHEET_ROWS,
) -> Iterator[bytes]:
    """The report as pieces of an XLSX file; the same input gives the same bytes.

    ``columns``: header names of ``Rejection.cells``, in file order. The whole file is first
    written below ``directory``, in a folder that is gone when the iterator ends or is closed.
    Memory does not grow with the number of rejections. A sheet takes ``sheet_rows`` rows, its
    header included; more begin the next one.

    Raises:
        StorageFull: the folder cannot be written.
    """
    with _storage_errors():
        scratch = tempfile.TemporaryDirectory(prefix="xlsx-", dir=directory)
    with scratch as folder:
        path = Path(folder) / "report.xlsx"
        with _storage_errors():
            _write_file(path, lay_out(columns), rejections, sheet_rows)
        with path.open("rb") as finished:
            while piece := finished.read(_PIECE_BYTES):
                yield piece


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, XlsxFileError) as error:
        raise StorageFull(f"the XLSX report cannot be written: {error}") from error


def _write_file(
    path: Path, layout: Layout, rejections: Iterable[Rejection], sheet_rows: int
) -> None:
    sheets = _Sheets(path, (*layout.columns, *REPORT_COLUMNS), sheet_rows)
    try:
        for rejection in rejections:
            sheets.add_row(_row(layout, rejection))
    finally:
        sheets.close()


def _row(layout: Layout, rejection: Rejection) -> list[str | int | None]:
    code, field, value, message = layout.verdict(rejection)
    texts = [_escaped(cell) for cell in layout.cells(rejection)]
    verdict = (_escaped(code), _escaped(field), _escaped(value), escape_message(message))
    return [*texts, rejection.record, rejection.line, *verdict]


def _escaped(text: str | None) -> str | None:
    return escape(text) if text else None


class _Sheets:
    """A workbook that begins a new sheet, header and all, when one is full."""

    def __init__(self, path: Path, header: Sequence[str], sheet_rows: int) -> None:
        options = {"constant_memory": True, "tmpdir": str(path.parent)}
        self._workbook = Workbook(str(path), options)
        self._workbook.use_zip64()
        self._workbook.set_properties({"created": CREATED, "title": "Rejected records"})
        self._bold = self._workbook.add_format({"bold": True})
        self._plain = self._workbook.add_format()
        self._header = header
        self._sheet_rows = sheet_rows
        self._begin_sheet()

    def close(self) -> None:
        self._workbook.close()

    def add_row(self, cells: Sequence[str | int | None]) -> None:
        if self._row == self._sheet_rows:
            self._begin_sheet()
        for place, cell in enumerate(cells):
            if isinstance(cell, int):
                self._sheet.write_number(self._row, place, cell)
            elif cell:
                self._write_text(place, _fitting(cell), None)
        self._row += 1

    def _begin_sheet(self) -> None:
        self._sheet = self._workbook.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        self._sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        self._row = 0
        for place, name in enumerate(self._header):
            self._sheet.set_column(place, place, _width(name))
            self._write_text(place, _fitting(escape(name)), self._bold)
        self._row = 1

    def _write_text(self, place: int, text: str, style: Format | None) -> None:
        write_text(self._sheet, (self._row, place), text, plain=self._plain, style=style)


def _fitting(text: str) -> str:
    """The text, or a note in its place where a cell cannot hold it."""
    if len(text) <= CELL_UNITS // 2:
        return text
    if units_of(text) <= CELL_UNITS:
        return text
    return (
        f"[{len(text)} characters are more than a cell of XLSX holds; "
        "the CSV and JSON reports have the whole value]"
    )


def _width(name: str) -> int:
    if name == "_message":
        return _MESSAGE_WIDTH
    return _WIDTHS.get(name, min(max(len(name) + 2, 12), 40))
