"""Jobs as clients see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waybill.errors import StateConflict
from waybill.model.artifact import Artifact, ArtifactKind
from waybill.model.ids import BlobName
from waybill.model.job import JobState
from waybill.ports.job_store import JobPage, QueueStats
from waybill.stores.sqlite.keys import answer_key
from waybill.stores.sqlite.part import Part, change, every, one
from waybill.stores.sqlite.queries import QUERIES
from waybill.stores.sqlite.read_cache import ReadCache
from waybill.stores.sqlite.rows import (
    digest_of,
    from_artifact,
    from_new_job,
    to_artifact,
    to_attempt,
)
from waybill.stores.sqlite.tallies import read_tallies, tally_early_cancel
from waybill.stores.sqlite.values import (
    from_cursor,
    to_cursor,
    to_json_or_none,
    to_microseconds,
    to_microseconds_or_none,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import apsw

    from waybill.model.ids import JobId, ProjectName
    from waybill.model.job import Attempt, InputFile, Job
    from waybill.ports.job_store import JobFilter, NewJob
    from waybill.stores.sqlite.database import Database


class Jobs(Part):
    """Accept, find, list, cancel."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        mark = database.current_mark
        self._found: ReadCache[tuple[str, str], Job] = ReadCache(mark)
        self._attempts: ReadCache[JobId, Sequence[Attempt]] = ReadCache(mark)
        self._artifacts: ReadCache[JobId, Sequence[Artifact]] = ReadCache(mark)

    def add_job(self, new: NewJob) -> Job:
        """See ``JobStore.add_job``.

        Raises:
            StateConflict: the id, or the external id in the project, is taken.
        """
        return self._database.write(lambda writer: self._add(writer, new))

    def find_job(self, project: ProjectName, job_id: str) -> Job | None:
        """See ``JobStore.find_job``."""
        return self._found.find((job_id, project), self._read_found)

    def find_transform_owner(self, external_id: str) -> ProjectName | None:
        """See ``JobStore.find_transform_owner``."""
        parameters = {"external_id": external_id}
        row = self._database.read(lambda reader: one(reader, "find_owner", parameters))
        return None if row is None else row[0]

    def list_jobs(
        self, project: ProjectName, wanted: JobFilter, *, cursor: str, limit: int
    ) -> JobPage:
        """See ``JobStore.list_jobs``."""
        parameters = _filter_parameters(wanted) | {
            "project": project,
            "before": from_cursor(cursor),
            "limit": limit + 1,
        }
        jobs = self._database.read(
            lambda reader: [
                self._job(reader, row) for row in every(reader, "list_jobs", parameters)
            ]
        )
        page = jobs[:limit]
        is_last = len(jobs) <= limit
        return JobPage(jobs=page, next=None if is_last else to_cursor(page[-1].sequence))

    def attempts(self, job: JobId) -> Sequence[Attempt]:
        """See ``JobStore.attempts``."""
        return self._attempts.find(job, self._read_attempts) or ()

    def artifacts(self, job: JobId) -> Sequence[Artifact]:
        """See ``JobStore.artifacts``."""
        return self._artifacts.find(job, self._read_artifacts) or ()

    def add_artifact(self, artifact: Artifact) -> Artifact:
        """See ``JobStore.add_artifact``."""
        return self._database.write(lambda writer: _keep_artifact(writer, artifact))

    def request_cancel(self, project: ProjectName, job: JobId, now: datetime) -> Job | None:
        """See ``JobStore.request_cancel``."""
        parameters = {"id": job, "project": project, "now": to_microseconds(now)}
        return self._database.write(lambda writer: self._cancel(writer, parameters))

    def queue_stats(self, now: datetime) -> QueueStats:
        """See ``JobStore.queue_stats``."""
        counts, since, tallies = self._database.read(_read_stats)
        oldest = to_microseconds(now) if since is None or since[0] is None else since[0]
        return QueueStats(
            jobs_by_state=dict.fromkeys(JobState, 0)
            | {JobState(state): count for state, count in counts},
            oldest_waiting_seconds=max(0.0, (to_microseconds(now) - oldest) / 1e6),
            tallies=tallies,
        )

    def _add(self, writer: apsw.Connection, new: NewJob) -> Job:
        digest = digest_of(new.descriptor)
        change(writer, "add_descriptor", {"sha256": digest, "body": new.descriptor})
        if not change(writer, "add_job", from_new_job(new)):
            raise StateConflict("a job with this id exists already", code="JOB_EXISTS")
        if new.input is not None:
            _keep_artifact(writer, _input_artifact(new, new.input))
        if new.idempotency_key is not None:
            answer_key(writer, new)
        return self._read_job(writer, new.id)

    def _read_found(self, key: tuple[str, str]) -> Job | None:
        return self._database.read(lambda reader: self._find(reader, key))

    def _read_attempts(self, job: JobId) -> Sequence[Attempt]:
        rows = self._database.read(lambda reader: every(reader, "list_attempts", (job,)))
        return tuple(to_attempt(row) for row in rows)

    def _read_artifacts(self, job: JobId) -> Sequence[Artifact]:
        rows = self._database.read(lambda reader: every(reader, "list_artifacts", (job,)))
        return tuple(to_artifact(row) for row in rows)

    def _find(self, connection: apsw.Connection, key: tuple[str, str]) -> Job | None:
        row = connection.execute(QUERIES["find_job"], key).fetchone()
        if row is None:
            row = connection.execute(QUERIES["find_job_by_external_id"], key).fetchone()
        return None if row is None else self._job(connection, row)

    def _cancel(self, writer: apsw.Connection, parameters: dict[str, Any]) -> Job | None:
        canceled = one(writer, "cancel_job", parameters)
        if canceled is None:
            change(writer, "request_cancel", parameters)
        else:
            every(writer, "free_lane", parameters | {"lane": canceled[0]})
            tally_early_cancel(writer)
        return self._find(writer, (parameters["id"], parameters["project"]))


def _read_stats(
    reader: apsw.Connection,
) -> tuple[Sequence[tuple[Any, ...]], tuple[Any, ...] | None, Mapping[str, Mapping[str, float]]]:
    return (
        every(reader, "count_jobs"),
        one(reader, "find_oldest_waiting"),
        read_tallies(reader),
    )


def _filter_parameters(wanted: JobFilter) -> dict[str, Any]:
    return {
        "states": to_json_or_none(wanted.states),
        "kind": wanted.kind,
        "entity": wanted.entity,
        "client_ref": wanted.client_ref,
        "dialect": wanted.dialect,
        "credential": wanted.credential,
        "created_after": to_microseconds_or_none(wanted.created_after),
        "created_before": to_microseconds_or_none(wanted.created_before),
    }


def _input_artifact(new: NewJob, file: InputFile) -> Artifact:
    return Artifact(
        job=new.id,
        project=new.project,
        kind=ArtifactKind.INPUT,
        blob=BlobName(file.blob),
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        created_at=new.created_at,
    )


def _keep_artifact(writer: apsw.Connection, artifact: Artifact) -> Artifact:
    """Add an artifact; gives the stored one of its kind."""
    if change(writer, "add_artifact", from_artifact(artifact)):
        return artifact
    key = {"job": artifact.job, "kind": artifact.kind}
    return to_artifact(every(writer, "find_artifact", key)[0])
