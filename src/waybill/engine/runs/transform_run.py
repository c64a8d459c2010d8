"""A run of a transform: fetch what is only named, run the tool, keep what it makes."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from waybill.engine.runs.control import RunCanceled
from waybill.engine.runs.progress import ProgressMeter
from waybill.engine.transforming import IS_TEXT, Content, Place, TransformParts, transform
from waybill.errors import ContentInvalid, JobFailed, NotFound
from waybill.model.artifact import Artifact, ArtifactKind
from waybill.model.ids import BlobName
from waybill.model.job import Counts, JobError, JobState, Outcome
from waybill.model.transform import InputRole, TransformTerms
from waybill.ports.job_store import Finish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.engine.runs.context import RunParts
    from waybill.engine.runs.control import RunControl
    from waybill.engine.transforming import Made
    from waybill.model.job import InputFile, Job


class Address(msgspec.Struct, frozen=True):
    """What a request says instead of content."""

    url: str


@dataclass(slots=True)
class TransformRun:
    """One try at one transform. Everything it writes before its end lies under its own epoch."""

    job: Job
    parts: RunParts
    control: RunControl

    def run(self) -> Finish:
        """Do all the work; the job is not final before the caller stores the result.

        Raises:
            Fenced: another attempt owns the job.
            RunReleased: the process is stopping; the job goes back to the queue.
            StorageFull: no space; the job goes back to the queue.
        """
        terms = msgspec.json.decode(self.job.descriptor, type=TransformTerms)
        try:
            return self._succeeded(self._made(terms))
        except ContentInvalid as fault:
            return self._failed(
                JobError(
                    code=fault.code, message=fault.message, line=fault.line, column=fault.column
                )
            )
        except JobFailed as failure:
            return self._failed(JobError(code=failure.code, message=failure.message))
        except RunCanceled:
            error = JobError(code="CANCELED", message="the job was canceled; nothing was made")
            return self._finish(JobState.CANCELED, error=error)

    def _made(self, terms: TransformTerms) -> Made:
        file = self.job.input
        if file is None:
            raise JobFailed("the job has no input", code="INPUT_MISSING")
        with self._opened(file) as stored:
            if terms.role is InputRole.CONTENT:
                return self._transformed(terms, Content(stored, file.size_bytes))
            address = msgspec.json.decode(stored.read(), type=Address)
        with tempfile.TemporaryFile(dir=self.parts.scratch) as content:
            most = self.parts.limits.request_body_bytes
            meter = self._meter()
            self.parts.fetcher.fetch(
                address.url,
                content,
                most_bytes=most,
                while_running=lambda _read: meter.checked(Counts(), 0.0),
            )
            size = content.tell()
            content.seek(0)
            return self._transformed(terms, Content(content, size))

    def _opened(self, file: InputFile) -> BinaryIO:
        try:
            return self.parts.blobs.open(BlobName(file.blob))
        except NotFound as error:
            raise JobFailed("the input is not stored any more", code="INPUT_MISSING") from error

    def _transformed(self, terms: TransformTerms, content: Content) -> Made:
        parts = TransformParts(
            blobs=self.parts.blobs,
            transformer=self.parts.transformer,
            scratch=self.parts.scratch,
        )
        meter = self._meter()
        return transform(
            parts,
            terms,
            content,
            Place(
                name=BlobName(f"results/{self.job.id}.{self.job.epoch}"),
                durable=True,
                most_bytes=self.parts.limits.inflated_bytes,
            ),
            lambda read: meter.applied(Counts(), read / max(content.size_bytes, 1)),
        )

    def _meter(self) -> ProgressMeter:
        return ProgressMeter(self.job, self.parts.store, self.parts.clock, self.control)

    def _succeeded(self, made: Made) -> Finish:
        artifact = Artifact(
            job=self.job.id,
            project=self.job.project,
            kind=ArtifactKind.RESULT,
            blob=made.blob,
            size_bytes=made.size_bytes,
            sha256=made.sha256,
            created_at=self.parts.clock.now(),
        )
        return self._finish(
            JobState.SUCCEEDED, artifacts=(artifact,), facts={IS_TEXT: made.is_text}
        )

    def _failed(self, error: JobError) -> Finish:
        return self._finish(JobState.FAILED, error=error)

    def _finish(
        self,
        state: JobState,
        *,
        error: JobError | None = None,
        artifacts: tuple[Artifact, ...] = (),
        facts: Mapping[str, object] | None = None,
    ) -> Finish:
        is_done = state is JobState.SUCCEEDED
        return Finish(
            state=state,
            outcome=Outcome.COMPLETE if is_done else None,
            counts=Counts(read=1, written=1) if is_done else Counts(),
            finished_at=self.parts.clock.now(),
            error=error,
            artifacts=artifacts,
            format_facts=facts or {},
        )
