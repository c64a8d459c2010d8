"""The way of the accepted records into the sink: applied one by one, or planned and published.

What is staged can still be refused as a whole, by a guard or for a plan that does not hold any
more; what is not staged stands once it is applied.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from waybill.engine.runs.applying import ApplyPhase
from waybill.engine.runs.checking import guard_error
from waybill.engine.runs.control import RunCanceled
from waybill.engine.runs.plans import SAMPLES, check_plan, make_plan
from waybill.engine.runs.repeating import make_receipt
from waybill.errors import JobFailed
from waybill.model.job import Counts, Phase
from waybill.ports.sink import QueryableSink, Removal
from waybill.validation.codes import file_warning

if TYPE_CHECKING:
    from waybill.engine.runs.checking import CheckPhase
    from waybill.engine.runs.context import RunContext
    from waybill.engine.runs.progress import ProgressMeter
    from waybill.engine.runs.repeating import Told
    from waybill.engine.runs.verdicts import Verdicts
    from waybill.model.finding import FileWarning
    from waybill.model.options import ImportOptions
    from waybill.model.plan import Plan
    from waybill.ports.sink import SinkJob


@dataclass(slots=True)
class Loading:
    """Loads what check and match have left; the result is its own fields after ``run``.

    ``counts``: those of check and match before, the final ones after. ``applied``: chunks that an
    earlier attempt applied. ``told``: of the file. ``plan``: what was to be done, where that was
    asked before any write.
    """

    context: RunContext
    check: CheckPhase
    verdicts: Verdicts
    meter: ProgressMeter
    counts: Counts
    applied: frozenset[int]
    told: Told
    plan: Plan | None = None
    warnings: list[FileWarning] = field(default_factory=list)

    def run(self) -> None:
        """Apply the records, and publish them where they were staged.

        Raises:
            JobFailed: a guard refuses what would be done, or was; or the plan does not hold.
            RunCanceled: the client stopped it; ``counts`` say what stands.
            Fenced: another attempt owns the job.
        """
        if self._is_refused_whole():
            return
        job = self._job()
        phase = self._phase(job)
        version = self._version()
        try:
            phase.run()
            if job.whole_file:
                self._judge(phase, job, version)
        except (JobFailed, RunCanceled):
            self._settle(phase, job, keeps=not job.whole_file)
            raise
        if self.context.job.options.expected_plan:
            job = replace(job, expects_version=version)
        job = self._final(phase, job)
        is_refused = self.context.is_atomic and phase.counts.rejected
        if job.whole_file:
            receipt = make_receipt(self.context, phase, self.told)
            job = replace(job, receipt=receipt)
        self._settle(phase, job, keeps=not is_refused)
        self._judge_what_stands(job)

    def _is_refused_whole(self) -> bool:
        """Whether nothing may be loaded, for something is wrong and all belongs together.

        What cannot be read to its end does not tell what it has not.
        """
        context = self.context
        removes = context.job.options.snapshot or bool(self.check.reader.cleared)
        has_failed = self.check.failure is not None
        if context.is_atomic:
            return has_failed or bool(self.counts.rejected)
        return has_failed and removes

    def _job(self) -> SinkJob:
        """The job as the sink is to see it, with what the file says is to go."""
        job = self.context.sink_job
        cleared = self.check.reader.cleared
        if cleared and job.removal is None:
            job = replace(job, removal=Removal(kinds=cleared))
        is_planned = self.context.job.options.is_planned and not self.context.entity.parts
        if is_planned or job.removal is not None:  # else what is to go would stay unsaid
            self._queryable()
        return job

    def _phase(self, job: SinkJob) -> ApplyPhase:
        before = self.counts + Counts(unprocessed=-self.counts.unprocessed)
        phase = ApplyPhase(
            self.context, job, self.check.spool, self.verdicts, self.meter, before, self.applied
        )
        self.meter.began(Phase.APPLYING)
        return phase

    def _version(self) -> str:
        sink, job = self.context.sink, self.context.job
        if not isinstance(sink, QueryableSink):
            return ""
        return sink.version(job.project, self.context.entity)

    def _final(self, phase: ApplyPhase, job: SinkJob) -> SinkJob:
        """The job without its removal where records were rejected: those are not missing."""
        rejected = phase.counts.rejected
        if job.removal is None or not rejected or self.context.is_atomic:
            return job
        if not any(warning.code == "SNAPSHOT_INCOMPLETE" for warning in self.warnings):
            self.warnings.append(file_warning("SNAPSHOT_INCOMPLETE", count=rejected))
        return replace(job, removal=None)

    def _judge(self, phase: ApplyPhase, job: SinkJob, version: str) -> None:
        """Let what is staged pass, or not."""
        options = self.context.job.options
        guard_errors(options, phase.counts)
        is_asked = options.is_planned or job.removal is not None
        if not is_asked or (self.context.is_atomic and phase.counts.rejected):
            return
        preview = self._queryable().preview(self._final(phase, job), samples=SAMPLES)
        said, became = phase.digest.said, phase.digest.became
        self.plan = make_plan(
            self.context.job, phase.counts, preview, said=said, became=became, version=version
        )
        check_plan(self.plan, options)

    def _judge_what_stands(self, job: SinkJob) -> None:
        """Guard once more what was not staged, for the sink has refused records since."""
        if job.whole_file:
            return
        try:
            guard_errors(self.context.job.options, self.counts)
        except JobFailed as failure:
            kept = f"{self.counts.applied} records were applied before and stay"
            raise JobFailed(f"{failure.message}; {kept}", code=failure.code) from failure

    def _settle(self, phase: ApplyPhase, job: SinkJob, *, keeps: bool) -> None:
        """Seal what was applied, or abandon what was staged; the counts follow."""
        sink, counts = self.context.sink, phase.counts
        is_dry = self.context.job.options.dry_run
        if keeps and not is_dry:
            self.counts = with_applied(counts, sink.seal(job))
            return
        if job.whole_file and isinstance(sink, QueryableSink):
            sink.abandon(job.id)
        removed = self.plan.counts.removed if self.plan else 0
        planned = replace(counts, removed=removed)
        self.counts = with_applied(counts, planned if keeps else Counts())

    def _queryable(self) -> QueryableSink:
        sink = self.context.sink
        if not isinstance(sink, QueryableSink):
            raise JobFailed(
                "the entity's sink cannot be asked what would be done, as a dry run, a snapshot "
                "and guards of deletes need",
                code="SINK_NOT_QUERYABLE",
            )
        return sink


def guard_errors(options: ImportOptions, counts: Counts) -> None:
    """Refuse what has more rejected records than allowed; raises ``JobFailed``."""
    if options.max_errors is not None and counts.rejected > options.max_errors:
        raise guard_error("MAX_ERRORS_EXCEEDED", allowed=options.max_errors)
    share = counts.rejected / counts.read if counts.read else 0.0
    if options.max_error_ratio is not None and share > options.max_error_ratio:
        raise guard_error(
            "MAX_ERROR_RATIO_EXCEEDED",
            share=f"{share:.2%}",
            allowed=f"{options.max_error_ratio:g}",
        )


def with_applied(counts: Counts, applied: Counts) -> Counts:
    """These counts with the sink's own for what was applied; the rest is unprocessed."""
    known = Counts(
        read=counts.read,
        created=applied.created,
        updated=applied.updated,
        unchanged=applied.unchanged,
        deleted=applied.deleted,
        removed=applied.removed,
        rejected=counts.rejected,
        skipped=counts.skipped,
    )
    return known + Counts(unprocessed=known.read - known.applied - known.rejected - known.skipped)
