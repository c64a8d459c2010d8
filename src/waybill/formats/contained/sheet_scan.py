"""A look over a sheet's XML before the library opens it, which lays out the whole rectangle.

A cell in the far corner costs the library half a terabyte, and a failed allocation ends the
process; so the rectangle is known, and refused, first. The first and the last cell of each row tell
it: cells out of order could hide, and meet the memory limit of the child instead. Cells that the
library would give as empty although they are not are found here too: errors and formulas that were
never calculated. A formula whose result is an empty text has the type ``str`` and was calculated.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, field
from operator import lt
from typing import TYPE_CHECKING, Final

from xlsxwriter.utility import xl_cell_to_rowcol

from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from waybill.errors import FileRefused
    from waybill.model.limits import Limits

ROWS: Final = 1_048_576
COLUMNS: Final = 16_384
ROW_BYTES: Final = 64 * 1024 * 1024
"""A row that is not over after so many bytes of XML is refused."""

_PREFIX: Final = re.compile(rb"<(?:([A-Za-z_][\w.-]*):)?worksheet[\s>]")
_DIGITS: Final = b"0123456789"
_CAPITALS: Final = string.ascii_uppercase.encode()
_LETTERS_OF_COLUMN: Final = 3
_HAS_ERROR: Final = re.compile(rb"""\st\s*=\s*["']e["']""")
_LONGEST: Final = 24
"""More than the longest address there can be, so that a longer one is seen to be none."""
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
_ADDRESS: Final = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})([0-9]{1,9})["']""")
_VALUE: Final = re.compile(rb"<(?:\w+:)?v\s*>([^<]*)</")


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
        self._formula = b"<f"
        self._has_begun = False
        self._tables = 0

    def take(self, block: bytes) -> None:
        if not self._has_begun:
            self._note_prefix(block)
        rows = [row for row in block.split(self._close) if self._open in row]
        if rows:
            self._has_begun = True
            self._measure(self._ends_of(rows))
        self._check_tables(block)
        if _NO_INDEX.search(block):  # the library would take the first string
            raise _invalid("it has a cell whose shared string has no number")
        if (b'"e"' in block or b"'e'" in block) and _HAS_ERROR.search(block):
            self._note_odd("CELL_ERROR", _ERROR, block)
        if self._formula in block:
            self._note_odd("FORMULA_NOT_CALCULATED", _NOT_CALCULATED, block)
        self._check()

    def _check_tables(self, block: bytes) -> None:
        """Refuse a second table of cells: the library reads the first only."""
        if b"sheetData" in block:
            self._tables += len(_TABLE.findall(block))
            if self._tables > 1:
                raise _invalid("it has more than one table of cells")

    def _note_prefix(self, block: bytes) -> None:
        """Sheets may be written with a prefix: ``<x:row>``."""
        found = _PREFIX.search(block)
        prefix = found.group(1) + b":" if found and found.group(1) else b""
        self._open = b"<" + prefix + b"c "
        self._close = b"</" + prefix + b"row>"
        self._formula = b"<" + prefix + b"f"

    def _ends_of(self, rows: Sequence[bytes]) -> list[bytes]:
        """The addresses of the first and the last cell of each row."""
        opening = self._open + b'r="'
        firsts = [row.find(self._open) for row in rows]
        lasts = [row.rfind(self._open) for row in rows]
        places = [*zip(rows, firsts, strict=True), *zip(rows, lasts, strict=True)]
        if not all(row.startswith(opening, at) for row, at in places):
            return [self._address(row, at) for row, at in places]
        begin, end = len(opening), len(opening) + _LONGEST
        found = [row[at + begin : at + end].partition(b'"')[0] for row, at in places]
        self._check_order(found[len(rows) :])
        return found

    def _check_order(self, addresses: Sequence[bytes]) -> None:
        """Refuse a row that comes twice or too late: the library would put it over another one."""
        digits = b",".join(addresses).translate(None, _CAPITALS).split(b",")
        rows = [self.extent.last_row, *(int(each) for each in digits if each.isdigit())]
        if not all(map(lt, rows, rows[1:])):
            raise _invalid("its rows are not in order")

    def _address(self, row: bytes, at: int) -> bytes:
        """The address of the cell that begins there, such as ``B7``."""
        begin = at + len(self._open)
        if row.startswith(b'r="', begin):
            return row[begin + 3 : row.find(b'"', begin + 3)]
        found = _ADDRESS.search(row, begin, row.find(b">", begin))
        if found is None:  # it follows the one before, in the row after the one before
            return b"A%d" % (self.extent.last_row + 1)
        return b"".join(found.groups())

    def _measure(self, addresses: Sequence[bytes]) -> None:
        """Widen the extent by cells."""
        text = b",".join(addresses)
        extent = self.extent
        for letters in set(text.translate(None, _DIGITS).split(b",")):
            column = _column_of(letters)
            extent.first_column = min(extent.first_column, column)
            extent.last_column = max(extent.last_column, column)
        numbers = set(text.translate(None, _CAPITALS).split(b","))
        rows = [_row_of(min(numbers, key=_magnitude)), _row_of(max(numbers, key=_magnitude))]
        extent.first_row = min(extent.first_row, *rows)
        extent.last_row = max(extent.last_row, *rows)

    def _note_odd(self, code: str, pattern: re.Pattern[bytes], block: bytes) -> None:
        for found in pattern.finditer(block):
            place = _ADDRESS.search(found.group(1))
            if place is None:
                raise _invalid("it has a cell without an address")
            letters, digits = place.groups()
            value = _VALUE.search(found.group(0))
            text = value.group(1).decode(errors="replace") if value else ""
            column = _column_of(letters)
            known = self.extent.odd.get(int(digits))
            if known is None or column < known.column:
                self.extent.odd[int(digits)] = OddCell(column, code, text)

    def _check(self) -> None:
        extent, limits = self.extent, self._limits
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
        if extent.last_column - extent.first_column >= limits.columns:
            raise file_refused("TOO_MANY_COLUMNS", allowed=limits.columns)


def _magnitude(digits: bytes) -> tuple[int, bytes]:
    """Orders numbers without reading them."""
    return len(digits), digits


def _row_of(digits: bytes) -> int:
    """The row that the digits of an address say."""
    if not digits.isdigit() or len(digits) > len(str(ROWS)) or not 1 <= int(digits) <= ROWS:
        raise _invalid(f"it has a cell in row {digits[:20].decode(errors='replace')!r}, of {ROWS}")
    return int(digits)


def _column_of(letters: bytes) -> int:
    """The column, from 0, that the letters of an address say."""
    is_one = letters.isalpha() and letters.isupper() and len(letters) <= _LETTERS_OF_COLUMN
    _, column = xl_cell_to_rowcol(letters.decode() + "1") if is_one else (0, COLUMNS)
    if column >= COLUMNS:
        raise _invalid(f"it has a cell in column {letters[:20].decode(errors='replace')!r}")
    return int(column)


def _invalid(reason: str) -> FileRefused:
    return file_refused("XLSX_INVALID", reason=reason)
