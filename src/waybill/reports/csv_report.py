"""Rejected records as CSV that a person mends and sends in again as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.reports.csv_text import gather, line, quoted, text_cell
from waybill.reports.layout import REPORT_COLUMNS, Layout, escape_message, lay_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from waybill.model.finding import Rejection


def write_csv(columns: Sequence[str], rejections: Iterable[Rejection]) -> Iterator[bytes]:
    """The report as pieces of UTF-8: a header line, then one record per rejection.

    ``columns``: header names of ``Rejection.cells``, in file order. Columns and cells: see
    ``reports/layout.py``. Memory does not grow with the number of rejections.
    """
    layout = lay_out(columns)
    return gather(_lines(layout, rejections))


def _lines(layout: Layout, rejections: Iterable[Rejection]) -> Iterator[str]:
    yield line([text_cell(name) for name in (*layout.columns, *REPORT_COLUMNS)])
    for rejection in rejections:
        cells = [text_cell(cell) for cell in layout.cells(rejection)]
        cells += (str(rejection.record), str(rejection.line))
        code, field, value, message = layout.verdict(rejection)
        cells += (text_cell(code), text_cell(field), text_cell(value))
        cells.append(quoted(escape_message(message)))
        yield line(cells)
