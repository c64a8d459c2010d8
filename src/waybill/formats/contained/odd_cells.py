"""Cells that the library would give as empty although they are not, or as another cell's text.

These are errors, formulas that were never calculated, and strings without a number: the library
takes the first one then. A formula whose result is an empty text has the type ``str`` and was
calculated. Blocks in which nothing of that can be are told by counting; others are read element by
element.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from waybill.formats.contained.sheet_blocks import blocks
from waybill.formats.contained.sheet_rows import invalid, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from waybill.formats.contained.sheet_rows import SheetCell

_TABLE: Final = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?sheetData[\s/>]")
_FORMULA: Final = re.compile(rb"<f[\s/>]")
_CALCULATED: Final = re.compile(rb"(?:</f>|<f[^<>]*/>)<v>\s*[^<\s]")
_STRING: Final = re.compile(rb't="s"(?: s="[0-9]+")?><v>[0-9]{1,9}</v>')
_RARE_TYPES: Final = (b'"e"', b"'e'", b"'s'")
_NUMBER: Final = re.compile(r"\s*[0-9]{1,9}\s*")


@dataclass(frozen=True, slots=True)
class OddCell:
    """A cell whose value cannot be read: an error, or a formula without a result."""

    column: int
    code: str
    value: str


def find_odd_cells(pieces: Iterable[bytes], *, is_regular: bool) -> Mapping[int, OddCell]:
    """By row, from 1, the first odd cell of a sheet whose XML comes in pieces.

    ``is_regular``: all rows and cells say where they are, first of all.

    Raises:
        FileRefused: ``XLSX_INVALID``: the library would read something else than it holds.
    """
    odd: dict[int, OddCell] = {}
    tables = last_row = 0
    for block in blocks(pieces):
        tables += len(_TABLE.findall(block)) if b"sheetData" in block else 0
        if tables > 1:  # the library reads the first only
            raise invalid("it has more than one table of cells")
        for row in () if is_regular and _is_plain(block) else read_rows(block, last_row):
            last_row = row.number
            for cell in row.cells:
                code = _oddity(cell)
                if code and row.number not in odd:
                    odd[row.number] = OddCell(cell.column, code, (cell.value or "").strip())
    return odd


def _is_plain(block: bytes) -> bool:
    """Whether regular cells certainly are neither errors nor without a result or a string."""
    if any(mark in block for mark in _RARE_TYPES):
        return False
    formulas = len(_FORMULA.findall(block)) if b"<f" in block else 0
    if formulas and formulas != len(_CALCULATED.findall(block)):
        return False
    strings = block.count(b'"s"')
    return not strings or strings == len(_STRING.findall(block))


def _oddity(cell: SheetCell) -> str:
    """The code of an odd cell, empty for any other.

    Raises:
        FileRefused: ``XLSX_INVALID``: the cell is a string without a number.
    """
    is_empty = not (cell.value or "").strip()
    if cell.type == "e":
        return "CELL_ERROR"
    if cell.has_formula and is_empty and cell.type != "str":
        return "FORMULA_NOT_CALCULATED"
    if cell.type == "s" and cell.value is not None and not _NUMBER.fullmatch(cell.value):
        raise invalid("it has a cell whose shared string has no number")
    return ""
