"""The report phase: one master list of rejections in input order; every report is a view of it.

Records that failed the check are in the list already. Records rejected later are read again from
the input for their cells and positions: one pass, only the chunks that hold them.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from waybill.model.finding import Rejection
from waybill.validation.codes import make_finding
from waybill.validation.rejects import decode_rejection, encode_rejection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.engine.runs.cells import ShownCells
    from waybill.engine.runs.spool import Spool, SpooledChunk
    from waybill.engine.runs.verdicts import LateFindings
    from waybill.model.finding import Finding
    from waybill.ports.reader import RawChunk, Reader
    from waybill.validation.whole_file import Duplicates


class _Numbered(msgspec.Struct):
    """The one member of a master line that merging needs."""

    record: int


_NUMBERED: Final = msgspec.json.Decoder(_Numbered)


@dataclass(slots=True)
class MasterList:
    """Writes the master list of one run. ``key``: the entity's key fields."""

    spool: Spool
    late: LateFindings
    reader: Reader
    cells: ShownCells
    key: tuple[str, ...]
    _records: np.ndarray = field(init=False)
    _lines: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Take the numbers of the records that were rejected late."""
        self._records = self.late.records()
        self._lines = np.zeros(len(self._records), dtype=np.int64)

    def pieces(self) -> Iterator[bytes]:
        """The list as NDJSON, one chunk of the input at a time."""
        affected = {c.ordinal for c in self.spool if self._count(c)}
        if affected:
            self._read_again(affected)
        for chunk in self.spool:
            piece = self.spool.rejects(chunk)
            if chunk.ordinal in affected:
                piece = b"".join(self._merged(chunk, piece))
            if piece:
                yield piece

    def _count(self, chunk: SpooledChunk) -> int:
        first, stop = self._range(chunk)
        return stop - first

    def _range(self, chunk: SpooledChunk) -> tuple[int, int]:
        """Where the late records of a chunk lie in ``_records``."""
        edges = [chunk.first_record, chunk.first_record + chunk.records]
        first, stop = np.searchsorted(self._records, edges)
        return int(first), int(stop)

    def _read_again(self, affected: set[int]) -> None:
        ordinals = sorted(affected)
        found = self.reader.map_chunks(self._collect, wanted=affected.__contains__)
        for ordinal, lines in zip(ordinals, found, strict=False):
            self.spool.put(ordinal, "late", lines)

    def _collect(self, raw: RawChunk) -> bytes:
        """The late records of one chunk with cells and positions, still without findings."""
        first, stop = np.searchsorted(
            self._records, [raw.first_record, raw.first_record + raw.records]
        )
        wanted = self._records[first:stop]
        rows = raw.table.take(np.searchsorted(raw.record_numbers, wanted))
        places = raw.positions.locate(wanted.tolist())
        self._lines[first:stop] = [line for line, _ in places]
        cells = zip(*(column.to_pylist() for column in rows.columns), strict=True)
        return b"".join(
            encode_rejection(
                Rejection(
                    record=record,
                    line=line,
                    byte=byte,
                    cells=self.cells.mask(values),
                    findings=(),
                )
            )
            for record, (line, byte), values in zip(wanted.tolist(), places, cells, strict=True)
        )

    def _merged(self, chunk: SpooledChunk, rejects: bytes) -> Iterator[bytes]:
        findings = self._findings(chunk)
        late = (
            self._completed(line, findings)
            for line in self.spool.get(chunk.ordinal, "late").splitlines(keepends=True)
        )
        return heapq.merge(rejects.splitlines(keepends=True), late, key=record_number)

    def _completed(self, line: bytes, findings: dict[int, list[Finding]]) -> bytes:
        bare = decode_rejection(line)
        added = [self._placed(finding, bare) for finding in findings[bare.record]]
        return encode_rejection(replace(bare, findings=(*bare.findings, *added)))

    def _placed(self, finding: Finding, rejection: Rejection) -> Finding:
        """A late finding with the column of its field and the cell that the file has there."""
        if finding.field is None:
            return finding
        column = self.cells.column_of(finding.field)
        if column is None:
            return finding
        return replace(finding, column=column, value=rejection.cells[column - 1])

    def _findings(self, chunk: SpooledChunk) -> dict[int, list[Finding]]:
        found: dict[int, list[Finding]] = {}
        stop = chunk.first_record + chunk.records
        for fields, duplicates in self.late.duplicates:
            for record, finding in self._duplicate_findings(chunk, fields, duplicates):
                found.setdefault(record, []).append(finding)
        for record, finding in self.late.noted(chunk.first_record, stop):
            found.setdefault(record, []).append(finding)
        return found

    def _duplicate_findings(
        self, chunk: SpooledChunk, fields: tuple[str, ...], found: Duplicates
    ) -> Iterator[tuple[int, Finding]]:
        edges = [chunk.first_record, chunk.first_record + chunk.records]
        first, stop = np.searchsorted(found.record, edges)
        is_key = fields == self.key
        for place in range(int(first), int(stop)):
            record = int(found.record[place])
            other = int(found.first_record[place])
            if other == record:
                other = int(found.last_record[place])
            yield (
                record,
                make_finding(
                    "DUPLICATE_KEY_IN_FILE" if is_key else "DUPLICATE_UNIQUE_IN_FILE",
                    field=fields[0],
                    fields=", ".join(fields),
                    key=" / ".join(fields),
                    other_record=other,
                    other_line=int(self._lines[np.searchsorted(self._records, other)]),
                ),
            )


def record_number(line: bytes) -> int:
    """The record that a master line speaks of."""
    return _NUMBERED.decode(line).record
