"""From a slice of CSV text to a table of raw cells, and the records that cannot be in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from waybill.formats.csv_exact import join_record, split_record
from waybill.formats.slice_records import find_faults, marks_of, record_bytes
from waybill.ports.reader import MalformedRecord, RawChunk
from waybill.validation.codes import make_finding
from waybill.validation.formula import unescape, unescape_column
from waybill.validation.record_index import ChunkPositions
from waybill.validation.text_traits import traits_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from waybill.formats.slices import Slice
    from waybill.model.finding import Finding
    from waybill.validation.record_index import Offsets

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvShape:
    """What every slice of one file shares.

    ``columns``: of the header as it stands in the file. ``twice``: places of a column that stands
    there twice, and its ``repeated_name``; records may leave out the second, and the chunk has the
    first alone. ``encoding``: the name shown in findings.
    """

    columns: int
    delimiter: str
    escaped: bool
    encoding: str = "UTF-8"
    twice: tuple[int, int] | None = None
    repeated_name: str = ""

    @property
    def widths(self) -> tuple[int, ...]:
        """How many cells a record may have."""
        return (self.columns,) if self.twice is None else (self.columns, self.columns - 1)


def parse_slice(piece: Slice, shape: CsvShape) -> RawChunk:
    """The chunk of a slice. Memory: the table, and once more the text where quotes are odd."""
    return _SliceParser(piece, shape).chunk()


class _SliceParser:
    """One slice being parsed; records are counted from 0 in the slice here."""

    def __init__(self, piece: Slice, shape: CsvShape) -> None:
        self._piece = piece
        self._shape = shape
        may_hold_blanks = shape.escaped or piece.layout.has_neighbours
        self._traits = traits_of(piece.text, has_blanks=may_hold_blanks)
        self._faults = {} if self._traits.is_ascii else find_faults(piece)
        self._differing = frozenset[int]()
        self._broken = frozenset(piece.index.records_at(piece.layout.broken).tolist())
        self._positions = ChunkPositions(
            index=piece.index,
            first_record=piece.start.record + 1,
            first_line=piece.start.line,
            first_byte=piece.start.byte,
        )

    def chunk(self) -> RawChunk:
        piece = self._piece
        kept = self._kept_records()
        table, ragged = parse_table(self._regular_text(kept), self._shape)
        wrong, right = kept[ragged], np.delete(kept, ragged)
        if table.num_rows != right.size:
            raise RuntimeError("the parser and the record index differ")
        if self._shape.twice is not None:
            table, right, wrong = self._with_one_of_two(table, right, wrong)
        numbers = right + self._positions.first_record
        malformed = sorted({*self._faults, *self._broken, *wrong.tolist()})
        return RawChunk(
            ordinal=piece.ordinal,
            first_record=self._positions.first_record,
            records=piece.index.records,
            table=self._unescape(table),
            record_numbers=numbers,
            malformed=self._describe(malformed),
            positions=self._positions,
            marks=marks_of(piece, self._positions),
            input_bytes=piece.input_bytes,
            traits=self._traits,
        )

    def _with_one_of_two(
        self, table: pa.Table, right: Offsets, wrong: Offsets
    ) -> tuple[pa.Table, Offsets, Offsets]:
        """The rows without the second of two columns, those that left it out among them.

        Gives their records, and those that are no rows: of another width, or with two values.
        """
        first, second = self._shape.twice or (0, 0)
        differ = have_two_values(table, first, second)
        self._differing = frozenset(right[differ].tolist())
        narrow = replace(self._shape, columns=self._shape.columns - 1, twice=None)
        short, ragged = parse_table(self._regular_text(wrong), narrow)
        kept = [table.remove_column(second).filter(pa.array(~differ)), short]
        rows = pa.concat_tables(each.rename_columns(short.column_names) for each in kept)
        records = np.concatenate([right[~differ], np.delete(wrong, ragged)])
        order = np.argsort(records)
        malformed = np.concatenate([right[differ], wrong[ragged]])
        return rows.take(order), records[order], malformed

    def _kept_records(self) -> Offsets:
        """The records that the parser is to see."""
        everything = np.arange(self._piece.index.records, dtype=np.int64)
        if not (self._faults or self._broken):
            return everything
        left_out = np.array(sorted({*self._faults, *self._broken}), dtype=np.int64)
        return np.delete(everything, left_out)

    def _regular_text(self, kept: Offsets) -> bytes:
        """The text of those records, each following the quote rule."""
        piece = self._piece
        if piece.layout.is_regular and kept.size == piece.index.records:
            return piece.text
        bare = frozenset(piece.index.records_at(piece.layout.bare).tolist())
        return b"".join(self._pieces(kept.tolist(), bare))

    def _pieces(self, kept: Sequence[int], bare: frozenset[int]) -> Iterator[bytes]:
        """The kept records in order, runs of untouched ones together."""
        text, bounds = self._piece.text, self._bounds()
        run_begin = run_end = 0
        for record in kept:
            begin, end = bounds[record], bounds[record + 1]
            if begin == run_end and record not in bare:
                run_end = end
                continue
            yield text[run_begin:run_end]
            run_begin = run_end = end
            if record in bare:
                yield join_record(self._cells(record), self._shape.delimiter).encode()
            else:
                run_begin = begin
        yield text[run_begin:run_end]

    def _bounds(self) -> Sequence[int]:
        return [*self._piece.index.starts.tolist(), len(self._piece.text)]

    def _cells(self, record: int) -> tuple[str | None, ...]:
        raw = record_bytes(self._piece, record)
        return split_record(raw.decode(errors="backslashreplace"), self._shape.delimiter)

    def _unescape(self, table: pa.Table) -> pa.Table:
        if not self._shape.escaped or b"'" not in self._piece.text:
            return table
        columns = [unescape_column(column) for column in table.columns]
        return pa.Table.from_arrays(columns, names=table.column_names)

    def _describe(self, records: Sequence[int]) -> Sequence[MalformedRecord]:
        numbers = [self._positions.first_record + record for record in records]
        places = self._positions.locate(numbers)
        return [
            self._malformed(record, number, line, byte)
            for record, number, (line, byte) in zip(records, numbers, places, strict=True)
        ]

    def _malformed(self, record: int, number: int, line: int, byte: int) -> MalformedRecord:
        cells = self._cells(record)
        if self._shape.escaped:
            cells = tuple(cell and unescape(cell) for cell in cells)
        findings = tuple(self._findings(record, cells))
        if self._shape.twice is not None and len(cells) == self._shape.columns:
            second = self._shape.twice[1]
            cells = (*cells[:second], *cells[second + 1 :], cells[second])
        return MalformedRecord(record=number, line=line, byte=byte, cells=cells, findings=findings)

    def _findings(self, record: int, cells: Sequence[str | None]) -> Iterator[Finding]:
        if record in self._faults:
            offset = self._faults[record]
            yield make_finding(
                "ENCODING_INVALID",
                offset=self._positions.first_byte + offset,
                encoding=self._shape.encoding,
            )
        if record in self._broken:
            yield make_finding("QUOTE_INVALID")
        if record in self._differing:
            yield make_finding("REPEATED_COLUMN", name=self._shape.repeated_name)
        if len(cells) not in self._shape.widths:
            yield _field_count(len(cells), self._shape.columns)


def have_two_values(table: pa.Table, first: int, second: int) -> np.ndarray:
    """Which rows have a value in the second column that is not that of the first."""
    one, two = (_trimmed(table.column(place)) for place in (first, second))
    has_second: Any = pc.not_equal(two, pa.scalar(""))
    differ: np.ndarray = pc.and_(has_second, pc.not_equal(one, two)).to_numpy()
    return differ


def _trimmed(cells: pa.ChunkedArray[pa.StringScalar]) -> pa.ChunkedArray[pa.StringScalar]:
    """The cells without outer white space, missing ones as empty text."""
    filled: Any = pc.fill_null(cells, pa.scalar(""))
    trimmed: pa.ChunkedArray[pa.StringScalar] = pc.utf8_trim_whitespace(filled)
    return trimmed


@lru_cache(maxsize=256)  # a file with one such record often has thousands
def _field_count(found: int, expected: int) -> Finding:
    return make_finding("FIELD_COUNT", found=found, expected_count=expected)


def parse_table(text: bytes, shape: CsvShape) -> tuple[pa.Table, list[int]]:
    """The rows of a text that follows the quote rule, and which rows (from 0) were ragged.

    All columns are text; an empty unquoted cell is null, a quoted one is empty.
    """
    names = [f"c{column}" for column in range(shape.columns)]
    ragged: list[int] = []

    def note(row: csv.InvalidRow) -> Literal["skip"]:
        ragged.append((row.number or 0) - 1)  # always numbered without threads
        return "skip"

    if not text:
        return pa.table({name: pa.array([], pa.string()) for name in names}), ragged
    has_quotes = b'"' in text
    table = csv.read_csv(
        cast("IO[bytes]", pa.BufferReader(_guarded(text))),
        read_options=csv.ReadOptions(
            column_names=names, block_size=len(text) + 64, use_threads=False
        ),
        parse_options=csv.ParseOptions(
            delimiter=shape.delimiter,
            quote_char='"' if has_quotes else False,
            newlines_in_values=has_quotes,
            invalid_row_handler=note,
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            check_utf8=False,  # checked before, for the whole text at once
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    return table, ragged


def _guarded(text: bytes) -> bytes:
    """The text without two traps of the parser; copied only where it would step into one.

    It takes a BOM at the beginning for its own, which here is data: a blank line goes before. It
    reads an empty cell at the end of a last line without newline as quoted where the cell before
    is: a newline is added.
    """
    if text.startswith(_BOM):
        text = b"\n" + text
    return text if text.endswith((b"\n", b"\r")) else text + b"\n"
