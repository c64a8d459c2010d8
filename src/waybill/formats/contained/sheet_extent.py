"""The used rectangle of a sheet, found in its XML before the library opens it.

The library lays out the whole rectangle: a cell in the far corner costs it half a terabyte, and a
failed allocation ends the process. So the rectangle is known, and refused, first. Rows and cells
that begin as all writers of workbooks have them, ``<row r="7"`` and ``<c r="B7"``, are found by
arrays; a block that has any other is read element by element.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from waybill.formats.contained.sheet_blocks import blocks
from waybill.formats.contained.sheet_rows import COLUMNS, ROWS, invalid, no_such_cell, read_rows
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from waybill.formats.contained.sheet_rows import SheetRow
    from waybill.model.limits import Limits

    Numbers = npt.NDArray[np.int64]
    Bytes = npt.NDArray[np.uint8]
    Flags = npt.NDArray[np.bool_]

_ODD_ROW: Final = re.compile(rb"<[A-Za-z_][\w.-]*:(?:row|c)[\s/>]")
_REGULAR: Final = b' r="'
_ENDS_NAME: Final = np.zeros(256, dtype=np.bool_)
_ENDS_NAME[list(b" \t\r\n/>")] = True
_QUOTE: Final = ord('"')
_SHOWN_BYTES: Final = 20


@dataclass(frozen=True, slots=True)
class _Figures:
    """How numbers are written. ``values``: by byte, -1 for one that is no figure."""

    values: Numbers
    base: int
    most: int


def _values(figures: bytes, first: int) -> Numbers:
    values = np.full(256, -1, dtype=np.int64)
    values[list(figures)] = np.arange(first, first + len(figures))
    return values


_LETTERS: Final = _Figures(_values(string.ascii_uppercase.encode(), 1), base=26, most=3)
_DIGITS: Final = _Figures(_values(string.digits.encode(), 0), base=10, most=7)


@dataclass(slots=True)
class Extent:
    """The used rectangle; rows count from 1 and columns from 0.

    ``is_regular``: all rows and cells begin with their number or address.
    """

    first_row: int = ROWS
    last_row: int = 0
    first_column: int = COLUMNS
    last_column: int = -1
    is_regular: bool = True

    @property
    def cells(self) -> int:
        """How many cells the rectangle has."""
        rows = max(0, self.last_row - self.first_row + 1)
        return rows * max(0, self.last_column - self.first_column + 1)


def find_extent(pieces: Iterable[bytes], limits: Limits) -> Extent:
    """The extent of a sheet whose XML comes in pieces.

    Raises:
        FileRefused: ``XLSX_INVALID``, ``TOO_MANY_COLUMNS`` or ``XLSX_AREA_LIMIT``.
    """
    search = _Search(limits)
    for block in blocks(pieces):
        search.take(block)
    return search.extent


class _Search:
    """Takes the blocks of one sheet in order."""

    def __init__(self, limits: Limits) -> None:
        self.extent = Extent()
        self._limits = limits
        self._last_row = 0

    def take(self, block: bytes) -> None:
        array = np.frombuffer(block, dtype=np.uint8)
        rows, cells = find_all(array, b"<row"), find_all(array, b"<c")
        rows, cells = rows[_is_name(array, rows, 4)], cells[_is_name(array, cells, 2)]
        if (
            _are_regular(array, rows + 4)
            and _are_regular(array, cells + 2)
            and not _ODD_ROW.search(block)
        ):
            self._take_regular(block, array, rows, cells)
        else:
            self.extent.is_regular = False
            self._take_odd(read_rows(block, self._last_row))

    def _take_regular(self, block: bytes, array: Bytes, rows: Numbers, cells: Numbers) -> None:
        """Rows and cells that all begin with their number or address."""
        numbers = _row_numbers(block, array, rows + 4 + len(_REGULAR))
        self._check_rows(numbers)
        columns, lines = _addresses(block, array, cells + 2 + len(_REGULAR))
        owners = rows.searchsorted(cells) - 1
        if cells.size and (owners[0] < 0 or (numbers[owners] != lines).any()):
            raise invalid("it has a cell that is not of its row")
        is_same_row = np.diff(owners) == 0
        if (np.diff(columns)[is_same_row] <= 0).any():
            raise invalid("its cells are not in order, or one comes twice")
        if cells.size:
            self._widen(lines, columns)

    def _take_odd(self, rows: Sequence[SheetRow]) -> None:
        """Rows of any other form."""
        self._check_rows(np.array([row.number for row in rows], dtype=np.int64))
        for row in rows:
            columns = np.array([cell.column for cell in row.cells], dtype=np.int64)
            if (np.diff(columns) <= 0).any():
                raise invalid("its cells are not in order, or one comes twice")
            if columns.size:
                self._widen(np.array([row.number]), columns)

    def _check_rows(self, numbers: Numbers) -> None:
        """Refuse a row that comes twice or too late: the library would put it over another one."""
        if (np.diff(numbers, prepend=self._last_row) <= 0).any():
            raise invalid("its rows are not in order")
        self._last_row = int(numbers[-1]) if numbers.size else self._last_row

    def _widen(self, rows: Numbers, columns: Numbers) -> None:
        extent, limits = self.extent, self._limits
        extent.first_row = min(extent.first_row, int(rows[0]))
        extent.last_row = int(rows[-1])
        extent.first_column = min(extent.first_column, int(columns.min()))
        extent.last_column = max(extent.last_column, int(columns.max()))
        if extent.cells > limits.xlsx_cells:
            raise file_refused(
                "XLSX_AREA_LIMIT",
                rows=extent.last_row - extent.first_row + 1,
                columns=extent.last_column - extent.first_column + 1,
                limit="xlsx_cells",
                allowed=limits.xlsx_cells,
            )
        if extent.last_column - extent.first_column >= limits.columns:
            raise file_refused("TOO_MANY_COLUMNS", allowed=limits.columns)


def find_all(array: Bytes, needle: bytes) -> Numbers:
    """The offsets of all places where the needle stands; it does not overlap itself."""
    size = array.size - len(needle) + 1
    if size <= 0:
        return np.empty(0, dtype=np.int64)
    found = array[:size] == needle[0]
    for offset, byte in enumerate(needle[1:], start=1):
        found &= array[offset : offset + size] == byte
    return np.flatnonzero(found)


def _is_name(array: Bytes, places: Numbers, size: int) -> Flags:
    """Whether the name of an element, of so many bytes with its bracket, ends there."""
    found: Flags = _ENDS_NAME[array.take(places + size, mode="clip")]
    return found


def _are_regular(array: Bytes, places: Numbers) -> bool:
    """Whether all elements have their number or address first, as all writers of workbooks do."""
    return all(
        (array.take(places + offset, mode="clip") == byte).all()
        for offset, byte in enumerate(_REGULAR)
    )


def _row_numbers(block: bytes, array: Bytes, places: Numbers) -> Numbers:
    """The numbers of rows that are written at those places; raises as ``_addresses``."""
    numbers, digits = _number(array, places, _DIGITS)
    is_over = array.take(places + digits, mode="clip") == _QUOTE
    odd = np.flatnonzero(~(is_over & (numbers >= 1) & (numbers <= ROWS)))
    if odd.size:
        raise invalid(f"it has a row {_shown(block, int(places[odd[0]]))!r}, of {ROWS}")
    return numbers


def _addresses(block: bytes, array: Bytes, places: Numbers) -> tuple[Numbers, Numbers]:
    """The columns, from 0, and the rows, from 1, of the addresses that begin at those places.

    Raises:
        FileRefused: ``XLSX_INVALID``: one of them is none that a sheet can have.
    """
    columns, letters = _number(array, places, _LETTERS)
    rows, digits = _number(array, places + letters, _DIGITS)
    is_over = array.take(places + letters + digits, mode="clip") == _QUOTE
    is_place = (columns >= 1) & (columns <= COLUMNS) & (rows >= 1) & (rows <= ROWS)
    odd = np.flatnonzero(~(is_place & is_over))
    if odd.size:
        raise no_such_cell(_shown(block, int(places[odd[0]])))
    return columns - 1, rows


def _shown(block: bytes, begin: int) -> str:
    return block[begin : begin + _SHOWN_BYTES].partition(b'"')[0].decode(errors="replace")


def _number(array: Bytes, places: Numbers, figures: _Figures) -> tuple[Numbers, Numbers]:
    """The numbers written at the places, and how many figures each has."""
    values, sizes = np.zeros(places.size, np.int64), np.zeros(places.size, np.int64)
    is_within = np.ones(places.size, dtype=np.bool_)
    for step in range(figures.most):
        found = figures.values.take(array.take(places + step, mode="clip"))
        is_within &= found >= 0
        if not is_within.any():
            break
        values = np.where(is_within, values * figures.base + found, values)
        sizes += is_within
    return values, sizes
