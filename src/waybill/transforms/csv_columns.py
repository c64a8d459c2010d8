"""CSV text whose quotes follow the rule, to columns: by arrays, without a look at each cell."""

from __future__ import annotations

from itertools import pairwise
from typing import IO, TYPE_CHECKING, Literal, cast

import pyarrow as pa
from pyarrow import csv

from waybill.transforms.places import line_breaks
from waybill.transforms.utf8 import BOM
from waybill.validation.record_index import find_line_ends, find_quotes, index_records, is_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from waybill.validation.record_index import Offsets

    Column = pa.Array[pa.StringScalar]


def regular_end(text: bytes, delimiter: str, *, is_last: bool) -> int:
    """How much of the text is whole records whose quotes mean what their parity says.

    0 where nothing is, or where only ``CsvScanner`` can tell. ``is_last``: the last record needs
    no line end.
    """
    if not delimiter.isascii():
        return 0
    quotes = _quotes_that_count(text, delimiter)
    end = _last_record_end(text, quotes, is_last=is_last)
    inside = quotes[: quotes.searchsorted(end)]
    return end if end and is_regular(text, inside, end, ord(delimiter)) else 0


def _quotes_that_count(text: bytes, delimiter: str) -> Offsets:
    """All quotes; none where no cell begins with one, for then all are data."""
    return find_quotes(text, len(text) if _has_quoted_cells(text, delimiter) else 0)


def _has_quoted_cells(text: bytes, delimiter: str) -> bool:
    edges = (delimiter.encode(), b"\n", b"\r")
    return b'"' in text and (text.startswith(b'"') or any(edge + b'"' in text for edge in edges))


def _last_record_end(text: bytes, quotes: Offsets, *, is_last: bool) -> int:
    if is_last and quotes.size % 2 == 0:
        return len(text)
    if not quotes.size:
        return _last_line_end(text)
    ends = find_line_ends(text[: _last_line_end(text)])
    outside = ends[quotes.searchsorted(ends) % 2 == 0]
    return int(outside[-1]) if outside.size else 0


def _last_line_end(text: bytes) -> int:
    """Behind the last line end that is certainly whole; 0 where none is."""
    feed = text.rfind(b"\n")
    lone = text.rfind(b"\r", feed + 1, len(text) - 1)  # the very last may be half of a CRLF
    return max(feed, lone) + 1


def split_records(text: bytes, delimiter: str, most_records: int) -> Iterator[tuple[int, int]]:
    """Begin and end of parts of regular text that have so many records at most, and one at least.

    What stands between them is blank lines.
    """
    begin = len(text) - len(text.lstrip(b"\r\n"))
    if line_breaks(text) < most_records:
        starts = [begin] if begin < len(text) else []
    else:
        index = index_records(text, _quotes_that_count(text, delimiter))
        starts = index.starts[::most_records].tolist()
    yield from pairwise([*starts, len(text)])


def read_columns(text: bytes, width: int, delimiter: str) -> Sequence[Column]:
    """The columns of regular text; none where a record does not have that many cells."""
    table, ragged = _parse(text, width, delimiter)
    return [] if ragged else _columns(table)


def read_filled_columns(text: bytes, width: int, delimiter: str) -> Sequence[Column]:
    """The columns of regular text, short records filled; none where a record is too long."""
    table, ragged = _parse(text, width, delimiter)
    if not ragged:
        return _columns(table)
    if any(cells > width for _, cells in ragged):
        return []
    missing = [(record, width - cells) for record, cells in ragged]
    return read_columns(_fill(text, missing, delimiter), width, delimiter)


def _columns(table: pa.Table) -> Sequence[Column]:
    return [cast("Column", column.combine_chunks()) for column in table.columns]


def _fill(text: bytes, missing: Sequence[tuple[int, int]], delimiter: str) -> bytes:
    """The text with so many further cells at the end of each of those records (from 0)."""
    index = index_records(text, _quotes_that_count(text, delimiter))
    starts = [*index.starts.tolist(), len(text)]
    parts, at = [], 0
    for record, cells in missing:
        begin, after = starts[record], starts[record + 1]
        end = begin + len(text[begin:after].rstrip(b"\r\n"))
        parts += [text[at:end], delimiter.encode() * cells]
        at = end
    return b"".join([*parts, text[at:]])


def _parse(text: bytes, width: int, delimiter: str) -> tuple[pa.Table, Sequence[tuple[int, int]]]:
    """The records of that width, and the numbers (from 0) and cells of all others."""
    names = [str(column) for column in range(width)]
    ragged: list[tuple[int, int]] = []

    def note(row: csv.InvalidRow) -> Literal["skip"]:
        ragged.append(((row.number or 0) - 1, row.actual_columns))  # numbered without threads
        return "skip"

    has_quotes = _has_quoted_cells(text, delimiter)
    guarded = b"\n" + text if text.startswith(BOM) else text  # here it is data
    table = csv.read_csv(
        cast("IO[bytes]", pa.BufferReader(guarded)),
        read_options=csv.ReadOptions(
            column_names=names, block_size=len(guarded) + 64, use_threads=False
        ),
        parse_options=csv.ParseOptions(
            delimiter=delimiter,
            quote_char='"' if has_quotes else False,
            newlines_in_values=has_quotes,
            invalid_row_handler=note,
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), check_utf8=False
        ),
    )
    return table, ragged
