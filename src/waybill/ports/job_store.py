"""Jobs and all that belongs to them: the truth. Passed by ``waybill.testing.JobStoreContract``.

Every method is one transaction. Every write of a run names its epoch and raises ``Fenced`` when
another attempt owns the job. All raise ``StorageFull`` or ``StoreUnavailable`` when the database
cannot be written or reached; nothing was written then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from waybill.model.artifact import Artifact, ArtifactKind
    from waybill.model.ids import BlobName, HolderId, JobId, ProjectName
    from waybill.model.job import (
        Attempt,
        AttemptEnd,
        Counts,
        InputFile,
        Job,
        JobError,
        JobKind,
        JobState,
        Outcome,
        Phase,
    )
    from waybill.model.options import ImportOptions
    from waybill.ports.clock import Presence

ANY_SIZE: Final = range(1 << 62)
"""Every size of an input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job to accept; the store gives it its sequence and decides ``waiting`` or ``blocked``."""

    id: JobId
    kind: JobKind
    project: ProjectName
    entity: str
    lane: str
    options: ImportOptions
    descriptor: str
    input: InputFile | None
    client_ref: str | None
    dialect: str
    external_id: str
    dialect_data: str
    credential: str
    created_at: datetime
    parent: JobId | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyClaim:
    """An Idempotency-Key being used for the first time, or again.

    ``job``: the job that the key made, ``None`` while the caller owns the key and must finish it
    by ``add_job`` or ``release_key``. ``fingerprint``: SHA-256 of the first request, empty before
    it is known.
    """

    job: JobId | None
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs to list; ``None`` or empty means any."""

    states: frozenset[JobState] = frozenset()
    kind: JobKind | None = None
    entity: str | None = None
    client_ref: str | None = None
    dialect: str | None = None
    credential: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """Jobs, newest first, and the cursor of the next page (``None`` at the end)."""

    jobs: Sequence[Job]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who runs a job and until when, by the host's monotonic clock of one boot."""

    holder: HolderId
    boot_id: str
    until_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is; ``progress`` never lowers the stored one."""

    phase: Phase
    progress: float
    counts: Counts
    rate: float | None = None
    eta_seconds: float | None = None
    format_facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """How a run ends; the store checks the conservation law and frees the lane.

    ``end``: why the attempt ended, ``None`` for ``canceled`` or ``finished`` after ``state``; a
    rescuer that gives a job up says what became of its last attempt. ``detail``: the same in words.
    ``phase_seconds``: what the phases of this attempt took.
    """

    state: JobState
    outcome: Outcome | None
    counts: Counts
    finished_at: datetime
    error: JobError | None = None
    artifacts: tuple[Artifact, ...] = ()
    warnings: tuple[Mapping[str, object], ...] = ()
    format_facts: Mapping[str, object] = field(default_factory=dict)
    end: AttemptEnd | None = None
    detail: str = ""
    phase_seconds: Mapping[Phase, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStats:
    """What the queue holds; ``oldest_waiting_seconds`` is 0 when nothing waits.

    ``tallies``: sums over all jobs that ever ended, by name and label: ``records`` by outcome word,
    ``jobs`` by final state, ``phase_seconds`` by phase. A label is there once it was counted.
    """

    jobs_by_state: Mapping[JobState, int]
    oldest_waiting_seconds: float
    tallies: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


class JobStore(Protocol):
    """Jobs as clients see them."""

    def claim_key(
        self, project: ProjectName, key: str, holder: HolderId, presence: Presence, now: datetime
    ) -> KeyClaim:
        """Begin the use of an Idempotency-Key.

        A key whose first user died before its answer is taken over.

        Raises:
            KeyInFlight: another request with this key is unanswered and its process lives.
        """

    def set_key_fingerprint(self, project: ProjectName, key: str, fingerprint: str) -> None:
        """Store the fingerprint of the request that owns the key, before its job is added."""

    def release_key(self, project: ProjectName, key: str) -> None:
        """Give up an owned key whose request was refused; safe to repeat."""

    def add_job(self, new: NewJob) -> Job:
        """Accept a job: ``waiting``, or ``blocked`` behind an unfinished one of its lane.

        Its Idempotency-Key, if any, is answered in the same transaction. The input becomes an
        artifact. An empty lane never blocks.

        Raises:
            StateConflict: the id, or the external id in the project, is taken.
            KeyInFlight: another request has taken the key over and answered it.
        """

    def find_job(self, project: ProjectName, job_id: str) -> Job | None:
        """The project's job by native or external id."""

    def find_transform_owner(self, external_id: str) -> ProjectName | None:
        """The project that has a transform of this external id, whoever asks."""

    def list_jobs(
        self, project: ProjectName, wanted: JobFilter, *, cursor: str, limit: int
    ) -> JobPage:
        """A page of the project's jobs, newest first.

        Raises:
            RequestInvalid: the cursor is not one of ours.
        """

    def attempts(self, job: JobId) -> Sequence[Attempt]:
        """Every attempt at a job, first to last."""

    def artifacts(self, job: JobId) -> Sequence[Artifact]:
        """The files of a job, the purged ones included."""

    def add_artifact(self, artifact: Artifact) -> Artifact:
        """Add a file made after the end; gives the stored one where its kind exists already."""

    def request_cancel(self, project: ProjectName, job: JobId, now: datetime) -> Job | None:
        """Cancel at once what has never run, else ask the run to stop; a final job is unchanged.

        A job that has run and waits for its next run stays ``waiting``, free to be claimed at
        once: only a run can close it in the sink and count what was kept.
        Raises nothing for a final job; ``None`` where the project has no such job.
        """

    def queue_stats(self, now: datetime) -> QueueStats:
        """Counts over all projects."""


class RunStore(Protocol):
    """Jobs as workers see them."""

    def claim_jobs(
        self, lease: Lease, now: datetime, *, limit: int, input_bytes: range = ANY_SIZE
    ) -> Sequence[Job]:
        """Take up to ``limit`` waiting jobs, oldest first, each with epoch + 1 and a new attempt.

        A job whose ``not_before`` lies ahead is left, and one whose stored input has a size outside
        ``input_bytes``. A claimed job may have its cancel requested.
        """

    def renew_leases(self, runs: Mapping[JobId, int], lease: Lease) -> Mapping[JobId, bool]:
        """Extend the leases of runs by job and epoch.

        Gives, for each one still owned, whether its cancel is requested; a missing one is lost.
        """

    def save_progress(self, job: JobId, epoch: int, progress: Progress) -> bool:
        """Store progress; tells whether a cancel is requested."""

    def finish_job(self, job: JobId, epoch: int, finish: Finish) -> Sequence[JobId]:
        """End a run for good; gives the jobs of the lane that became ``waiting``.

        Raises:
            Fenced: another attempt owns the job.
            ValueError: the counts of an import do not obey the conservation law.
        """

    def finish_jobs(
        self, ends: Mapping[JobId, tuple[int, Finish]]
    ) -> Mapping[JobId, Sequence[JobId]]:
        """End runs by job and epoch, in one transaction.

        Gives what ``finish_job`` gives, for each one still owned; a missing one is lost.

        Raises:
            ValueError: counts do not obey the conservation law; no run is ended.
        """

    def release_job(
        self,
        job: JobId,
        epoch: int,
        *,
        end: AttemptEnd,
        detail: str,
        now: datetime,
        not_before: datetime | None,
    ) -> None:
        """Give a run back: ``waiting``, epoch + 1, so that what it still does is fenced."""

    def attempts(self, job: JobId) -> Sequence[Attempt]:
        """See ``JobStore.attempts``."""


class DutyStore(Protocol):
    """What the background duties ask for; each step is idempotent."""

    def stale_runs(
        self, presence: Presence, boot_id: str, monotonic_seconds: float
    ) -> Sequence[Job]:
        """Running jobs whose lease is over, of another boot, or held by a dead process."""

    def free_lanes(self) -> Sequence[JobId]:
        """Make ``waiting`` every ``blocked`` job whose predecessor is final; gives them."""

    def purgeable(
        self, kinds: Collection[ArtifactKind], finished_before: datetime, *, limit: int
    ) -> Sequence[Artifact]:
        """Artifacts of final jobs that ended before that time and still have their bytes."""

    def mark_purged(self, artifact: Artifact, now: datetime) -> None:
        """Note that an artifact's bytes are gone; its size and hash stay."""

    def is_referenced(self, blob: BlobName) -> bool:
        """Whether an unpurged artifact (an input is one) points at a blob, or a run may use it.

        The files of a run lie under the id of its job, or begin with it and a dot.
        ``True`` for every blob while a key has its fingerprint and not yet its job: that request
        has its bytes stored and is about to add the job.
        """

    def forget_keys(self, created_before: datetime) -> int:
        """Drop Idempotency-Keys older than that, answered or abandoned; gives how many."""
