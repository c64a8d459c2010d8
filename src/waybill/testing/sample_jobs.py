"""Jobs, leases and presences to try a store with."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from waybill.model.ids import HolderId, JobId, ProjectName
from waybill.model.job import Counts, InputFile, JobKind, JobState, Outcome, Phase
from waybill.model.options import ImportOptions
from waybill.ports.job_store import (
    DutyStore,
    Finish,
    JobStore,
    Lease,
    NewJob,
    Progress,
    RunStore,
)

PROJECT: Final = ProjectName("acme")
OTHER_PROJECT: Final = ProjectName("umbrella")
START: Final = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
BOOT: Final = "boot-1"
LIVE: Final = HolderId("live-holder")
DEAD: Final = HolderId("dead-holder")


class CompleteJobStore(JobStore, RunStore, DutyStore, Protocol):
    """One object with the three faces of a store of jobs."""


def at(seconds: float) -> datetime:
    """A time so many seconds after the start."""
    return START + timedelta(seconds=seconds)


def make_new_job(**changes: Any) -> NewJob:  # noqa: ANN401 - any field of NewJob
    """A small import in a lane of its own, with a fresh id."""
    job_id = JobId(f"job-{secrets.token_hex(16)}")
    values: dict[str, Any] = {
        "id": job_id,
        "kind": JobKind.IMPORT,
        "project": PROJECT,
        "entity": "airport",
        "lane": f"lane-{job_id}",
        "options": ImportOptions(),
        "descriptor": '{"name": "airport"}',
        "input": InputFile(
            blob=f"{PROJECT}/inputs/{job_id}",
            name="airports.csv",
            media_type="text/csv",
            size_bytes=42,
            sha256="0" * 64,
        ),
        "client_ref": None,
        "dialect": "waybill",
        "external_id": job_id,
        "dialect_data": "{}",
        "credential": "cred-1",
        "created_at": START,
    }
    return NewJob(**values | changes)


def make_lease(
    holder: HolderId = LIVE, *, boot_id: str = BOOT, until_seconds: float = 1_000.0
) -> Lease:
    """A lease of a living process."""
    return Lease(holder=holder, boot_id=boot_id, until_seconds=until_seconds)


def make_progress(**changes: Any) -> Progress:  # noqa: ANN401 - any field of Progress
    """A run that has checked a part of its input."""
    values: dict[str, Any] = {"phase": Phase.CHECKING, "progress": 0.25, "counts": Counts(read=10)}
    return Progress(**values | changes)


def make_finish(**changes: Any) -> Finish:  # noqa: ANN401 - any field of Finish
    """The good end of an import of ten records."""
    values: dict[str, Any] = {
        "state": JobState.SUCCEEDED,
        "outcome": Outcome.COMPLETE,
        "counts": Counts(read=10, created=10),
        "finished_at": at(60),
    }
    return Finish(**values | changes)


@dataclass(slots=True)
class NamedPresence:
    """A presence that knows the dead by name."""

    holder: HolderId = LIVE
    gone: set[HolderId] = field(default_factory=lambda: {DEAD})

    def is_gone(self, holder: HolderId) -> bool:
        """See ``Presence.is_gone``."""
        return holder in self.gone
