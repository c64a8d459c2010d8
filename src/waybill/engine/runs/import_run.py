"""A run of an import: open, check, match, apply, report; the result says how the job ends.

Everything a run writes before its end lies under its own attempt, or is fenced by its epoch.
"""

from __future__ import annotations

import hashlib
import shutil
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

import msgspec

from waybill.engine.inputs.completing import completed
from waybill.engine.runs.cells import ShownCells
from waybill.engine.runs.checking import CheckPhase, scratch_folder
from waybill.engine.runs.control import RunCanceled
from waybill.engine.runs.duplicates import KeyLedgers
from waybill.engine.runs.loading import Loading, guard_errors
from waybill.engine.runs.matching import MatchPhase
from waybill.engine.runs.opening import open_stored, read_options
from waybill.engine.runs.planning import Planner
from waybill.engine.runs.progress import ProgressMeter
from waybill.engine.runs.repeating import Told, repeat
from waybill.engine.runs.reporting import MasterList
from waybill.engine.runs.spool import Spool
from waybill.engine.runs.verdicts import LateFindings, Verdicts
from waybill.errors import ColumnsGrew, FileRefused, JobFailed, RequestRefused
from waybill.model.artifact import Artifact, ArtifactKind
from waybill.model.ids import BlobName
from waybill.model.job import (
    CHOSEN_ENTITY,
    SAME_FILE_AS,
    Counts,
    JobError,
    JobState,
    Outcome,
    Phase,
)
from waybill.ports.job_store import Finish
from waybill.validation.codes import file_warning
from waybill.validation.columns import shown_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from waybill.engine.runs.context import RunContext
    from waybill.engine.runs.repeating import Repeated
    from waybill.model.finding import FileWarning
    from waybill.model.plan import Plan
    from waybill.ports.reader import Header, Reader
    from waybill.validation.checker import Checker


@dataclass(slots=True)
class ImportRun:
    """One try at one import. ``applied``: chunks that an earlier attempt applied."""

    context: RunContext
    counts: Counts = field(default_factory=Counts)
    warnings: list[FileWarning] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    applied: frozenset[int] = frozenset()
    plan: Plan | None = None

    def run(self) -> Finish:
        """Do all the work; the job is not final before the caller stores the result.

        Raises:
            Fenced: another attempt owns the job.
            RunReleased: the process is stopping; the job goes back to the queue.
            StorageFull: no space; the job goes back to the queue.
        """
        try:
            self.context.sink.begin(self.context.sink_job)
            self._clear_up()
            self.applied = self._applied_before()
            repeated = repeat(self.context)
            if repeated is not None:
                return self._repeated(repeated)
            with closing(self._open()) as reader:
                return self._import_widening(reader)
        except FileRefused as refusal:
            return self._failed(error_of(refusal))
        except (JobFailed, RequestRefused) as failure:
            return self._failed(JobError(code=failure.code, message=failure.message))
        except RunCanceled:
            return self._canceled("nothing was loaded")

    def _repeated(self, repeated: Repeated) -> Finish:
        self.counts, self.plan = repeated.counts, repeated.plan
        told = repeated.told
        self.warnings, self.facts = told.warnings, {**told.facts, SAME_FILE_AS: told.job}
        return self._with_artifacts(self._succeeded(), [])

    def _clear_up(self) -> None:
        """Remove what earlier attempts left behind; they are fenced."""
        if self.context.job.epoch > 1:
            shutil.rmtree(self.context.parts.scratch / self.context.job.id, ignore_errors=True)
            self.context.parts.blobs.delete_tree(f"runs/{self.context.job.id}")

    def _open(self) -> Reader:
        job, parts, entity = self.context.job, self.context.parts, self.context.entity
        options = read_options(job.options, entity, job.input.name if job.input else "")
        options = replace(options, while_waiting=self._check_control)
        return open_stored(parts, job.input, options)

    def _check_control(self) -> None:
        self.context.control.check(may_cancel=not self.applied)

    def _import_widening(self, reader: Reader) -> Finish:
        """Import, and once more from the start where later records have further members."""
        meter = self._meter()
        try:
            return self._import(reader, meter)
        except ColumnsGrew:
            self.counts, self.warnings = Counts(), []
            return self._import(reader.widened(), meter)

    def _import(self, reader: Reader, meter: ProgressMeter) -> Finish:
        context = self.context
        job = context.job
        reader = completed(reader, context.entity, job.options, seed=job.id)
        header = reader.header
        self.facts = {**header.facts, **self._chosen(), "columns": list(header.own_names)}
        meter.format_facts = self.facts
        if not header.names:
            return self._succeeded()
        checker = self._checker(header)
        spool = Spool(blobs=self.context.parts.blobs, prefix=self.context.prefix)
        try:
            return self._phases(reader, checker, spool, meter)
        finally:
            spool.drop()
            self._clear_scratch()

    def _checker(self, header: Header) -> Checker:
        """The checker of this file; of a header that does not fit, secrets may be a part."""
        try:
            return self.context.parts.checkers.checker(
                self.context.job, self.context.entity, header
            )
        except FileRefused:
            names = shown_names(header.own_names, [self.context.entity])
            self.facts["columns"] = list(names)
            raise

    def _chosen(self) -> dict[str, object]:
        """The fact which entity of a bundle this is."""
        job, entity = self.context.job, self.context.entity
        return {CHOSEN_ENTITY: entity.name} if entity.name != job.entity else {}

    def _phases(
        self, reader: Reader, checker: Checker, spool: Spool, meter: ProgressMeter
    ) -> Finish:
        ledgers = KeyLedgers.in_folder(self.context.entity, scratch_folder(self.context))
        check = CheckPhase(self.context, reader, checker, spool, meter, ledgers)
        late = LateFindings()
        finish: Finish | None = None
        with closing(ledgers):
            try:
                check.run()
                self._note_check(check)
                verdicts = self._match(check, meter)
                late = verdicts.late
                guard_errors(self.context.job.options, self.counts)
                finish = self._load(check, verdicts, meter)
            except JobFailed as failure:
                self._note_check(check)
                finish = self._failed(JobError(code=failure.code, message=failure.message))
            except RunCanceled:
                self._note_check(check)
                finish = self._canceled("nothing was loaded")
        cells = ShownCells(checker.columns, width=len(reader.header.own_names))
        meter.began(Phase.REPORTING)
        reported = self._reported(
            finish, MasterList(spool, late, reader, cells, self.context.entity.key)
        )
        return replace(reported, phase_seconds=meter.phase_seconds())

    def _clear_scratch(self) -> None:
        folder = scratch_folder(self.context)
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # another attempt may be at work beside it
            folder.parent.rmdir()

    def _applied_before(self) -> frozenset[int]:
        """The chunks that an earlier attempt applied."""
        if self.context.job.epoch == 1:
            return frozenset()
        return frozenset(result.chunk for result in self.context.sink.results(self.context.job.id))

    def _meter(self) -> ProgressMeter:
        parts = self.context.parts
        return ProgressMeter(
            self.context.job,
            parts.store,
            parts.clock,
            self.context.control,
            may_cancel=not self.applied,
        )

    def _note_check(self, check: CheckPhase) -> None:
        self.warnings = check.warnings
        if not self.counts.read:
            self.counts = check.counts

    def _match(self, check: CheckPhase, meter: ProgressMeter) -> Verdicts:
        meter.entered(Phase.MATCHING, self.counts)
        planner = Planner(context=self.context, spool=check.spool, is_repeated=bool(self.applied))
        verdicts = MatchPhase(
            context=self.context, spool=check.spool, ledgers=check.ledgers, planner=planner
        ).run()
        rejected, skipped = len(verdicts.rejected), len(verdicts.skipped)
        self.counts = self.counts + Counts(
            rejected=rejected, skipped=skipped, unprocessed=-rejected - skipped
        )
        if skipped:
            self.warnings.append(skipped_warning(verdicts))
        return verdicts

    def _load(self, check: CheckPhase, verdicts: Verdicts, meter: ProgressMeter) -> Finish:
        job = self.context.job
        told = Told(job=job.id, file=job.input, facts=self.facts, warnings=self.warnings)
        loading = Loading(self.context, check, verdicts, meter, self.counts, self.applied, told)
        is_staged = self.context.is_staged
        try:
            loading.run()
        except JobFailed as failure:
            return self._loaded(loading, failure)
        except RunCanceled:
            self._loaded(loading, None)
            kept = f"{self.counts.applied} records were applied and stay"
            return self._canceled("nothing was loaded" if is_staged else kept)
        return self._loaded(loading, check.failure)

    def _loaded(self, loading: Loading, failure: JobFailed | None) -> Finish:
        """How the job ends after its loading, which may have failed."""
        self.counts, self.plan = loading.counts, loading.plan
        self.warnings += loading.warnings
        if failure is None:
            return self._succeeded()
        if isinstance(failure, FileRefused):
            return self._failed(error_of(failure))
        return self._failed(JobError(code=failure.code, message=failure.message))

    def _reported(self, finish: Finish, master: MasterList) -> Finish:
        """Write the master list and the plan, and add them to the result; none leaves no file."""
        artifacts: list[Artifact] = []
        if finish.counts.rejected:
            pieces = master.pieces()
            artifacts.append(self._kept(ArtifactKind.REJECTIONS, "ndjson", pieces, finish))
        return self._with_artifacts(finish, artifacts)

    def _with_artifacts(self, finish: Finish, artifacts: list[Artifact]) -> Finish:
        """The result with these files, and with the plan where there is one."""
        if self.plan is not None:
            pieces = iter((msgspec.json.encode(self.plan),))
            artifacts.append(self._kept(ArtifactKind.PLAN, "plan.json", pieces, finish))
        return replace(finish, artifacts=tuple(artifacts))

    def _kept(
        self, kind: ArtifactKind, suffix: str, pieces: Iterator[bytes], finish: Finish
    ) -> Artifact:
        job = self.context.job
        writer = self.context.parts.blobs.create(BlobName(f"reports/{job.id}.{job.epoch}.{suffix}"))
        digest, size = hashlib.sha256(), 0
        try:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                writer.write(piece)
            name = writer.commit()
        finally:
            writer.discard()
        return Artifact(
            job=job.id,
            project=job.project,
            kind=kind,
            blob=name,
            size_bytes=size,
            sha256=digest.hexdigest(),
            created_at=finish.finished_at,
        )

    def _succeeded(self) -> Finish:
        counts = self.counts
        if not counts.rejected:
            outcome = Outcome.COMPLETE
        else:
            outcome = Outcome.PARTIAL if counts.applied + counts.skipped else Outcome.NONE
        return self._finish(JobState.SUCCEEDED, outcome, None)

    def _failed(self, error: JobError) -> Finish:
        return self._finish(JobState.FAILED, None, error)

    def _canceled(self, kept: str) -> Finish:
        error = JobError(code="CANCELED", message=f"the job was canceled; {kept}")
        return self._finish(JobState.CANCELED, None, error)

    def _finish(self, state: JobState, outcome: Outcome | None, error: JobError | None) -> Finish:
        return Finish(
            state=state,
            outcome=outcome,
            counts=self.counts,
            finished_at=self.context.parts.clock.now(),
            error=error,
            warnings=tuple(as_mapping(warning) for warning in self.warnings),
            format_facts=self.facts,
        )


def error_of(refusal: FileRefused) -> JobError:
    """Why the input could not be read, with its place."""
    return JobError(
        code=refusal.code, message=refusal.message, line=refusal.line, byte=refusal.byte
    )


def skipped_warning(verdicts: Verdicts) -> FileWarning:
    """One warning for all superseded records, naming the first hundred."""
    numbers = verdicts.skipped[:100].tolist()
    return file_warning(
        "DUPLICATE_SKIPPED", count=len(verdicts.skipped), records=", ".join(map(str, numbers))
    )


def as_mapping(warning: FileWarning) -> Mapping[str, object]:
    """A warning as the job shows it, without what does not apply."""
    return {name: value for name, value in asdict(warning).items() if value not in (None, ())}
