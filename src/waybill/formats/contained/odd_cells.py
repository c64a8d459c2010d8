"""Cells that the library would give as empty although they are not.

These are errors, and formulas that were never calculated. A formula whose result is an empty text
has the type ``str`` and was calculated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from xlsxwriter.utility import xl_cell_to_rowcol

from waybill.formats.contained.sheet_extent import blocks, invalid, prefix_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_HAS_ERROR: Final = re.compile(rb"""\st\s*=\s*["']e["']""")
_ERROR: Final = re.compile(
    rb"""<(?:\w+:)?c(\s[^>]*\bt\s*=\s*["']e["'][^>]*)(?:/>|(?<!/)>(.*?)</(?:\w+:)?c\s*>)""",
    re.DOTALL,
)
_NOT_CALCULATED: Final = re.compile(
    rb"""<(?:\w+:)?c((?:\s(?![^>]*\bt\s*=\s*["']str["'])[^>]*)?)(?<!/)>\s*"""
    rb"<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f\s*>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v\s*></(?:\w+:)?v\s*>)?\s*</(?:\w+:)?c\s*>"
)
_TABLE: Final = re.compile(rb"<(?:\w+:)?sheetData[\s/>]")
_NO_INDEX: Final = re.compile(
    rb"""t=["']s["'][^<>]*>\s*(?:<(?:\w+:)?f\b[^<]*(?:</(?:\w+:)?f\s*>)?\s*)?"""
    rb"<(?:\w+:)?v>(?![0-9]*<)"
)
_ADDRESS: Final = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3}[0-9]{1,7})["']""")
_VALUE: Final = re.compile(rb"<(?:\w+:)?v\s*>([^<]*)</")


@dataclass(frozen=True, slots=True)
class OddCell:
    """A cell whose value cannot be read: an error, or a formula without a result."""

    column: int
    code: str
    value: str


def find_odd_cells(pieces: Iterable[bytes]) -> Mapping[int, OddCell]:
    """By row, from 1, the first odd cell of a sheet whose XML comes in pieces.

    Raises:
        FileRefused: ``XLSX_INVALID``: the library would read something else than it holds.
    """
    odd: dict[int, OddCell] = {}
    tables, formula = 0, b""
    for block in blocks(pieces):
        tables += len(_TABLE.findall(block)) if b"sheetData" in block else 0
        if tables > 1:  # the library reads the first only
            raise invalid("it has more than one table of cells")
        if _NO_INDEX.search(block):  # the library would take the first string
            raise invalid("it has a cell whose shared string has no number")
        formula = formula or b"<" + prefix_of(block) + b"f"
        for row, cell in _odd_in(block, formula):
            known = odd.get(row)
            if known is None or cell.column < known.column:
                odd[row] = cell
    return odd


def _odd_in(block: bytes, formula: bytes) -> Iterator[tuple[int, OddCell]]:
    """The odd cells of a block and their rows."""
    if (b'"e"' in block or b"'e'" in block) and _HAS_ERROR.search(block):
        yield from _found("CELL_ERROR", _ERROR, block)
    if formula in block:
        yield from _found("FORMULA_NOT_CALCULATED", _NOT_CALCULATED, block)


def _found(code: str, pattern: re.Pattern[bytes], block: bytes) -> Iterator[tuple[int, OddCell]]:
    for found in pattern.finditer(block):
        place = _ADDRESS.search(found.group(1))
        if place is None:
            raise invalid("it has a cell without an address")
        row, column = xl_cell_to_rowcol(place.group(1).decode())
        value = _VALUE.search(found.group(0))
        text = value.group(1).decode(errors="replace") if value else ""
        yield row + 1, OddCell(column, code, text)
