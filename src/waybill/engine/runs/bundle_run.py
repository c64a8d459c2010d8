"""A run of an import into a bundle: finds the entity from the header, then imports into that."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from waybill.engine.runs.context import RunContext
from waybill.engine.runs.control import RunCanceled
from waybill.engine.runs.import_run import ImportRun, error_of
from waybill.engine.runs.opening import open_stored, read_options
from waybill.errors import FileRefused, JobFailed
from waybill.model.job import Counts, JobError, JobState
from waybill.ports.job_store import Finish
from waybill.validation.choosing import choose_entity
from waybill.validation.columns import shown_names

if TYPE_CHECKING:
    from waybill.engine.runs.context import RunParts
    from waybill.engine.runs.control import RunControl
    from waybill.model.bundle import Bundle
    from waybill.model.entity import Entity
    from waybill.model.job import Job


@dataclass(slots=True)
class BundleRun:
    """One try at one import into a bundle.

    Every attempt chooses anew, from the same header under the same bundle: so the same entity.
    """

    job: Job
    bundle: Bundle
    parts: RunParts
    control: RunControl
    facts: dict[str, object] = field(default_factory=dict)

    def run(self) -> Finish:
        """See ``ImportRun.run``; a header of no entity of the bundle fails the job."""
        try:
            entity = self._choose()
        except FileRefused as refusal:
            return self._ended(JobState.FAILED, error_of(refusal))
        except JobFailed as failure:
            error = JobError(code=failure.code, message=failure.message)
            return self._ended(JobState.FAILED, error)
        except RunCanceled:
            error = JobError(code="CANCELED", message="the job was canceled; nothing was loaded")
            return self._ended(JobState.CANCELED, error)
        context = RunContext(
            job=self.job,
            entity=entity,
            sink=self.parts.sink_for(entity),
            parts=self.parts,
            control=self.control,
        )
        return ImportRun(context).run()

    def _choose(self) -> Entity:
        """The entity that the whole header tells, also where it stands in no line of the file."""
        name = self.job.input.name if self.job.input else ""
        options = replace(
            read_options(self.job.options, self.bundle, name),
            column_names=(),
            while_waiting=self._check_control,
        )
        with closing(open_stored(self.parts, self.job.input, options)) as opened:
            reader = opened if opened.header.is_complete else opened.widened()
            with closing(reader):
                header = reader.header
                self.facts = {**header.facts, "columns": list(header.names)}
                try:
                    return choose_entity(self.bundle, header.names)
                except FileRefused as refusal:
                    self.facts["columns"] = list(shown_names(header.names, self.bundle.entities))
                    raise FileRefused(
                        refusal.message, code=refusal.code, line=header.line, byte=header.byte
                    ) from refusal

    def _check_control(self) -> None:
        """Only a first attempt may be canceled here: an earlier one may have applied chunks."""
        self.control.check(may_cancel=self.job.epoch == 1)

    def _ended(self, state: JobState, error: JobError) -> Finish:
        return Finish(
            state=state,
            outcome=None,
            counts=Counts(),
            finished_at=self.parts.clock.now(),
            error=error,
            format_facts=self.facts,
        )
