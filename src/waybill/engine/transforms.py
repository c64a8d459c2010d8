"""File tools as clients use them: at once, or as jobs. Every use is scoped by the project."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, field
from functools import partial
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from waybill.engine.accepting import accept
from waybill.engine.job_files import find_artifact, read_pieces
from waybill.engine.transforming import Content, Place, TransformParts, transform
from waybill.errors import ContentInvalid, Gone, NotFound, RateExceeded, StateConflict
from waybill.model.artifact import ArtifactKind
from waybill.model.ids import BlobName
from waybill.model.job import InputFile, JobKind, JobState
from waybill.model.options import ImportOptions
from waybill.model.transform import InputRole
from waybill.ports.job_store import NewJob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from waybill.engine.report_parts import ReportParts
    from waybill.engine.transforming import Made
    from waybill.model.artifact import Artifact
    from waybill.model.job import Job
    from waybill.model.principal import Principal
    from waybill.model.transform import ToolFacts, TransformTerms
    from waybill.ports.dispatcher import Dispatcher
    from waybill.ports.fetcher import Fetcher

MADE_AT_ONCE_BYTES: Final = 256 * 1024 * 1024
"""Most bytes of what a tool makes while somebody waits."""
AT_ONCE_SECONDS: Final = 30.0
"""Longest run of a tool while somebody waits."""
AT_ONCE_RUNS: Final = 8
"""Most runs at the same time for whom somebody waits, in one process."""
TURN_SECONDS: Final = 5.0
"""How long such a run waits for its turn."""

_CHARACTER_BYTES: Final = 4
"""Most bytes of a character in UTF-8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformSubmission:
    """A transform to accept. ``external_id``: empty for the native id."""

    terms: TransformTerms
    file: InputFile
    dialect: str
    external_id: str = ""
    dialect_data: str = "{}"
    client_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFile:
    """A file to send; ``read``: its bytes from an offset on."""

    size_bytes: int
    read: Callable[[int], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transforms:
    """What may be done with file tools."""

    reports: ReportParts
    parts: TransformParts
    fetcher: Fetcher
    dispatcher: Dispatcher
    turns: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(AT_ONCE_RUNS))

    @property
    def tools(self) -> Mapping[str, ToolFacts]:
        """All tools by name."""
        return self.parts.transformer.tools

    def run_now(self, terms: TransformTerms, content: InputFile | bytes) -> Made:
        """Run a tool on stored content, or on bytes, while the caller waits; no job is made.

        What it makes is removed after a day, as everything that no job points at.

        Raises:
            ContentInvalid: the content is not what the tool takes, or takes it too long.
            RateExceeded: too many others are at it.
        """
        name = BlobName(f"results/{self.reports.ids.name('at-once-')}")
        place = Place(name=name, durable=False, most_bytes=MADE_AT_ONCE_BYTES)
        if not self.turns.acquire(timeout=TURN_SECONDS):
            raise RateExceeded(
                "too many files are worked on at once", retry_after_seconds=int(TURN_SECONDS)
            )
        try:
            with self._opened(content) as stream:
                size = len(content) if isinstance(content, bytes) else content.size_bytes
                return transform(self.parts, terms, Content(stream, size), place, self._in_time())
        finally:
            self.turns.release()

    def _in_time(self) -> Callable[[int], None]:
        """Stops what somebody waits for once it has taken too long."""
        clock = self.reports.clock
        deadline = clock.monotonic_seconds() + AT_ONCE_SECONDS

        def look(_read_bytes: int) -> None:
            if clock.monotonic_seconds() > deadline:
                raise ContentInvalid(
                    f"It takes longer than {AT_ONCE_SECONDS:g} seconds: send it as a file or url.",
                    code="PAYLOAD_TOO_LARGE",
                )

        return look

    def _opened(self, content: InputFile | bytes) -> BinaryIO:
        if not isinstance(content, bytes):
            return self.reports.blobs.open(BlobName(content.blob))
        stream = tempfile.TemporaryFile(dir=self.parts.scratch)  # noqa: SIM115 - the caller closes it
        stream.write(content)
        stream.seek(0)
        return stream

    def keep(self, content: bytes, media_type: str) -> InputFile:
        """Store bytes durably, as the input of a job that is about to be made."""
        writer = self.reports.blobs.create(BlobName(f"uploads/{self.reports.ids.name('made-')}"))
        try:
            writer.write(content)
            blob = writer.commit()
        finally:
            writer.discard()
        return InputFile(
            blob=blob,
            name="",
            media_type=media_type,
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )

    def submit(self, principal: Principal, submission: TransformSubmission) -> Job:
        """Accept a transform; once this returns, bytes and job are durable.

        A project's files are fetched one after the other: slow servers hold one worker, no more.
        """
        job_id = self.reports.ids.job_id()
        is_fetched = submission.terms.role is InputRole.ADDRESS
        new = NewJob(
            id=job_id,
            kind=JobKind.TRANSFORM,
            project=principal.project,
            entity=submission.terms.tool,
            lane=f"fetch:{principal.project}" if is_fetched else "",
            options=ImportOptions(),
            descriptor=msgspec.json.encode(submission.terms).decode(),
            input=submission.file,
            client_ref=submission.client_ref,
            dialect=submission.dialect,
            external_id=submission.external_id or job_id,
            dialect_data=submission.dialect_data,
            credential=principal.credential,
            created_at=self.reports.clock.now(),
        )
        return accept(self.reports.store, self.dispatcher, new)

    def check_address(self, url: str) -> None:
        """Refuse a URL that is not to be asked; raises ``RequestInvalid``."""
        self.fetcher.check(url)

    def is_anothers(self, principal: Principal, external_id: str) -> bool:
        """Whether a transform with this id is of another project."""
        owner = self.reports.store.find_transform_owner(external_id)
        return owner is not None and owner != principal.project

    def result(self, job: Job) -> Artifact:
        """What a transform has made.

        Raises:
            StateConflict: it has made nothing, or not yet.
            Gone: its retention has ended.
        """
        artifact = None
        if job.state is JobState.SUCCEEDED:
            artifact = find_artifact(self.reports, job, ArtifactKind.RESULT)
        if artifact is None:
            raise StateConflict("the job has made no file", code="JOB_HAS_NO_RESULT")
        return artifact

    def beginning(self, blob: BlobName, characters: int) -> str:
        """The first characters of a text that was made; raises ``Gone``."""
        try:
            with self.reports.blobs.open(blob) as stream:
                head = stream.read(characters * _CHARACTER_BYTES)
        except NotFound as error:
            raise _gone() from error
        return head.decode(errors="ignore")[:characters]  # the last character may be cut

    def download(self, blob: BlobName) -> MadeFile:
        """What was made, to be sent from any byte on; raises ``Gone``."""
        try:
            size = self.reports.blobs.size(blob)
        except NotFound as error:
            raise _gone() from error
        return MadeFile(size_bytes=size, read=partial(read_pieces, self.reports.blobs, blob))


def _gone() -> Gone:
    return Gone("the retention of this file has ended", code="ARTIFACT_GONE")
