"""CSV by the letter, after RFC 4180: slow, and exact about what is wrong and where.

A quote opens a cell only where the cell begins; elsewhere outside quotes it is data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from waybill.transforms.tool import PIECE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RECORD_CHARACTERS: Final = 3 * PIECE_BYTES
"""A quote that is still open after this much of a record is refused."""

_DELIMITERS: Final = ",;\t|"
_RECORDS_TO_COMPARE: Final = 10
_TOO_LONG: Final = f"A quote is not closed within {RECORD_CHARACTERS} characters of its record."
_QUOTED: Final = re.compile(r'"[^"]*"?')
_LINE_END: Final = re.compile(r"[\r\n]")
_LINE_ENDS: Final = re.compile(r"[\r\n]*")
_PLAIN_LINE: Final = re.compile(r'[^\r\n"\0]*')


class CsvFault(Exception):
    """No record can be read from here on.

    ``offset``: of the first wrong character. ``may_end``: it is a quote that later text may close.
    ``excess``: the limit that is met there, where it may be a record after all.
    """

    def __init__(self, offset: int, *, may_end: bool = False, excess: str = "") -> None:
        super().__init__(offset)
        self.excess = excess
        self.offset = offset
        self.may_end = may_end

    def is_certain(self, text: str) -> bool:
        """Whether it stands whatever comes behind the text; the rest of its line has been seen."""
        return not self.may_end and bool(_LINE_END.search(text, self.offset))


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRecord:
    """``end``: offset of what ends the record, or of the text's end."""

    cells: Sequence[str]
    end: int


class CsvScanner:
    """Takes records out of a text.

    ``most_cells``: that one may have. ``too_many``: what says so, where that is a limit.
    """

    def __init__(self, delimiter: str, most_cells: int, too_many: str = "") -> None:
        self.delimiter = delimiter
        self._most_cells = most_cells
        self._too_many = too_many
        self._plain = re.compile(rf"[^{re.escape(delimiter)}\r\n\0]*")

    def records(self, text: str, *, is_last: bool) -> Iterator[CsvRecord]:
        """All records that are whole: the last one only where the content ends with the text.

        Raises:
            CsvFault: too many cells, text after a closing quote, a quote that is not closed, NUL.
        """
        at = _end_of(_LINE_ENDS, text, 0)
        while at < len(text):
            try:
                record = self._scan(text, at)
            except CsvFault as fault:
                if is_last or fault.is_certain(text):
                    raise
                return
            if record.end == len(text) and not is_last:
                return
            yield record
            at = _end_of(_LINE_ENDS, text, record.end)

    def width(self, text: str) -> int:
        """The cells of the first record; as many as one may have where it has more."""
        try:
            first = next(self.records(text, is_last=True), None)
        except CsvFault:
            return self._most_cells
        return len(first.cells) if first else 1

    def start_of_cell(self, text: str, number: int) -> int:
        """Where that cell (from 0) of the first record begins."""
        cells = self._cells(text, _end_of(_LINE_ENDS, text, 0))
        return next(islice(cells, number, None))[1]

    def _scan(self, text: str, at: int) -> CsvRecord:
        """The record that begins there, be it whole or cut by the end of the text."""
        end = _end_of(_PLAIN_LINE, text, at)
        if not text.startswith(('"', "\0"), end):
            plain = text[at:end].split(self.delimiter)
            if len(plain) <= self._most_cells:
                return CsvRecord(cells=plain, end=end)
        cells = list[str]()
        for cell, _, cell_end in self._cells(text, at):
            cells.append(cell)
            end = cell_end
        return CsvRecord(cells=cells, end=end)

    def _cells(self, text: str, at: int) -> Iterator[tuple[str, int, int]]:
        """Each cell of the record that begins there, with its begin and end."""
        limit = at + RECORD_CHARACTERS
        for _ in range(self._most_cells):
            if text.startswith('"', at):
                cell, end = self._quoted(text, at, limit)
            else:
                end = self._end_of_plain(text, at)
                cell = text[at:end]
            yield cell, at, end
            if not text.startswith(self.delimiter, end):
                return
            at = end + 1
        raise CsvFault(at, excess=self._too_many)

    def _end_of_plain(self, text: str, at: int) -> int:
        end = _end_of(self._plain, text, at)
        if text.startswith("\0", end):
            raise CsvFault(end)
        return end

    def _quoted(self, text: str, at: int, limit: int) -> tuple[str, int]:
        """The content of a cell in quotes, and where the cell ends."""
        end = text.find('"', at + 1, limit)
        while end >= 0 and text.startswith('"', end + 1):
            end = text.find('"', end + 2, limit)
        if (nul := text.find("\0", at, limit if end < 0 else end)) >= 0:
            raise CsvFault(nul)
        if end < 0:
            excess = "" if len(text) < limit else _TOO_LONG
            raise CsvFault(at, may_end=not excess, excess=excess)
        content = text[at + 1 : end]
        end += 1
        if end < len(text) and text[end] not in ("\r", "\n", self.delimiter):
            raise CsvFault(end)
        return content.replace('""', '"'), end


def _end_of(run: re.Pattern[str], text: str, at: int) -> int:
    """Where the run of characters ends that begins there, which may be none."""
    found = run.match(text, at)
    return found.end() if found else at


def detect_delimiter(head: str, *, is_whole: bool) -> str:
    """The one of comma, semicolon, tab and bar that fits the first records best.

    It parts all of the first ten into as many cells, or else more of them than others do; where
    two do, tabs are it, for text seldom has any, else what the first line has more of. ``head``:
    how the text begins, of some size; ``is_whole``: nothing follows it.
    """
    outside = _LINE_END.split(_QUOTED.sub("", head.lstrip("\r\n")), maxsplit=1)[0]

    def fitness(delimiter: str) -> tuple[bool, bool, int, int]:
        widths = _first_widths(CsvScanner(delimiter, len(head) + 1), head, is_whole=is_whole)
        fitting = widths.count(widths[0]) if widths and widths[0] > 1 else 0
        fits_all = 0 < fitting == len(widths)
        return fits_all, fits_all and delimiter == "\t", fitting, outside.count(delimiter)

    return max(_DELIMITERS, key=fitness)


def _first_widths(scanner: CsvScanner, head: str, *, is_whole: bool) -> list[int]:
    """How many cells each of the first records has, 0 what is no record."""
    widths = list[int]()
    try:
        for record in islice(scanner.records(head, is_last=is_whole), _RECORDS_TO_COMPARE):
            widths.append(len(record.cells))
    except CsvFault:
        widths.append(0)
    return widths
