"""Jobs as workers see them: every write names its epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import apsw

from waybill.errors import Fenced
from waybill.model.job import AttemptEnd, JobState
from waybill.ports.job_store import ANY_SIZE
from waybill.stores.sqlite.part import Part, change, every, one
from waybill.stores.sqlite.rows import from_artifact, from_counts
from waybill.stores.sqlite.tallies import tally_finish
from waybill.stores.sqlite.values import (
    to_json,
    to_json_or_none,
    to_microseconds,
    to_microseconds_or_none,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from waybill.model.ids import JobId
    from waybill.model.job import Job
    from waybill.ports.job_store import Finish, Lease, Progress


class Runs(Part):
    """Claim, renew, progress, finish, release."""

    def claim_jobs(
        self, lease: Lease, now: datetime, *, limit: int, input_bytes: range = ANY_SIZE
    ) -> Sequence[Job]:
        """See ``RunStore.claim_jobs``."""
        parameters = _lease_parameters(lease) | {
            "now": to_microseconds(now),
            "limit": limit,
            "least_bytes": input_bytes.start,
            "most_bytes": input_bytes.stop - 1,
        }
        # Idle workers look often; looking needs no turn at the write lock.
        if not self._database.read(lambda reader: every(reader, "find_claimable", parameters)):
            return []
        return self._database.write(lambda writer: self._claim(writer, parameters))

    def renew_leases(self, runs: Mapping[JobId, int], lease: Lease) -> Mapping[JobId, bool]:
        """See ``RunStore.renew_leases``."""
        if not runs:
            return {}
        parameters = _lease_parameters(lease)
        return self._database.write(lambda writer: _renew(writer, runs, parameters))

    def save_progress(self, job: JobId, epoch: int, progress: Progress) -> bool:
        """See ``RunStore.save_progress``."""
        return self._database.write(lambda writer: _save_progress(writer, job, epoch, progress))

    def finish_job(self, job: JobId, epoch: int, finish: Finish) -> Sequence[JobId]:
        """See ``RunStore.finish_job``."""
        freed = self.finish_jobs({job: (epoch, finish)})
        _refuse_fenced(job in freed)
        return freed[job]

    def finish_jobs(
        self, ends: Mapping[JobId, tuple[int, Finish]]
    ) -> Mapping[JobId, Sequence[JobId]]:
        """See ``RunStore.finish_jobs``."""
        for _, finish in ends.values():
            if not finish.state.is_final:
                raise ValueError(f"a job does not end {finish.state}")
        return self._database.write(lambda writer: _finish_all(writer, ends))

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
        """See ``RunStore.release_job``."""
        parameters = {
            "id": job,
            "epoch": epoch,
            "ended_by": end,
            "detail": detail,
            "now": to_microseconds(now),
            "not_before": to_microseconds_or_none(not_before),
        }

        def release(writer: apsw.Connection) -> None:
            _refuse_fenced(change(writer, "release_job", parameters))
            change(writer, "end_attempt", parameters)

        self._database.write(release)

    def _claim(self, writer: apsw.Connection, parameters: dict[str, Any]) -> Sequence[Job]:
        claimed = sorted(every(writer, "claim_jobs", parameters))
        for _, job in claimed:
            change(writer, "add_attempt", {"id": job})
        return [self._read_job(writer, job) for _, job in claimed]


def _refuse_fenced(owned: object) -> None:
    if not owned:
        raise Fenced("another attempt owns this job")


def _lease_parameters(lease: Lease) -> dict[str, Any]:
    return {
        "holder": lease.holder,
        "boot_id": lease.boot_id,
        "until_seconds": lease.until_seconds,
    }


def _renew(
    writer: apsw.Connection, runs: Mapping[JobId, int], parameters: dict[str, Any]
) -> dict[JobId, bool]:
    owned: dict[JobId, bool] = {}
    for job, epoch in runs.items():
        row = one(writer, "renew_lease", parameters | {"id": job, "epoch": epoch})
        if row is not None:
            owned[job] = bool(row[0])
    return owned


def _save_progress(writer: apsw.Connection, job: JobId, epoch: int, progress: Progress) -> bool:
    parameters = from_counts(progress.counts) | {
        "id": job,
        "epoch": epoch,
        "phase": progress.phase,
        "progress": progress.progress,
        "rate": progress.rate,
        "eta_seconds": progress.eta_seconds,
        "format_facts": to_json_or_none(progress.format_facts),
    }
    row = one(writer, "save_progress", parameters)
    if row is None:
        raise Fenced("another attempt owns this job")
    return bool(row[0])


def _finish_all(
    writer: apsw.Connection, ends: Mapping[JobId, tuple[int, Finish]]
) -> dict[JobId, Sequence[JobId]]:
    freed = {job: _finish(writer, job, epoch, finish) for job, (epoch, finish) in ends.items()}
    return {job: waiting for job, waiting in freed.items() if waiting is not None}


def _finish(
    writer: apsw.Connection, job: JobId, epoch: int, finish: Finish
) -> Sequence[JobId] | None:
    """The jobs that became ``waiting``; ``None`` where another attempt owns the job."""
    try:
        row = one(writer, "finish_job", _finish_parameters(job, epoch, finish))
    except apsw.ConstraintError as error:
        raise ValueError(f"job {job} cannot end {finish.state}: {error}") from error
    if row is None:
        return None
    now = to_microseconds(finish.finished_at)
    change(writer, "end_attempt", _end_parameters(job, epoch, finish))
    tally_finish(writer, finish)
    for artifact in finish.artifacts:
        change(writer, "add_artifact", from_artifact(artifact))
    freed = every(writer, "free_lane", {"project": row[0], "lane": row[1], "now": now})
    return [freed_job for (freed_job,) in freed]


def _finish_parameters(job: JobId, epoch: int, finish: Finish) -> dict[str, Any]:
    error = finish.error
    return from_counts(finish.counts) | {
        "id": job,
        "epoch": epoch,
        "state": finish.state,
        "outcome": finish.outcome,
        "finished_at": to_microseconds(finish.finished_at),
        "error_code": error.code if error else None,
        "error_message": error.message if error else None,
        "error_line": error.line if error else None,
        "error_byte": error.byte if error else None,
        "error_column": error.column if error else None,
        "format_facts": to_json_or_none(finish.format_facts),
        "warnings": to_json(finish.warnings),
    }


def _end_parameters(job: JobId, epoch: int, finish: Finish) -> dict[str, Any]:
    usual = AttemptEnd.CANCELED if finish.state is JobState.CANCELED else AttemptEnd.FINISHED
    return {
        "id": job,
        "epoch": epoch,
        "ended_by": finish.end or usual,
        "detail": finish.detail,
        "now": to_microseconds(finish.finished_at),
    }
