"""The records that a job's sink took, read again from the input, where alone their cells are.

Each has ``_record`` and ``_outcome`` first, then the columns of the file. Cells are given as they
came, or as the values that their fields made of them. Secrets are masked in every form.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from itertools import compress, repeat
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.engine.job_files import column_map_of, columns_of, entity_of, open_input
from waybill.engine.runs.applying import OUTCOME_NAMES
from waybill.engine.runs.cells import MASK
from waybill.errors import ValueNotRepresentable
from waybill.model.options import AbsentMembers
from waybill.ports.reader import Kind
from waybill.ports.sink import RECORD, REFUSED
from waybill.reports.layout import lay_out
from waybill.validation.typed_cells import CellTyper, arrow_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from waybill.engine.report_parts import ReportParts
    from waybill.model.entity import Entity
    from waybill.model.job import Job
    from waybill.ports.reader import Positions, RawChunk, Reader
    from waybill.ports.sink import ChunkResult
    from waybill.reports.rows import Cell
    from waybill.validation.typed_cells import TypedCells

_OUTCOME: Final = "_outcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """The accepted records of one chunk; ``rows``: raw cells as in ``ports/reader.py``."""

    records: np.ndarray
    outcomes: list[str]
    rows: pa.Table
    positions: Positions

    @property
    def lines(self) -> Iterator[int]:
        """The first physical line of each record."""
        return (line for line, _ in self.positions.locate(self.records.tolist()))

    def with_own(self, columns: Sequence[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
        """The rows of these columns, each after its record and outcome."""
        return zip(self.records.tolist(), self.outcomes, *columns, strict=True)

    def present(self, places: Sequence[int]) -> Iterator[Sequence[bool]]:
        """Of each record, which of the columns at these places it has; of a table, all."""
        kinds = [f"k{place}" for place in places]
        if not set(kinds) <= set(self.rows.column_names):
            return repeat((True,) * len(places), len(self.outcomes))
        columns = (self.rows.column(kind).to_pylist() for kind in kinds)
        return zip(*([kind != Kind.ABSENT for kind in column] for column in columns), strict=True)


class AcceptedRecords:
    """The accepted records of one job in input order; memory is a few chunks."""

    def __init__(self, parts: ReportParts, job: Job) -> None:
        self._parts = parts
        self._job = job
        self._entity = entity_of(job)
        header = columns_of(job)
        self._layout = lay_out(header)
        columns = column_map_of(job, self._entity) if self._entity else None
        self._hidden = columns.hidden if columns else frozenset[int]()
        shown = frozenset(self._layout.kept) - self._hidden
        bound = columns.bound if columns else ()
        self._fields = [each for each in bound if each.index in shown]
        self.names: Sequence[str] = (RECORD, _OUTCOME, *self._layout.columns)

    @property
    def schema(self) -> pa.Schema:
        """The columns of ``tables``: declared fields in their types, any other as text."""
        types = {bound.index: arrow_type(bound.field) for bound in self._fields}
        columns = [types.get(place, pa.string()) for place in self._layout.kept]
        return pa.schema(zip(self.names, (pa.int64(), pa.string(), *columns), strict=True))

    def cells(self) -> Iterator[Sequence[Cell]]:
        """The records with their cells as they came."""
        for chunk in self._raw_chunks():
            yield from chunk.with_own(self._raw_cells(chunk))

    def with_lines(self) -> Iterator[tuple[int, int, str, Sequence[str | None]]]:
        """Of each record its number, line, outcome and the cells of ``names`` behind the first two.

        Secrets are masked.
        """
        for chunk in self._raw_chunks():
            columns = zip(*self._raw_cells(chunk), strict=True)
            yield from zip(
                chunk.records.tolist(), chunk.lines, chunk.outcomes, columns, strict=True
            )

    def objects(self) -> Iterator[Mapping[str, Cell]]:
        """The same by name; where absent members keep what is stored, without what they lack."""
        keeps_absent = self._job.options.absent_members is AbsentMembers.KEEP
        for chunk in self._raw_chunks():
            rows = chunk.with_own(self._raw_cells(chunk))
            if not keeps_absent:
                yield from (dict(zip(self.names, row, strict=True)) for row in rows)
                continue
            for row, has in zip(rows, chunk.present(self._layout.kept), strict=True):
                yield dict(compress(zip(self.names, row, strict=True), (True, True, *has)))

    def values(self) -> Iterator[Sequence[Cell]]:
        """The records with their values; where a value says less than its cell, the cell."""
        for chunk, typed in self._typed_chunks(as_written=True):
            columns = [self._values(chunk, typed, place) for place in self._layout.kept]
            yield from chunk.with_own(columns)

    def tables(self) -> Iterator[pa.Table]:
        """The records as tables of ``schema``.

        Raises:
            ValueNotRepresentable: a time is finer than its column.
        """
        schema = self.schema
        for chunk, typed in self._typed_chunks(as_written=False):
            self._refuse_fine(chunk, typed)
            columns = [
                typed.columns[place] if place in typed.columns else self._raw(chunk, place)
                for place in self._layout.kept
            ]
            yield pa.table([pa.array(chunk.records), chunk.outcomes, *columns], schema=schema)

    def _raw_chunks(self) -> Iterator[_Chunk]:
        if self._entity is None or not self._job.counts.applied:
            return
        with closing(open_input(self._parts, self._job, self._entity)) as reader:
            yield from self._chunks(reader, self._entity)

    def _raw_cells(self, chunk: _Chunk) -> list[Sequence[str | None]]:
        return [self._raw(chunk, place).to_pylist() for place in self._layout.kept]

    def _typed_chunks(self, *, as_written: bool) -> Iterator[tuple[_Chunk, TypedCells]]:
        if self._entity is None or not self._job.counts.applied:
            return
        sandbox = self._parts.sandbox()
        with (
            closing(open_input(self._parts, self._job, self._entity)) as reader,
            closing(
                CellTyper(self._fields, reader.header, sandbox, as_written=as_written)
            ) as typer,
        ):
            for chunk in self._chunks(reader, self._entity):
                yield chunk, typer.values(chunk.rows)

    def _chunks(self, reader: Reader, entity: Entity) -> Iterator[_Chunk]:
        """What was applied; behind that the input may be one that cannot be read on."""
        results = iter(self._parts.sink_for(entity).results(self._job.id))
        result = next(results, None)
        with closing(reader.map_chunks(lambda raw: raw)) as chunks:
            while result is not None and (raw := next(chunks, None)) is not None:
                if result.chunk == raw.ordinal:
                    yield _accepted_of(raw, result)
                    result = next(results, None)

    def _raw(self, chunk: _Chunk, place: int) -> pa.ChunkedArray[pa.StringScalar]:
        cells = chunk.rows.column(f"c{place}")
        if place not in self._hidden:
            return cells
        masked: pa.ChunkedArray[pa.StringScalar] = pc.if_else(pc.is_valid(cells), MASK, cells)
        return masked

    def _values(self, chunk: _Chunk, typed: TypedCells, place: int) -> Sequence[Cell]:
        cells = self._raw(chunk, place).to_pylist()
        column: Any = typed.columns.get(place)  # the stubs know no values of columns of any type
        if column is None:
            return cells
        pairs = zip(column.to_pylist(), cells, strict=True)
        return [cell if value is None else value for value, cell in pairs]

    def _refuse_fine(self, chunk: _Chunk, typed: TypedCells) -> None:
        if not typed.too_fine:
            return
        place = min(typed.too_fine)
        raise ValueNotRepresentable(
            "the time is finer than a microsecond, which is all that a Parquet column holds",
            record=int(chunk.records[typed.too_fine[place][0]]),
            column=self._layout.columns[self._layout.kept.index(place)],
        )


def _accepted_of(raw: RawChunk, result: ChunkResult) -> _Chunk:
    outcome_of = dict(zip(result.records, result.outcomes, strict=True))
    outcomes = [outcome_of.get(record, REFUSED) for record in raw.record_numbers.tolist()]
    accepted = np.flatnonzero(np.array(outcomes, dtype=np.uint8) != REFUSED)
    return _Chunk(
        records=raw.record_numbers[accepted],
        outcomes=[OUTCOME_NAMES[outcomes[row]] for row in accepted.tolist()],
        rows=raw.table.take(accepted),
        positions=raw.positions,
    )
