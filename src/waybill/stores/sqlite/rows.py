"""Rows of the database as values of the model, and the other way."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from waybill.model.artifact import Artifact, ArtifactKind
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
from waybill.stores.sqlite.values import (
    to_facts,
    to_json,
    to_microseconds,
    to_microseconds_or_none,
    to_moment,
    to_moment_or_none,
    to_options,
    to_warnings,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from waybill.ports.job_store import NewJob

# A lookup in a dict costs a third of a call of the enum, and a status poll makes four.
_KINDS: Final = {kind.value: kind for kind in JobKind}
_STATES: Final = {state.value: state for state in JobState}
_PHASES: Final = {phase.value: phase for phase in Phase}
_OUTCOMES: Final = {outcome.value: outcome for outcome in Outcome}


def to_job(row: tuple[Any, ...], descriptor_of: Callable[[bytes], str]) -> Job:
    """The job of a row of ``job_rows``; ``descriptor_of`` finds a pinned descriptor by digest."""
    return Job(
        id=row[0],
        sequence=row[1],
        kind=_KINDS[row[2]],
        project=row[3],
        entity=row[4],
        lane=row[5],
        state=_STATES[row[6]],
        outcome=_OUTCOMES.get(row[7]),
        phase=_PHASES[row[8]],
        progress=row[9],
        counts=_to_counts(row[10:20]),
        options=to_options(row[20]),
        descriptor=descriptor_of(row[21]),
        input=None if row[22] is None else _to_input(row[22:27]),
        client_ref=row[27],
        dialect=row[28],
        external_id=row[29],
        dialect_data=row[30],
        created_at=to_moment(row[31]),
        started_at=to_moment_or_none(row[32]),
        finished_at=to_moment_or_none(row[33]),
        not_before=to_moment_or_none(row[34]),
        epoch=row[35],
        cancel_requested=bool(row[36]),
        credential=row[37],
        rate=row[38],
        eta_seconds=row[39],
        error=None if row[40] is None else _to_error(row[40:45]),
        format_facts=to_facts(row[45]),
        warnings=to_warnings(row[46]),
        parent=row[47],
    )


def _to_counts(row: tuple[int, ...]) -> Counts:
    return Counts(
        read=row[0],
        created=row[1],
        updated=row[2],
        unchanged=row[3],
        deleted=row[4],
        removed=row[5],
        rejected=row[6],
        skipped=row[7],
        unprocessed=row[8],
        written=row[9],
    )


def _to_input(row: tuple[Any, ...]) -> InputFile:
    blob, name, media_type, size_bytes, digest = row
    return InputFile(
        blob=blob, name=name, media_type=media_type, size_bytes=size_bytes, sha256=digest
    )


def _to_error(row: tuple[Any, ...]) -> JobError:
    code, message, line, byte, column = row
    return JobError(code=code, message=message, line=line, byte=byte, column=column)


def from_counts(counts: Counts) -> dict[str, int]:
    """Parameters of a statement that stores counts."""
    return {
        "read": counts.read,
        "created": counts.created,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "deleted": counts.deleted,
        "removed": counts.removed,
        "rejected": counts.rejected,
        "skipped": counts.skipped,
        "unprocessed": counts.unprocessed,
        "written": counts.written,
    }


def from_new_job(new: NewJob) -> dict[str, str | int | bytes | None]:
    """Parameters of ``add_job``."""
    file = new.input
    return {
        "id": new.id,
        "kind": new.kind,
        "project": new.project,
        "entity": new.entity,
        "lane": new.lane,
        "options": to_json(new.options),
        "descriptor_sha256": digest_of(new.descriptor),
        "input_blob": file.blob if file else None,
        "input_name": file.name if file else None,
        "input_media_type": file.media_type if file else None,
        "input_size_bytes": file.size_bytes if file else None,
        "input_sha256": file.sha256 if file else None,
        "client_ref": new.client_ref,
        "dialect": new.dialect,
        "external_id": new.external_id,
        "dialect_data": new.dialect_data,
        "credential": new.credential,
        "parent": new.parent,
        "created_at": to_microseconds(new.created_at),
    }


def digest_of(descriptor: str) -> bytes:
    """What a pinned descriptor is found by."""
    return sha256(descriptor.encode()).digest()


def to_attempt(row: tuple[Any, ...]) -> Attempt:
    """The attempt of a row of ``list_attempts``."""
    epoch, worker, started_at, ended_at, ended_by, detail = row
    return Attempt(
        epoch=epoch,
        worker=worker,
        started_at=to_moment(started_at),
        ended_at=to_moment_or_none(ended_at),
        end=None if ended_by is None else AttemptEnd(ended_by),
        detail=detail,
    )


def to_artifact(row: tuple[Any, ...]) -> Artifact:
    """The artifact of a row of ``list_artifacts``."""
    job, project, kind, blob, size_bytes, digest, created_at, purged_at = row
    return Artifact(
        job=job,
        project=project,
        kind=ArtifactKind(kind),
        blob=blob,
        size_bytes=size_bytes,
        sha256=digest,
        created_at=to_moment(created_at),
        purged_at=to_moment_or_none(purged_at),
    )


def from_artifact(artifact: Artifact) -> dict[str, str | int | None]:
    """Parameters of ``add_artifact``."""
    return {
        "job": artifact.job,
        "project": artifact.project,
        "kind": artifact.kind,
        "blob": artifact.blob,
        "size_bytes": artifact.size_bytes,
        "sha256": artifact.sha256,
        "created_at": to_microseconds(artifact.created_at),
        "purged_at": to_microseconds_or_none(artifact.purged_at),
    }
