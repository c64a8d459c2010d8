"""A look over a sheet's XML before the library opens it, which lays out the whole rectangle.

A cell in the far corner costs the library half a terabyte, and a failed allocation ends the
process; so the rectangle is known, and refused, first. The first and the last cell of each row tell
it: cells out of order could hide, and meet the memory limit of the child instead. Cells that the
library would give as empty although they are not are found here too: errors and formulas that were
never calculated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from xlsxwriter.utility import xl_cell_to_rowcol

from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from waybill.errors import FileRefused
    from waybill.model.limits import Limits

ROWS: Final = 1_048_576
COLUMNS: Final = 16_384
ROW_BYTES: Final = 64 * 1024 * 1024
"""A row that is not over after so many bytes of XML is refused."""

_PREFIX: Final = re.compile(rb"<(?:([A-Za-z_][\w.-]*):)?worksheet[\s>]")
_DIGITS: Final = b"0123456789"
_ERROR: Final = re.compile(
    rb"""<(?:\w+:)?c\s([^>]*\bt\s*=\s*["']e["'][^>]*)>(.*?)</(?:\w+:)?c>""", re.DOTALL
)
_NOT_CALCULATED: Final = re.compile(
    rb"<(?:\w+:)?c\s([^>]*)>\s*<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_ADDRESS: Final = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})([0-9]{1,9})["']""")
_VALUE: Final = re.compile(rb"<(?:\w+:)?v>([^<]*)</(?:\w+:)?v>")


@dataclass(frozen=True, slots=True)
class OddCell:
    """A cell whose value cannot be read: an error, or a formula without a result."""

    column: int
    code: str
    value: str


@dataclass(slots=True)
class Extent:
    """The used rectangle, rows from 1 and columns from 0, and of odd cells the first by row."""

    first_row: int = ROWS
    last_row: int = 0
    first_column: int = COLUMNS
    last_column: int = -1
    odd: dict[int, OddCell] = field(default_factory=dict)

    @property
    def cells(self) -> int:
        """How many cells the rectangle has."""
        rows = max(0, self.last_row - self.first_row + 1)
        return rows * max(0, self.last_column - self.first_column + 1)


def scan_sheet(pieces: Iterable[bytes], limits: Limits) -> Extent:
    """The extent of a sheet whose XML comes in pieces.

    Raises:
        FileRefused: ``XLSX_INVALID``, ``TOO_MANY_COLUMNS`` or ``XLSX_AREA_LIMIT``.
    """
    scan = _Scan(limits)
    for block in _blocks(pieces):
        scan.take(block)
    return scan.extent


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The XML, cut behind ends of rows."""
    rest: list[bytes] = []
    held = 0
    for piece in pieces:
        end = piece.rfind(b"row>") + len(b"row>")
        if end < len(b"row>"):
            rest.append(piece)
            held += len(piece)
            if held > ROW_BYTES:
                raise _invalid(f"a row is longer than {ROW_BYTES} bytes")
            continue
        yield b"".join((*rest, piece[:end]))
        rest, held = [piece[end:]], len(piece) - end
    yield b"".join(rest)


class _Scan:
    """Takes the blocks of one sheet in order."""

    def __init__(self, limits: Limits) -> None:
        self.extent = Extent()
        self._limits = limits
        self._open = b"<c "
        self._close = b"</row>"
        self._row = 0

    def take(self, block: bytes) -> None:
        if not self._row:
            self._note_prefix(block)
        columns: set[bytes] = set()
        for row in block.split(self._close):
            self._take_row(row, columns)
        self._note_columns(columns)
        for code, pattern in (("CELL_ERROR", _ERROR), ("FORMULA_NOT_CALCULATED", _NOT_CALCULATED)):
            if code == "CELL_ERROR" or b"<f" in block or b":f" in block:
                self._note_odd(code, pattern, block)
        self._check()

    def _note_prefix(self, block: bytes) -> None:
        """Sheets may be written with a prefix: ``<x:row>``."""
        found = _PREFIX.search(block)
        if found and found.group(1):
            self._open = b"<" + found.group(1) + b":c "
            self._close = b"</" + found.group(1) + b":row>"

    def _take_row(self, row: bytes, columns: set[bytes]) -> None:
        """Note the first and the last cell of a row."""
        last = row.rfind(self._open)
        if last < 0:
            return
        first = row.find(self._open)
        letters, number = self._address(row, last)
        columns.add(letters)
        if first != last:
            columns.add(self._address(row, first)[0])
        self._row = number
        extent = self.extent
        extent.first_row = min(extent.first_row, number)
        extent.last_row = max(extent.last_row, number)

    def _address(self, row: bytes, at: int) -> tuple[bytes, int]:
        """Letters and row of the cell that begins there."""
        begin = at + len(self._open)
        if row.startswith(b'r="', begin):
            address = row[begin + 3 : row.find(b'"', begin + 3)]
            letters = address.rstrip(_DIGITS)
            digits = address[len(letters) :]
        else:
            found = _ADDRESS.search(row, begin, row.find(b">", begin))
            letters, digits = found.groups() if found else (b"A", b"%d" % (self._row + 1))
        if not digits or len(digits) > len(str(ROWS)) or not 1 <= int(digits) <= ROWS:
            raise _invalid(f"it has a cell in row {digits[:20].decode()}, beyond {ROWS}")
        return letters, int(digits)

    def _note_columns(self, columns: set[bytes]) -> None:
        for letters in columns:
            if not letters.isalpha() or not letters.isupper() or len(letters) > 3:  # noqa: PLR2004 - XFD is the last
                raise _invalid(f"it has a cell in the column {letters[:20]!r}")
            _, column = xl_cell_to_rowcol(letters.decode() + "1")
            if column >= COLUMNS:
                raise _invalid(f"it has a cell in the column {letters.decode()}, beyond XFD")
            self.extent.first_column = min(self.extent.first_column, column)
            self.extent.last_column = max(self.extent.last_column, column)

    def _note_odd(self, code: str, pattern: re.Pattern[bytes], block: bytes) -> None:
        if code == "CELL_ERROR" and b't="e"' not in block and b"t='e'" not in block:
            return
        for found in pattern.finditer(block):
            place = _ADDRESS.search(found.group(1))
            if place is None:
                raise _invalid("it has a cell without an address")
            letters, digits = place.groups()
            value = _VALUE.search(found.group(0))
            text = value.group(1).decode(errors="replace") if value else ""
            _, column = xl_cell_to_rowcol(letters.decode() + "1")
            known = self.extent.odd.get(int(digits))
            if known is None or column < known.column:
                self.extent.odd[int(digits)] = OddCell(column, code, text)

    def _check(self) -> None:
        extent, limits = self.extent, self._limits
        if extent.last_column - extent.first_column >= limits.columns:
            raise file_refused("TOO_MANY_COLUMNS", allowed=limits.columns)
        if extent.cells > limits.xlsx_cells:
            rows = extent.last_row - extent.first_row + 1
            columns = extent.last_column - extent.first_column + 1
            raise file_refused(
                "XLSX_AREA_LIMIT",
                rows=rows,
                columns=columns,
                limit="xlsx_cells",
                allowed=limits.xlsx_cells,
            )


def _invalid(reason: str) -> FileRefused:
    return file_refused("XLSX_INVALID", reason=reason)
