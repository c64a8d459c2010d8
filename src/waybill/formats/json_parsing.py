"""JSON records, from lines or from an array: each object becomes one row of raw, typed cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from waybill.errors import ColumnsGrew
from waybill.formats.json_judging import judge, with_value
from waybill.formats.json_members import split_members
from waybill.formats.json_nested import NestedColumn, filled
from waybill.formats.slice_records import marks_of, record_bytes
from waybill.ports.reader import MalformedRecord, RawChunk
from waybill.validation.codes import make_finding
from waybill.validation.json_structure import find_unicode_escapes
from waybill.validation.kinds import letters_of
from waybill.validation.record_index import ChunkPositions
from waybill.validation.text_traits import traits_of_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from waybill.formats.json_members import Members
    from waybill.formats.json_nested import Cells
    from waybill.formats.slices import Slice
    from waybill.model.finding import Finding
    from waybill.ports.reader import Places

    ShownCells = tuple[tuple[str | None, ...], str]


def names_in(piece: Slice, depth: int) -> tuple[str, ...]:
    """The names of all members of the good records of a slice, as they appear."""
    good = judge(piece, depth)
    return (
        tuple(split_members(good.text, good.structure).columns.names) if good.records.size else ()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordParser:
    """Makes chunks of slices; ``names`` are the columns, in their order.

    ``encoding``: the name shown in findings. ``depth``: as in ``judge``. ``nested``: columns that
    members of members fill. ``twins``: members that fill a column under another name. Raises
    ``ColumnsGrew`` for a member that is none of the columns.
    """

    names: tuple[str, ...]
    encoding: str
    depth: int
    nested: tuple[NestedColumn, ...] = ()
    twins: Mapping[str, str] = field(default_factory=dict)
    places: Places | None = None

    def parse(self, piece: Slice) -> RawChunk:
        """The chunk of a slice."""
        judged = judge(piece, self.depth)
        faults = {**judged.faults, **self._bad_bytes(piece, judged.bad_bytes)}
        kept, table = judged.records, self._empty()
        known: dict[int, ShownCells] = {}
        if kept.size:
            members = split_members(judged.text, judged.structure)
            self._refuse_strangers(members)
            twins = self._twins_in(members)
            cells = members.cells((*self.names, *(twin.steps[0] for twin in twins)))
            nested = filled(cells, (*twins, *self.nested))
            table = self._rows(nested.cells)
            twice = {row: make_finding("DUPLICATE_KEY") for row in members.repeated.tolist()}
            bad = {**nested.faults, **twice}
            if bad:
                known = {int(kept[row]): cells for row, cells in self._shown(table, list(bad))}
                faults |= {int(kept[row]): finding for row, finding in bad.items()}
                table = table.filter(pa.array(~np.isin(np.arange(kept.size), list(bad))))
                kept = np.delete(kept, list(bad))
        escapes = find_unicode_escapes(judged.text, judged.structure.backslashes)
        first = piece.start.record + 1
        positions = ChunkPositions(
            index=piece.index,
            first_record=first,
            first_line=piece.start.line,
            first_byte=piece.start.byte,
        )
        return RawChunk(
            ordinal=piece.ordinal,
            first_record=first,
            records=piece.index.records,
            table=table,
            record_numbers=kept + first,
            malformed=self._malformed(piece, positions, faults, known),
            positions=positions,
            marks=marks_of(piece, positions),
            input_bytes=piece.input_bytes,
            traits=traits_of_json(piece.text, has_escapes=bool(escapes.size)),
            places=self.places,
        )

    def _twins_in(self, members: Members) -> Sequence[NestedColumn]:
        """What fills columns under other names in these records."""
        return [
            NestedColumn(steps=(name,), name=self.twins[name])
            for name in members.columns.names
            if name in self.twins
        ]

    def _refuse_strangers(self, members: Members) -> None:
        strangers = set(members.columns.names) - {*self.names, *self.twins}
        if strangers:
            raise ColumnsGrew(f"the records have further members: {', '.join(sorted(strangers))}")

    def _bad_bytes(self, piece: Slice, found: Mapping[int, int]) -> dict[int, Finding]:
        return {
            record: make_finding(
                "ENCODING_INVALID", offset=piece.start.byte + offset, encoding=self.encoding
            )
            for record, offset in found.items()
        }

    def _empty(self) -> pa.Table:
        columns = range(len(self.names))
        texts: dict[str, Any] = {f"c{index}": pa.array([], pa.string()) for index in columns}
        kinds: dict[str, Any] = {f"k{index}": pa.array([], pa.uint8()) for index in columns}
        return pa.table({**texts, **kinds})

    def _rows(self, cells: Mapping[str, Cells]) -> pa.Table:
        texts = {f"c{index}": cells[name][0] for index, name in enumerate(self.names)}
        kinds = {f"k{index}": cells[name][1] for index, name in enumerate(self.names)}
        return pa.table({**texts, **kinds})

    def _shown(self, table: pa.Table, rows: Sequence[int]) -> Iterator[tuple[int, ShownCells]]:
        """Of each of these rows its cells and their kinds, for reports."""
        taken, width = table.take(pa.array(rows)), len(self.names)
        cells = zip(*(column.to_pylist() for column in taken.columns[:width]), strict=True)
        return zip(rows, zip(cells, letters_of(taken, width), strict=True), strict=True)

    def _malformed(
        self,
        piece: Slice,
        positions: ChunkPositions,
        faults: Mapping[int, Finding],
        known: Mapping[int, ShownCells],
    ) -> Sequence[MalformedRecord]:
        records, nothing = sorted(faults), ((None,) * len(self.names), "")
        places = positions.locate([positions.first_record + record for record in records])
        return [
            MalformedRecord(
                record=positions.first_record + record,
                line=line,
                byte=byte,
                cells=known.get(record, nothing)[0],
                kinds=known.get(record, nothing)[1],
                findings=(with_value(faults[record], record_bytes(piece, record)),),
            )
            for record, (line, byte) in zip(records, places, strict=True)
        ]
