"""The records that a job's sink took, read again from the input, where alone their cells are.

Each has ``_record`` and ``_outcome`` first, then the columns of the file. Cells are given as they
came, or as the values that their fields made of them. Secrets are masked in every form.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.engine.job_files import columns_of, entity_of, open_input
from waybill.engine.runs.applying import OUTCOME_NAMES
from waybill.engine.runs.cells import MASK
from waybill.errors import FileRefused, ValueNotRepresentable
from waybill.ports.sink import RECORD, REFUSED
from waybill.reports.layout import lay_out
from waybill.validation.columns import match_columns
from waybill.validation.typed_cells import CellTyper, arrow_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from waybill.engine.report_parts import ReportParts
    from waybill.model.entity import Entity
    from waybill.model.job import Job
    from waybill.ports.reader import RawChunk, Reader
    from waybill.ports.sink import ChunkResult
    from waybill.reports.rows import Cell
    from waybill.validation.columns import ColumnMap
    from waybill.validation.typed_cells import TypedCells

_OUTCOME: Final = "_outcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """The accepted records of one chunk; ``rows``: raw cells as in ``ports/reader.py``."""

    records: np.ndarray
    outcomes: list[str]
    rows: pa.Table

    def with_own(self, columns: Sequence[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
        """The rows of these columns, each after its record and outcome."""
        return zip(self.records.tolist(), self.outcomes, *columns, strict=True)


class AcceptedRecords:
    """The accepted records of one job in input order; memory is a few chunks."""

    def __init__(self, parts: ReportParts, job: Job) -> None:
        self._parts = parts
        self._job = job
        self._entity = entity_of(job)
        header = columns_of(job)
        self._layout = lay_out(header)
        columns = _match(job, self._entity, header) if self._entity else None
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
        if self._entity is None or not self._job.counts.applied:
            return
        with closing(open_input(self._parts, self._job, self._entity)) as reader:
            for chunk in self._chunks(reader, self._entity):
                columns = [self._raw(chunk, place).to_pylist() for place in self._layout.kept]
                yield from chunk.with_own(columns)

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
        results = iter(self._parts.sink_for(entity).results(self._job.id))
        result = next(results, None)
        with closing(reader.map_chunks(lambda raw: raw)) as chunks:
            for raw in chunks:
                if result is not None and result.chunk == raw.ordinal:
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


def _match(job: Job, entity: Entity, header: tuple[str, ...]) -> ColumnMap | None:
    """Which column is which field; ``None`` where they do not fit, and so nothing was accepted."""
    try:
        return match_columns(
            entity,
            header,
            operation=job.options.operation,
            unknown=job.options.unknown_columns,
        )
    except FileRefused:
        return None


def _accepted_of(raw: RawChunk, result: ChunkResult) -> _Chunk:
    outcome_of = dict(zip(result.records, result.outcomes, strict=True))
    outcomes = [outcome_of.get(record, REFUSED) for record in raw.record_numbers.tolist()]
    accepted = np.flatnonzero(np.array(outcomes, dtype=np.uint8) != REFUSED)
    return _Chunk(
        records=raw.record_numbers[accepted],
        outcomes=[OUTCOME_NAMES[outcomes[row]] for row in accepted.tolist()],
        rows=raw.table.take(accepted),
    )
