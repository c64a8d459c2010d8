"""A table that a child reads, as chunks: the parent's side, which believes nothing unchecked."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np
import pyarrow as pa

from waybill.errors import ColumnsGrew
from waybill.formats.contained.batches import batch_facts, read_batch
from waybill.formats.contained.launcher import Frames
from waybill.formats.contained.protocol import (
    LINE,
    Fault,
    FrameKind,
    Table,
    Task,
    Warned,
    broken_protocol,
    decoded,
)
from waybill.formats.flight import Flight
from waybill.formats.found_records import found_records
from waybill.ports.reader import Header, MalformedRecord, RawChunk, ReadPosition
from waybill.validation.codes import file_refused, file_warning, make_finding
from waybill.validation.formula import unescape, unescape_column
from waybill.validation.text_traits import traits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from waybill.formats.contained.protocol import Frame
    from waybill.model.finding import FileWarning
    from waybill.ports.reader import FoundRecord, Places, Reader, ReadOptions

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch as it came; ``first_record`` is the number of its first record."""

    ordinal: int
    first_record: int
    records: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class LinePositions:
    """See ``Positions``: of each record the line is known, the byte is not."""

    first_record: int
    lines: np.ndarray

    def locate(self, records: Sequence[int]) -> Sequence[tuple[int, int | None]]:
        """See ``Positions.locate``."""
        lines = self.lines[np.asarray(records, dtype=np.int64) - self.first_record]
        return [(line, None) for line in lines.tolist()]


class ContainedReader:
    """See ``waybill.ports.reader.Reader``: every pass over the input is a child of its own.

    ``place``: makes what says where findings stand, from the header that the child sent.
    ``is_report``: whether the columns are those of a report whose cells carry our escape.
    """

    def __init__(
        self,
        task: Task,
        place: Callable[[Table], Places | None],
        *,
        facts: Mapping[str, object],
        options: ReadOptions,
        is_report: Callable[[Sequence[str]], bool],
    ) -> None:
        """Read the header.

        Raises:
            FileRefused: the child refuses the file, or a limit was met.
        """
        self._task = task
        self._place = place
        self._facts = facts
        self._options = options
        self._is_report = is_report
        self._cleared: set[str] = set()
        self._begun: Frames | None = Frames(task, options.while_waiting)
        self._table = _header(next(self._begun, None))
        names = self._table.names
        self._escaped = is_report(names)
        self._header = self._described(tuple(map(unescape, names)) if self._escaped else names)

    @property
    def header(self) -> Header:
        """See ``Reader.header``."""
        return self._header

    @property
    def input_bytes_total(self) -> int:
        """See ``Reader.input_bytes_total``."""
        return self._task.stored_bytes

    @property
    def cleared(self) -> frozenset[str]:
        """See ``Reader.cleared``."""
        return frozenset(self._cleared)

    @property
    def warnings(self) -> Sequence[FileWarning]:
        """See ``Reader.warnings``."""
        return [_warning(each) for each in self._table.warnings]

    def map_chunks(self, work: Callable[[RawChunk], T]) -> Generator[T]:
        """See ``Reader.map_chunks``."""
        if self._header.names:
            flight = Flight(
                self._batches(), lambda each: work(self._chunk(each)), self._options.threads
            )
            yield from flight.results()

    def find_records(
        self, records: np.ndarray, marks: Sequence[ReadPosition]
    ) -> Iterator[FoundRecord]:
        """See ``Reader.find_records``: the file is read once more; the marks are no help."""
        del marks
        for batch in self._batches() if records.size else ():
            here = records[: records.searchsorted(batch.first_record + batch.records)]
            records = records[here.size :]
            if here.size:
                yield from found_records(self._chunk(batch), here, len(self._header.names))
            if not records.size:
                return

    def widened(self) -> Reader:
        """See ``Reader.widened``: a child that reads everything for the names alone."""
        task = msgspec.structs.replace(self._task, collects_names=True)
        with closing(self._again(task)) as reader:
            names = reader.header.names
        return self._again(msgspec.structs.replace(self._task, known_columns=names))

    def close(self) -> None:
        """See ``Reader.close``."""
        if self._begun is not None:
            self._begun.close()
            self._begun = None

    def _again(self, task: Task) -> ContainedReader:
        return ContainedReader(
            task,
            self._place,
            facts=self._facts,
            options=self._options,
            is_report=self._is_report,
        )

    def _described(self, names: tuple[str, ...]) -> Header:
        table, limits = self._table, self._task.limits
        if len(names) > limits.columns:
            raise file_refused("TOO_MANY_COLUMNS", line=table.line, allowed=limits.columns)
        allowed = limits.header_name_characters
        for column, name in enumerate(names, start=1):
            if len(name) > allowed:
                raise file_refused(
                    "HEADER_NAME_TOO_LONG", line=table.line, column=column, allowed=allowed
                )
        return Header(
            names=names,
            facts={**table.facts, **self._facts},
            escaped=self._escaped,
            is_typed=True,
            is_complete=table.is_complete,
            line=table.line,
            places=self._place(table),
        )

    def _batches(self) -> Iterator[Batch]:
        frames = self._frames()
        try:
            first, ordinal = 1, 0
            for frame in frames:
                if frame.kind is FrameKind.GREW:
                    raise ColumnsGrew("later records have further members")
                if frame.kind is not FrameKind.BATCH:
                    raise broken_protocol()
                facts = batch_facts(frame.payload)
                self._cleared.update(facts.cleared)
                if facts.records:
                    yield Batch(ordinal, first, facts.records, frame.payload)
                    ordinal += 1
                first += facts.records
        finally:
            frames.close()

    def _frames(self) -> Frames:
        """The frames behind the header; the first pass goes on where opening has stopped."""
        frames, self._begun = self._begun, None
        if frames is None:
            frames = Frames(self._task, self._options.while_waiting)
            if _header(next(frames, None)) != self._table:
                raise broken_protocol()
        return frames

    def _chunk(self, batch: Batch) -> RawChunk:
        facts, table = read_batch(batch.payload, len(self._header.names))
        first = batch.first_record
        faulty = np.array([fault.record for fault in facts.faults], dtype=np.int64)
        good = np.delete(np.arange(facts.records, dtype=np.int64), faulty)
        lines = np.empty(facts.records, dtype=np.int64)
        lines[good] = table.column(LINE).to_numpy()
        lines[faulty] = [fault.line for fault in facts.faults]
        cells = table.drop_columns([LINE]).combine_chunks()
        if self._escaped:
            cells = _unescaped(cells, len(self._header.names))
        return RawChunk(
            ordinal=batch.ordinal,
            first_record=first,
            records=facts.records,
            table=cells,
            record_numbers=good + first,
            malformed=[self._malformed(fault, first) for fault in facts.faults],
            positions=LinePositions(first, lines),
            marks=(ReadPosition(byte=0, line=int(lines[0]), record=first - 1),),
            input_bytes=facts.input_bytes,
            rank=facts.rank,
            traits=traits_of(_text_in(cells), has_blanks=False),
            places=self._header.places,
        )

    def _malformed(self, fault: Fault, first: int) -> MalformedRecord:
        parameters: dict[str, Any] = {**fault.parameters}
        finding = make_finding(fault.code, column=fault.column, value=fault.value, **parameters)
        cells = (*fault.cells, *(None,) * (len(self._header.names) - len(fault.cells)))
        if self._escaped:
            cells = tuple(cell and unescape(cell) for cell in cells)
        return MalformedRecord(
            record=first + fault.record,
            line=fault.line,
            byte=None,
            cells=cells,
            findings=(finding,),
        )


def _header(frame: Frame | None) -> Table:
    if frame is None or frame.kind is not FrameKind.HEADER:
        raise broken_protocol()
    return decoded(frame.payload, Table)


def _warning(warned: Warned) -> FileWarning:
    parameters: dict[str, Any] = {**warned.parameters}
    return file_warning(warned.code, count=warned.count, **parameters)


def _unescaped(table: pa.Table, columns: int) -> pa.Table:
    for index in range(columns):
        table = table.set_column(index, f"c{index}", unescape_column(table.column(index)))
    return table


def _text_in(table: pa.Table) -> bytes:
    """The bytes of all text of a table, in any order."""
    parts = (
        chunk.buffers()[2]
        for column in table.columns
        if pa.types.is_string(column.type)
        for chunk in column.chunks
    )
    return b"".join(part.to_pybytes() for part in parts if part is not None)
