"""What the server answers, typed. Members that this version does not know are left in ``raw``."""

from __future__ import annotations

from typing import Any

import msgspec


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many records met which end."""

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


class JobError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed; ``line``, ``byte``, ``column`` where the cause has a place in the file."""

    code: str
    message: str
    line: int | None = None
    byte: int | None = None
    column: int | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One job; ``raw`` is the whole answer. ``progress`` is 0..1, times are RFC 3339 text."""

    id: str
    state: str
    kind: str = "import"
    parent: str | None = None
    project: str = ""
    entity: str = ""
    chosen_entity: str | None = None
    outcome: str | None = None
    phase: str = ""
    progress: float = 0.0
    counts: Counts = msgspec.field(default_factory=Counts)
    client_ref: str | None = None
    created_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    rate: float | None = None
    eta_seconds: float | None = None
    error: JobError | None = None
    links: dict[str, str | None] = {}
    raw: dict[str, Any] = {}

    @property
    def is_final(self) -> bool:
        """Whether nothing changes any more."""
        return self.state in {"succeeded", "failed", "canceled"}


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How many stored records of a kind would go, of how many."""

    kind: str
    gone: int
    stored: int


class PlannedChange(msgspec.Struct, frozen=True, kw_only=True):
    """A record before and after; ``record`` is its number in the file, if it has one."""

    record: int | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a job would do; ``samples`` are a few changes by ``created``, ``updated`` and so on."""

    hash: str
    counts: Counts
    shares: list[Share] = []
    samples: dict[str, list[PlannedChange]] = {}
    raw: dict[str, Any] = {}


class JobPage(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs, newest first, and the cursor of the next page (``None`` at the end)."""

    jobs: list[Job]
    next: str | None = None
    raw: dict[str, Any] = {}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a record; ``column`` counts from 1."""

    code: str
    message: str
    field: str | None = None
    column: int | None = None
    value: str | None = None
    expected: str | None = None
    hint: str | None = None
    cell: str | None = None
    pointer: str | None = None


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """One rejected record; ``data`` maps header names to raw cells.

    ``kinds``: of the cells that are no strings, where the format of the file tells.
    """

    record: int
    line: int
    byte: int | None
    data: dict[str, Any] = {}
    findings: list[Finding] = []
    kinds: dict[str, str] = {}


class RejectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Rejections in input order, how many there are in all, and the cursor of the next page."""

    rejections: list[Rejection]
    total: int
    next: str | None = None
    raw: dict[str, Any] = {}
