"""The used rectangle of a sheet, found in its XML before the library opens it.

The library lays out the whole rectangle: a cell in the far corner costs it half a terabyte, and a
failed allocation ends the process. So the rectangle is known, and refused, first. Every cell counts
that begins as all writers of workbooks have it, ``<c r="B7"``; in a row with others the first and
the last cell do, so that one out of order could hide, and meet the memory limit of the child.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from waybill.errors import FileRefused
    from waybill.model.limits import Limits

    Numbers = npt.NDArray[np.int64]
    Bytes = npt.NDArray[np.uint8]

ROWS: Final = 1_048_576
COLUMNS: Final = 16_384
ROW_BYTES: Final = 64 * 1024 * 1024
"""A row that is not over after so many bytes of XML is refused."""

BLOCK_BYTES: Final = 1024 * 1024
"""About so much XML is looked at together."""

_PREFIX: Final = re.compile(rb"<(?:([A-Za-z_][\w.-]*):)?worksheet[\s>]")
_ROW_END: Final = b"row>"
_IS_CLOSING: Final = re.compile(rb"</(?:[A-Za-z_][\w.-]*:)?\Z")
_PREFIX_BYTES: Final = 128
_ADDRESS: Final = re.compile(rb"""\br\s*=\s*["']([^"']*)["']""")
_REGULAR: Final = b'r="'
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
    """The used rectangle; rows count from 1 and columns from 0."""

    first_row: int = ROWS
    last_row: int = 0
    first_column: int = COLUMNS
    last_column: int = -1

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


def blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The XML, cut behind ends of rows."""
    rest: list[bytes] = []
    held = 0
    for piece in pieces:
        end = _end_of_rows(piece)
        if not end or held + end < BLOCK_BYTES:
            rest.append(piece)
            held += len(piece)
            if held > ROW_BYTES:
                raise invalid(f"a row is longer than {ROW_BYTES} bytes")
            continue
        yield b"".join((*rest, piece[:end]))
        rest, held = [piece[end:]], len(piece) - end
    yield b"".join(rest)


def _end_of_rows(piece: bytes) -> int:
    """Where the last row that ends in the piece does; 0 where none does."""
    at = piece.rfind(_ROW_END)
    while at >= 0 and not _IS_CLOSING.search(piece, max(0, at - _PREFIX_BYTES), at):
        at = piece.rfind(_ROW_END, 0, at)  # text, such as "arrow>"
    return at + len(_ROW_END) if at >= 0 else 0


def prefix_of(block: bytes) -> bytes:
    """What stands before the names of a sheet's elements, as in ``<x:row>``; its root is needed."""
    found = _PREFIX.search(block)
    return found.group(1) + b":" if found and found.group(1) else b""


class _Search:
    """Takes the blocks of one sheet in order."""

    def __init__(self, limits: Limits) -> None:
        self.extent = Extent()
        self._limits = limits
        self._open = b""
        self._close = b""

    def take(self, block: bytes) -> None:
        if not self._open:
            prefix = prefix_of(block)
            self._open, self._close = b"<" + prefix + b"c ", b"</" + prefix + b"row>"
        array, cells = self._cells(block)
        if not _are_regular(array, cells):
            block = self._written_regularly(block)
            array, cells = self._cells(block)
        if cells.size:
            columns, rows = _addresses(block, array, cells + len(_REGULAR))
            closes = (found.start() for found in re.finditer(re.escape(self._close), block))
            elements = np.fromiter(closes, np.int64).searchsorted(cells)
            self._check_order(rows, elements)
            self._widen(columns, rows)

    def _cells(self, block: bytes) -> tuple[Bytes, Numbers]:
        """The block as an array, and the places behind the beginnings of cells."""
        array = np.frombuffer(block, dtype=np.uint8)
        return array, find_all(array, self._open) + len(self._open)

    def _check_order(self, rows: Numbers, elements: Numbers) -> None:
        """Refuse a row that comes twice or too late: the library would put it over another one.

        ``elements``: the number of the element that each cell stands in.
        """
        steps = np.diff(rows)
        is_next = np.diff(elements) > 0
        if rows[0] <= self.extent.last_row or (steps[is_next] <= 0).any() or steps[~is_next].any():
            raise invalid("its rows are not in order")

    def _widen(self, columns: Numbers, rows: Numbers) -> None:
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

    def _written_regularly(self, block: bytes) -> bytes:
        """The first and the last cell of each row, and nothing else of it."""
        rows = [row for row in block.split(self._close) if self._open in row]
        written = []
        for number, row in enumerate(rows, start=self.extent.last_row + 1):
            ends = (row.find(self._open), row.rfind(self._open))
            first, last = (self._address(row, at) or b"A%d" % number for at in ends)
            for address in (first, last):
                written += [self._open, _REGULAR, address, b'">']
            written.append(self._close)
        return b"".join(written)

    def _address(self, row: bytes, at: int) -> bytes:
        """The address of the cell that begins there; empty where it has none."""
        found = _ADDRESS.search(row, at, row.find(b">", at))
        return found.group(1) if found else b""


def find_all(array: Bytes, needle: bytes) -> Numbers:
    """The offsets of all places where the needle stands; it does not overlap itself."""
    size = array.size - len(needle) + 1
    if size <= 0:
        return np.empty(0, dtype=np.int64)
    found = array[:size] == needle[0]
    for offset, byte in enumerate(needle[1:], start=1):
        found &= array[offset : offset + size] == byte
    return np.flatnonzero(found)


def _are_regular(array: Bytes, cells: Numbers) -> bool:
    """Whether all cells begin with their address, as all writers of workbooks have it."""
    return all(
        (array.take(cells + offset, mode="clip") == byte).all()
        for offset, byte in enumerate(_REGULAR)
    )


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
        begin = int(places[odd[0]])
        shown = block[begin : begin + _SHOWN_BYTES].partition(b'"')[0].decode(errors="replace")
        raise invalid(f"it has a cell at {shown!r}, of {COLUMNS} columns and {ROWS} rows")
    return columns - 1, rows


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


def invalid(reason: str) -> FileRefused:
    """The refusal of a sheet."""
    return file_refused("XLSX_INVALID", reason=reason)
