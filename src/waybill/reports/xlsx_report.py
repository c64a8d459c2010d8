"""Rejected records as XLSX: text cells only, never a formula or a link.

Cells carry the same reversible escape as the CSV report. ``_record`` and ``_line`` are numbers, so
that they sort. A missing cell and an empty text both are an empty cell: XLSX cannot tell them
apart. A text longer than a cell can hold is replaced by a note that says how long it is and where
the whole of it stands; it is never cut. Control characters are written as ``_xHHHH_``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.reports.layout import NOTE_OF_LENGTH, REPORT_COLUMNS, escape_message, lay_out
from waybill.reports.scratch_file import send_written
from waybill.reports.workbook import fits_cell, write_workbook
from waybill.reports.xlsx_text import SHEET_ROWS
from waybill.validation.formula import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from waybill.model.finding import Rejection
    from waybill.reports.layout import Layout
    from waybill.reports.workbook import SheetCell


def write_xlsx(
    columns: Sequence[str],
    rejections: Iterable[Rejection],
    directory: Path,
    *,
    sheet_rows: int = SHEET_ROWS,
) -> Iterator[bytes]:
    """The report as pieces of an XLSX file; the same input gives the same bytes.

    ``columns``: header names of ``Rejection.cells``, in file order. The whole file is first
    written below ``directory``. Memory does not grow with the number of rejections. A sheet takes
    ``sheet_rows`` rows, its header included; more begin the next one.

    Raises:
        StorageFull: the folder cannot be written.
    """
    layout = lay_out(columns)

    def write(path: Path) -> None:
        write_workbook(
            path,
            title="Rejected records",
            header=[_fitting(escape(name)) for name in (*layout.columns, *REPORT_COLUMNS)],
            rows=(_row(layout, rejection) for rejection in rejections),
            sheet_rows=sheet_rows,
        )

    return send_written(write, directory)


def _row(layout: Layout, rejection: Rejection) -> list[SheetCell]:
    code, field, value, message = layout.verdict(rejection)
    texts = [_escaped(cell) for cell in layout.cells(rejection)]
    verdict = (_escaped(code), _escaped(field), _escaped(value), _fitting(escape_message(message)))
    return [*texts, rejection.record, rejection.line, *verdict]


def _escaped(text: str | None) -> str | None:
    return _fitting(escape(text)) if text else None


def _fitting(text: str) -> str:
    """The text, or a note in its place where a cell cannot hold it."""
    return text if fits_cell(text) else NOTE_OF_LENGTH.format(size=len(text))
