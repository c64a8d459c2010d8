"""A job: its states, the one table of transitions, its counts and attempts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from waybill.model.ids import HolderId, JobId, ProjectName
    from waybill.model.options import ImportOptions


CHOSEN_ENTITY: Final = "entity"
"""The format fact that names which entity of a bundle the file is of."""
SAME_FILE_AS: Final = "same_file_as"
"""The format fact that names the job that read the same file, so that this one need not."""


class JobKind(StrEnum):
    """What a run of the job does; never changes its life cycle."""

    IMPORT = "import"
    EXPORT = "export"
    TRANSFORM = "transform"


class JobState(StrEnum):
    """Where a job is in its life."""

    BLOCKED = "blocked"
    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        """Whether nothing can change any more."""
        return not TRANSITIONS[self]


TRANSITIONS: Final[Mapping[JobState, frozenset[JobState]]] = {
    JobState.BLOCKED: frozenset({JobState.WAITING, JobState.CANCELED}),
    JobState.WAITING: frozenset({JobState.RUNNING, JobState.CANCELED}),
    JobState.RUNNING: frozenset(
        {JobState.WAITING, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED}
    ),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELED: frozenset(),
}
"""The only changes of state there are. ``running -> waiting`` is the reconciler's, or a stop's."""

FINAL_STATES: Final = frozenset(state for state in JobState if state.is_final)


class Outcome(StrEnum):
    """How a succeeded job came out: no, some, or all of its records were rejected."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    NONE = "none"


class Phase(StrEnum):
    """What a running job is doing; for people, not for control."""

    QUEUED = "queued"
    CHECKING = "checking"
    MATCHING = "matching"
    APPLYING = "applying"
    REPORTING = "reporting"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many records met which end.

    Law, checked in the database when an import ends: ``read`` is the sum of ``created``,
    ``updated``, ``unchanged``, ``deleted``, ``rejected``, ``skipped`` and ``unprocessed``.
    ``removed`` were never read (snapshot, clear); ``written`` is for exports and transforms.
    """

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    removed: int = 0
    rejected: int = 0
    skipped: int = 0
    unprocessed: int = 0
    written: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Sum of both, name by name."""
        return Counts(**{n: getattr(self, n) + getattr(other, n) for n in self.__slots__})

    @property
    def applied(self) -> int:
        """Records whose effect stands in the sink."""
        return self.created + self.updated + self.unchanged + self.deleted

    @property
    def changed(self) -> int:
        """How many records are not as before."""
        return self.created + self.updated + self.deleted + self.removed

    @property
    def is_conserved(self) -> bool:
        """Whether the conservation law holds."""
        return self.read == self.applied + self.rejected + self.skipped + self.unprocessed


class AttemptEnd(StrEnum):
    """Why an attempt ended."""

    FINISHED = "finished"
    RELEASED = "released"
    CRASHED = "crashed"
    LEASE_EXPIRED = "lease_expired"
    STORAGE = "storage"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at running a job; ``ended_at`` and ``end`` are ``None`` while it runs."""

    epoch: int
    worker: HolderId
    started_at: datetime
    ended_at: datetime | None = None
    end: AttemptEnd | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """Why a job failed or was canceled; ``line``, ``byte``, ``column`` where it has a place."""

    code: str
    message: str
    line: int | None = None
    byte: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """What the client sent, as stored: the bytes on the wire, before any decoding."""

    blob: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job as the store holds it.

    ``entity``: name of the entity, or of the bundle. ``descriptor``: what describes it, pinned at
    acceptance.
    ``progress``: 0..1, never falls, 1.0 only when final. ``rate``: records per second of the
    running attempt, ``eta_seconds`` the rest it needs; ``None`` where unknown.
    ``format_facts``: what the reader chose (delimiter, encoding, header), for people.
    ``parent``: the dry run whose plan it applies. ``external_id``: the id in the form of
    ``dialect``. ``dialect_data``: read by that dialect only.
    """

    id: JobId
    sequence: int
    kind: JobKind
    project: ProjectName
    entity: str
    lane: str
    state: JobState
    outcome: Outcome | None
    phase: Phase
    progress: float
    counts: Counts
    options: ImportOptions
    descriptor: str
    input: InputFile | None
    client_ref: str | None
    dialect: str
    external_id: str
    dialect_data: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    not_before: datetime | None
    epoch: int
    cancel_requested: bool
    credential: str
    parent: JobId | None = None
    rate: float | None = None
    eta_seconds: float | None = None
    error: JobError | None = None
    format_facts: Mapping[str, object] = field(default_factory=dict)
    warnings: tuple[Mapping[str, object], ...] = ()

    @property
    def is_final(self) -> bool:
        """Whether the job is over."""
        return self.state.is_final

    @property
    def chosen_entity(self) -> str | None:
        """Name of the entity that a bundle's job found from the header; ``None`` without one."""
        name = self.format_facts.get(CHOSEN_ENTITY)
        return name if isinstance(name, str) else None
