"""Rows of a sheet's XML read element by element: exact whatever their form, and slow.

The library looks at local names only, so prefixes count for nothing here either. A row without a
number follows the one before; a cell without an address follows the one before it in its row.
Source: ECMA-376 part 1, 18.3.1.4 (c) and 18.3.1.73 (row).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from xlsxwriter.utility import xl_cell_to_rowcol, xl_rowcol_to_cell

from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from waybill.errors import FileRefused

ROWS: Final = 1_048_576
COLUMNS: Final = 16_384

_FIRST_ROW: Final = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?row[\s/>]")
_END: Final = re.compile(rb"</(?:[A-Za-z_][\w.-]*:)?sheetData\s*>")
_ADDRESS: Final = re.compile(r"[A-Z]{1,3}[0-9]{1,7}")
_NUMBER: Final = re.compile(r"[0-9]{1,7}")
_SHOWN: Final = 20


@dataclass(slots=True)
class SheetCell:
    """A cell: its column from 0, its type, and the text of its value; ``None`` without a value."""

    column: int
    type: str
    has_formula: bool = False
    value: str | None = None


@dataclass(slots=True)
class SheetRow:
    """A row: its number from 1, and its cells as they come."""

    number: int
    cells: list[SheetCell] = field(default_factory=list)


def read_rows(block: bytes, after: int) -> Sequence[SheetRow]:
    """The rows of a block of XML that is cut at ends of rows; ``after``: the row before them.

    Raises:
        FileRefused: ``XLSX_INVALID``: they are no XML, or a row or an address is none.
    """
    begin, end = _FIRST_ROW.search(block), _END.search(block)
    if begin is None:
        return ()
    reading = _Reading(after)
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.text
    parser.buffer_text = True
    inside = block[begin.start() : end.start() if end else None]
    try:
        parser.Parse(b"<rows>" + inside + b"</rows>", True)  # noqa: FBT003 - all of it
    except expat.ExpatError as error:
        raise invalid(f"its rows are no XML: {expat.ErrorString(error.code)}") from error
    return reading.rows


class _Reading:
    """Takes the elements of rows as a parser meets them."""

    def __init__(self, after: int) -> None:
        self.rows: list[SheetRow] = []
        self._after = after
        self._is_value = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "row":
            self._begin_row(attributes.get("r"))
        elif local == "c" and self.rows:
            self._begin_cell(attributes)
        elif local == "f" and self._cell is not None:
            self._cell.has_formula = True
        elif local == "v" and self._cell is not None:
            self._is_value, self._cell.value = True, ""

    def end(self, name: str) -> None:
        if name.rpartition(":")[2] == "v":
            self._is_value = False

    def text(self, text: str) -> None:
        cell = self._cell
        if self._is_value and cell is not None:
            cell.value = (cell.value or "") + text

    @property
    def _cell(self) -> SheetCell | None:
        return self.rows[-1].cells[-1] if self.rows and self.rows[-1].cells else None

    def _begin_row(self, written: str | None) -> None:
        before = self.rows[-1].number if self.rows else self._after
        if written is None:
            number = before + 1
        elif _NUMBER.fullmatch(written) and 1 <= int(written) <= ROWS:
            number = int(written)
        else:
            raise invalid(f"it has a row {written[:_SHOWN]!r}, of {ROWS}")
        self.rows.append(SheetRow(number))

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        row = self.rows[-1]
        column = row.cells[-1].column + 1 if row.cells else 0
        address = attributes.get("r")
        if address is not None:
            line, column = _place(address)
            if line != row.number:
                raise invalid(f"its row {row.number} has a cell {address!r}")
        if column >= COLUMNS:
            raise no_such_cell(xl_rowcol_to_cell(row.number - 1, column))
        row.cells.append(SheetCell(column, attributes.get("t", "n")))


def _place(address: str) -> tuple[int, int]:
    """The row from 1 and the column from 0 of an address."""
    if not _ADDRESS.fullmatch(address):
        raise no_such_cell(address)
    row, column = xl_cell_to_rowcol(address)
    if not (0 <= row < ROWS and column < COLUMNS):
        raise no_such_cell(address)
    return row + 1, column


def no_such_cell(address: str) -> FileRefused:
    """The refusal of an address that is none."""
    return invalid(f"it has a cell at {address[:_SHOWN]!r}, of {COLUMNS} columns and {ROWS} rows")


def invalid(reason: str) -> FileRefused:
    """The refusal of a sheet."""
    return file_refused("XLSX_INVALID", reason=reason)
