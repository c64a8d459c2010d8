"""CSV to JSON: an array of objects, or of arrays where there is no header. All values are text."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from waybill.transforms.csv_columns import (
    read_columns,
    read_filled_columns,
    regular_end,
    split_records,
)
from waybill.transforms.csv_scanning import (
    RECORD_CHARACTERS,
    CsvFault,
    CsvScanner,
    detect_delimiter,
)
from waybill.transforms.csv_window import CsvWindow
from waybill.transforms.rows_as_json import JsonArrayWriter, JsonLayout, JsonRows
from waybill.transforms.tool import PIECE_BYTES, Refused
from waybill.transforms.utf8 import empty_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Source, Target

_ROWS_BYTES: Final = 4 * PIECE_BYTES
"""Of what is written beside the values of rows that are made at once."""

_WIDTHS_KEPT: Final = 64
"""Of records without a header, whose layout is made once."""

_HEAD_BYTES: Final = 64 * 1024
"""Of the content, in which the delimiter is looked for."""


def csv_to_json(source: Source, target: Target, options: Options, limits: Limits) -> None:
    """CSV to a JSON array of objects, or of arrays where there is no header; values are texts.

    See ``convert_window``. Memory: some pieces, or some of a record.
    """
    convert_window(CsvWindow(source, line_bytes=limits.line_bytes), target, options, limits)


def convert_window(window: CsvWindow, target: Target, options: Options, limits: Limits) -> None:
    """All records to a JSON array: objects in the order of the header, or arrays without one.

    Blank lines are skipped; what a short record lacks is empty text.

    Raises:
        Refused: ``INVALID_ENCODING``; ``EMPTY_INPUT`` where there is no record; ``INVALID_CSV`` at
            a cell beyond those of the header, a name that stands there twice, text after a closing
            quote, a quote that is not closed, and NUL; ``PAYLOAD_TOO_LARGE`` at a cell beyond
            ``limits.columns``, a line or record that is too long; ``INVALID_OPTION`` of a delimiter
            that cannot be one.
    """
    _find_content(window)
    delimiter = _check_delimiter(options.delimiter or _detected_delimiter(window))
    too_many = f"A record has more than {limits.columns} cells (limits.columns)."
    scanner, keys = CsvScanner(delimiter, limits.columns, too_many), list[str]()
    if options.has_header:
        keys = _take_header(window, scanner)
        scanner = CsvScanner(delimiter, len(keys))
    converter = _Converter(target, JsonLayout(options.tab_space), scanner, keys)
    while window.text or not window.is_last:
        try:
            used = converter.take(window.text, is_last=window.is_last)
        except CsvFault as fault:
            raise window.refused_at(fault.offset, fault.excess) from None
        window.drop(used)
        if not used and not window.is_last:
            window.grow()
    converter.end()


def _find_content(window: CsvWindow) -> None:
    """Pass over the blank lines that lead."""
    while True:
        window.drop(len(window.text) - len(window.text.lstrip(b"\r\n")))
        if window.text:
            return
        if window.is_last:
            raise empty_input()
        window.grow()


def _detected_delimiter(window: CsvWindow) -> str:
    is_whole = window.is_last and len(window.text) <= _HEAD_BYTES
    return detect_delimiter(window.text[:_HEAD_BYTES].decode(errors="ignore"), is_whole=is_whole)


def _check_delimiter(delimiter: str) -> str:
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        message = "The delimiter must be one character, and no quote or line break."
        raise Refused(message, code="INVALID_OPTION")
    return delimiter


def _take_header(window: CsvWindow, scanner: CsvScanner) -> list[str]:
    """The names of the first record; the window begins behind it."""
    while True:
        text = window.text.decode()
        try:
            header = next(scanner.records(text, is_last=window.is_last), None)
        except CsvFault as fault:
            raise window.refused_at(_size(text, fault.offset), fault.excess) from None
        if header:
            break
        window.grow()
    seen = set[str]()
    for number, name in enumerate(header.cells):
        if name in seen:
            raise window.refused_at(_size(text, scanner.start_of_cell(text, number)))
        seen.add(name)
    window.drop(_size(text, header.end))
    return list(header.cells)


def _size(text: str, characters: int) -> int:
    """The bytes of so many characters of the text."""
    return len(text[:characters].encode())


class _Converter:
    """Writes the records of one text, given front to back. Offsets of ``CsvFault`` are in bytes."""

    def __init__(
        self, target: Target, layout: JsonLayout, scanner: CsvScanner, keys: Sequence[str]
    ) -> None:
        self._writer = JsonArrayWriter(target, layout)
        self._scanner = scanner
        self._width = len(keys)  # of all records where there are keys
        self._rows_of = lru_cache(_WIDTHS_KEPT)(partial(JsonRows, layout, keys))

    def take(self, text: bytes, *, is_last: bool) -> int:
        """Write the records that are whole; how many bytes they and their line ends have."""
        end = 0
        if len(text) <= RECORD_CHARACTERS:
            end = regular_end(text, self._scanner.delimiter, is_last=is_last)
        if not end or text.find(b"\0", 0, end) >= 0:
            return self._write_exactly(text, is_last=is_last)
        self._write_regular(text[:end])
        return end

    def end(self) -> None:
        """Write what closes the array."""
        self._writer.end()

    def _write_regular(self, text: bytes) -> None:
        delimiter = self._scanner.delimiter
        read = read_filled_columns if self._width else read_columns
        rows = self._rows_of(self._width or self._scanner.width(text.decode()))
        for begin, end in split_records(text, delimiter, max(1, _ROWS_BYTES // rows.row_bytes)):
            columns = read(text[begin:end], rows.width, delimiter)
            if columns:
                self._writer.write(rows.of_columns(columns))
            else:
                self._write_exactly(text[:end], begin, is_last=True)

    def _write_exactly(self, text: bytes, begin: int = 0, *, is_last: bool) -> int:
        """Write the whole records from ``begin`` on; the bytes to their end."""
        decoded = text[begin:].decode()
        rows, characters, end = list[str](), 0, 0
        try:
            for record in self._scanner.records(decoded, is_last=is_last):
                rows.append(self._row(record.cells))
                characters += len(rows[-1])
                end = record.end
                if characters > PIECE_BYTES:
                    self._writer.write("".join(rows).encode())
                    rows, characters = [], 0
        except CsvFault as fault:
            offset = begin + _size(decoded, fault.offset)
            raise CsvFault(offset, excess=fault.excess) from None
        if rows:
            self._writer.write("".join(rows).encode())
        return len(text) if is_last else begin + _size(decoded, end)

    def _row(self, cells: Sequence[str]) -> str:
        return self._rows_of(self._width or len(cells)).of_cells(cells)
