"""The apply phase: accepted records to the sink, chunk by chunk, each exactly once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from waybill.engine.runs.plans import PlanDigest
from waybill.engine.runs.verdicts import refusal_finding
from waybill.errors import JobFailed
from waybill.model.job import Counts
from waybill.ports.sink import (
    ACTION,
    CREATED,
    DELETED,
    HASH,
    REFUSED,
    UNCHANGED,
    UPDATED,
    QueryableSink,
)
from waybill.validation.codes import make_finding

if TYPE_CHECKING:
    from waybill.engine.runs.context import RunContext
    from waybill.engine.runs.progress import ProgressMeter
    from waybill.engine.runs.spool import Spool, SpooledChunk
    from waybill.engine.runs.verdicts import Verdicts
    from waybill.ports.sink import ChunkResult, SinkJob

OUTCOME_NAMES: Final = {
    CREATED: "created",
    UPDATED: "updated",
    UNCHANGED: "unchanged",
    DELETED: "deleted",
    REFUSED: "rejected",
}
"""Outcome byte of a sink -> the count it belongs to."""


@dataclass(slots=True)
class ApplyPhase:
    """Hands the kept records to the sink; the tallies are its own fields after ``run``.

    ``job``: as the sink is to see it. ``before``: counts of the check and match phases.
    ``applied``: chunks that an earlier attempt applied; they are taken over, even by a run that is
    being canceled. ``operations``: what the records asked for.
    """

    context: RunContext
    job: SinkJob
    spool: Spool
    verdicts: Verdicts
    meter: ProgressMeter
    before: Counts
    applied: frozenset[int]
    tally: Counts = field(default_factory=Counts)
    digest: PlanDigest = field(default_factory=PlanDigest)
    operations: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Apply every chunk; of records stored in parts, a dry run only asks what would be.

        Raises:
            JobFailed: the sink refused more records than ``max_errors`` allows.
            RunCanceled: the client stopped it; what was applied stands.
            Fenced: another attempt owns the job.
        """
        total = max(sum(chunk.accepted for chunk in self.spool), 1)
        done = 0
        chunks = self.spool.ranked()
        last = next((chunk.ordinal for chunk in reversed(chunks) if chunk.accepted), None)
        for chunk in chunks:
            self.meter.may_cancel = chunk.ordinal not in self.applied
            self.context.control.check(may_cancel=self.meter.may_cancel)
            if chunk.accepted:
                self._apply(chunk, is_last=chunk.ordinal == last)
            done += chunk.accepted
            self.meter.applied(self.counts, done / total)

    @property
    def counts(self) -> Counts:
        """Everything so far; what was not applied yet is unprocessed."""
        known = self.before + self.tally
        rest = known.read - known.applied - known.rejected - known.skipped
        return known + Counts(unprocessed=rest)

    def _apply(self, chunk: SpooledChunk, *, is_last: bool) -> None:
        rows = self.spool.good_rows(chunk)
        kept = self.verdicts.keep(rows.column("_record").to_numpy())
        if not kept.all():
            rows = rows.filter(pa.array(kept))
        if not rows.num_rows and chunk.ordinal not in self.applied:
            return
        result = self._hand_over(chunk.ordinal, rows, is_last=is_last)
        self.digest.note(chunk.ordinal, rows.column(HASH), result)
        self.operations |= self._operations_of(rows)
        self._note_replay(chunk.ordinal, result, rows)
        for refusal in result.refusals:
            finding = refusal_finding(refusal, self.context.entity)
            self.verdicts.late.add(refusal.record, finding)
        self.tally = self.tally + tally_outcomes(result.outcomes) + Counts(removed=result.removed)
        self._guard()

    def _hand_over(self, ordinal: int, rows: pa.Table, *, is_last: bool) -> ChunkResult:
        sink, job = self.context.sink, self.job
        if job.whole_file or not self.context.job.options.dry_run:
            return sink.apply(job, ordinal, rows, seals=is_last and not job.whole_file)
        if not isinstance(sink, QueryableSink):
            raise JobFailed("the entity's sink cannot plan a dry run", code="SINK_NOT_QUERYABLE")
        return sink.plan(job, rows)

    def _operations_of(self, rows: pa.Table) -> set[str]:
        if ACTION not in rows.column_names:
            return {self.job.operation}
        return set(map(str, rows.column(ACTION).unique().to_pylist()))

    def _note_replay(self, chunk: int, result: ChunkResult, rows: pa.Table) -> None:
        """Let the stored result of an earlier attempt win over today's verdicts.

        What depends on the sink can have been judged otherwise then, for it has changed since.
        """
        if chunk not in self.applied:
            return
        applied = np.asarray(result.records, dtype=np.int64)
        offered = rows.column("_record").to_numpy()
        late = self.verdicts.late
        revived = np.intersect1d(applied, self.verdicts.rejected)
        late.dismiss(revived.tolist())
        gone = np.setdiff1d(offered, applied)
        for record in gone.tolist():
            late.add(record, make_finding("SINK_REFUSED", reason="an earlier attempt found so"))
        self.tally = self.tally + Counts(rejected=len(gone) - len(revived))

    def _guard(self) -> None:
        allowed = self.context.job.options.max_errors
        if allowed is not None and self.tally.rejected + self.before.rejected > allowed:
            raise JobFailed(
                f"more than max_errors = {allowed} records are rejected; "
                "what was applied before stands unless atomicity is file",
                code="MAX_ERRORS_EXCEEDED",
            )


def tally_outcomes(outcomes: bytes) -> Counts:
    """The counts of a chunk's outcome bytes."""
    found = np.bincount(np.frombuffer(outcomes, dtype=np.uint8), minlength=256)
    return Counts(**{name: int(found[code]) for code, name in OUTCOME_NAMES.items()})
