"""Rows as a workbook to be read, not to be sent in again: every value is shown, none is escaped.

Texts are text cells, so none is a formula. What a cell cannot hold is shown in its stead: control
characters as JSON escapes them, and of a text that is too long the beginning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.reports.scratch_file import send_written
from waybill.reports.workbook import fits_cell, write_workbook
from waybill.reports.xlsx_text import CELL_UNITS, NO_XML, SHEET_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from waybill.reports.workbook import SheetCell


def write_sheet(
    names: Sequence[str],
    rows: Iterable[Sequence[str | int | None]],
    directory: Path,
    *,
    title: str,
) -> Iterator[bytes]:
    """The rows as pieces of an XLSX file; the whole is first written below ``directory``.

    ``title``: of the first sheet, at most 31 characters. Memory does not grow with the rows.

    Raises:
        StorageFull: the folder cannot be written.
    """

    def write(path: Path) -> None:
        write_workbook(
            path,
            title=title,
            header=names,
            rows=([_shown(cell) for cell in row] for row in rows),
            sheet_rows=SHEET_ROWS,
        )

    return send_written(write, directory)


def _shown(cell: str | int | None) -> SheetCell:
    if not isinstance(cell, str):
        return cell
    text = NO_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", cell)
    if fits_cell(text):
        return text
    return text.encode("utf-16-le")[: 2 * (CELL_UNITS - 1)].decode("utf-16-le", "ignore") + "…"
