"""What a sheet of XLSX holds, and how text gets into it as text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

SHEET_ROWS: Final = 1_048_576
"""Rows of one sheet, the header included."""

SHEET_COLUMNS: Final = 16_384
"""Columns of one sheet."""

CELL_UNITS: Final = 32_767
"""What one cell holds, in UTF-16 units."""

NO_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML 1.0 has no place for; source: XML 1.0, production 2."""

CREATED: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""When every workbook was made, so that the same content gives the same bytes."""


def units_of(text: str) -> int:
    """The length of a text as Excel counts it: in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def write_text(
    sheet: Worksheet, place: tuple[int, int], text: str, *, plain: Format, style: Format | None
) -> None:
    """Write a cell of at most ``CELL_UNITS`` at (row, column), from 0; never a formula or a link.

    XlsxWriter takes a text that looks like the inside of a rich string for one, unescaped: such a
    text is split in two runs, ``plain`` the second, which escapes it.
    """
    row, column = place
    if text.startswith("<r>") and text.endswith("</r>"):
        sheet.write_rich_string(row, column, text[:1], plain, text[1:], *filter(None, (style,)))
    else:
        sheet.write_string(row, column, text, style)
