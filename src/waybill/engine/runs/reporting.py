"""The report phase: one master list of rejections in input order; every report is a view of it.

Records that failed the check are in the list already. Records rejected later are read again from
the input for their cells and positions: one pass, and little more than those records.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
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
    from waybill.ports.reader import FoundRecord, Reader
    from waybill.validation.whole_file import Duplicates


class _Numbered(msgspec.Struct):
    """The one member of a master line that merging needs."""

    record: int


Cells = tuple[str | None, ...]
Maker = Callable[[Cells], "Finding"]
SHOWN_CHARACTERS: Final = 200
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
        affected = self._read_again()
        for chunk in self.spool:
            piece = self.spool.rejects(chunk)
            if chunk.ordinal in affected:
                piece = b"".join(self._merged(chunk, piece))
            if piece:
                yield piece

    def _read_again(self) -> set[int]:
        """Keep the late records with cells and positions, without findings; gives their chunks."""
        found = self.reader.find_records(self._records, self.spool.marks)
        affected: set[int] = set()
        for chunk in self.spool:
            edges = [chunk.first_record, chunk.first_record + chunk.records]
            first, stop = np.searchsorted(self._records, edges).tolist()
            if first < stop:
                affected.add(chunk.ordinal)
                records = list(islice(found, stop - first))
                self._lines[first:stop] = [record.line for record in records]
                self.spool.put(chunk.ordinal, "late", b"".join(map(self._bare, records)))
        return affected

    def _bare(self, found: FoundRecord) -> bytes:
        return encode_rejection(
            Rejection(
                record=found.record,
                line=found.line,
                byte=found.byte,
                cells=self.cells.mask(found.cells),
                findings=(),
                kinds=found.kinds,
            )
        )

    def _merged(self, chunk: SpooledChunk, rejects: bytes) -> Iterator[bytes]:
        findings = self._findings(chunk)
        late = (
            self._completed(line, findings)
            for line in self.spool.get(chunk.ordinal, "late").splitlines(keepends=True)
        )
        return heapq.merge(rejects.splitlines(keepends=True), late, key=record_number)

    def _completed(self, line: bytes, findings: dict[int, list[Maker]]) -> bytes:
        bare = decode_rejection(line)
        added = [make(bare.cells) for make in findings[bare.record]]
        completed = replace(bare, findings=(*bare.findings, *added))
        places = self.reader.header.places
        return encode_rejection(places.placed(completed) if places else completed)

    def _findings(self, chunk: SpooledChunk) -> dict[int, list[Maker]]:
        """What to say of each late record of a chunk, once its cells are at hand."""
        found: dict[int, list[Maker]] = {}
        stop = chunk.first_record + chunk.records
        for fields, duplicates in self.late.duplicates:
            for record, other in _partners(duplicates.between(chunk.first_record, stop - 1)):
                maker = partial(self._duplicate, fields, other)
                found.setdefault(record, []).append(maker)
        for record, finding in self.late.noted(chunk.first_record, stop):
            found.setdefault(record, []).append(partial(self._placed, finding))
        return found

    def _placed(self, finding: Finding, cells: Cells) -> Finding:
        """A late finding with the column of its field, and the cell there if it has no value."""
        column = self.cells.column_of(finding.field) if finding.field else None
        if column is None:
            return finding
        value = cells[column - 1] if finding.value is None else finding.value
        return replace(finding, column=column, value=value)

    def _duplicate(self, fields: tuple[str, ...], other: int, cells: Cells) -> Finding:
        columns = [self.cells.column_of(field) for field in fields]
        key = " / ".join(cells[column - 1] or "" for column in columns if column)
        finding = make_finding(
            "DUPLICATE_KEY_IN_FILE" if fields == self.key else "DUPLICATE_UNIQUE_IN_FILE",
            field=fields[0],
            fields=", ".join(fields),
            key=repr(shorten(key)),
            other_record=other,
            other_line=int(self._lines[np.searchsorted(self._records, other)]),
        )
        return self._placed(finding, cells)


def _partners(found: Duplicates) -> Iterator[tuple[int, int]]:
    """Each record with the first one of its group, the first one with the last."""
    for record, first, last in zip(
        found.record.tolist(), found.first_record.tolist(), found.last_record.tolist(), strict=True
    ):
        yield record, (last if first == record else first)


def shorten(text: str) -> str:
    """A value as messages show it; the cell itself is never cut."""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."


def record_number(line: bytes) -> int:
    """The record that a master line speaks of."""
    return _NUMBERED.decode(line).record
