"""Turns the bad rows of a chunk, and its malformed records, into lines of the master list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from waybill.model.finding import Rejection
from waybill.validation.finding_maker import FindingMaker
from waybill.validation.rejects import encode_rejection
from waybill.validation.rules import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import pyarrow as pa

    from waybill.model.finding import Finding
    from waybill.ports.reader import MalformedRecord, RawChunk
    from waybill.validation.cell_faults import Faults
    from waybill.validation.compiled import Compiled

    Cells = tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRows:
    """The bad rows of a chunk: their numbers, cells, broken rules and further faults by row.

    ``kinds``: of the cells, as in ``Rejection``.
    """

    numbers: np.ndarray
    table: pa.Table
    kinds: Sequence[str]
    rules: Sequence[Sequence[int]]
    faults: Faults


class Rejecter:
    """Writes rejections; made once per file and safe to share between threads.

    They show the cells of the file's own columns.
    """

    def __init__(self, compiled: Compiled) -> None:
        self._lacking = min(compiled.lacking, default=None)
        self._makers = [FindingMaker(each) for each in compiled.rules]
        self._secret = compiled.columns.hidden

    def lines(self, chunk: RawChunk, bad: BadRows) -> tuple[bytes, int]:
        """The lines of the chunk in file order, and how many."""
        rejections = list(self._of_rows(chunk, bad)) if len(bad.numbers) else []
        if chunk.malformed:
            rejections += [self._of_malformed(record) for record in chunk.malformed]
            rejections.sort(key=lambda rejection: rejection.record)
        if chunk.places is not None:
            rejections = list(map(chunk.places.placed, rejections))
        return b"".join(map(encode_rejection, rejections)), len(rejections)

    def _of_rows(self, chunk: RawChunk, bad: BadRows) -> Iterator[Rejection]:
        records = chunk.record_numbers[bad.numbers].tolist()
        places = chunk.positions.locate(records)
        columns = [column.to_pylist() for column in bad.table.columns]
        rows = zip(
            bad.numbers.tolist(),
            records,
            places,
            zip(*columns, strict=True),
            bad.kinds,
            bad.rules,
            strict=True,
        )
        for row, record, (line, byte), cells, kinds, rules in rows:
            yield Rejection(
                record=record,
                line=line,
                byte=byte,
                cells=self._masked(cells)[: self._lacking],
                findings=self._findings(cells, rules, bad.faults.get(row)),
                kinds=kinds,
            )

    def _findings(
        self, cells: Cells, rules: Sequence[int], faults: Mapping[int, Finding] | None
    ) -> tuple[Finding, ...]:
        """The findings of one row; a fault of a cell stands for all rules on it."""
        if faults is None:
            return tuple(self._make(number, cells) for number in rules)
        others = [
            self._make(number, cells)
            for number in rules
            if self._makers[number].index not in faults
        ]
        both = [*others, *faults.values()]
        return tuple(sorted(both, key=lambda finding: finding.column or 0))

    def _make(self, number: int, cells: Cells) -> Finding:
        maker = self._makers[number]
        return maker.make(cells[maker.index])

    def _masked(self, cells: Cells) -> Cells:
        if not self._secret:
            return cells
        return tuple(
            MASK if cell and index in self._secret else cell for index, cell in enumerate(cells)
        )

    def _of_malformed(self, record: MalformedRecord) -> Rejection:
        """A malformed record; with secret fields all its cells are masked, for they may shift."""
        rejection = Rejection(
            record=record.record,
            line=record.line,
            byte=record.byte,
            cells=record.cells,
            findings=record.findings,
            kinds=record.kinds,
        )
        if not self._secret:
            return rejection
        return replace(
            rejection,
            cells=tuple(MASK if cell else cell for cell in record.cells),
            findings=tuple(
                replace(finding, value=MASK if finding.value else finding.value)
                for finding in record.findings
            ),
        )
