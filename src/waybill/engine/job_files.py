"""What is kept of a job: its artifacts, its input, the header and the entity it was read under."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.engine.inputs.completing import completed
from waybill.engine.runs.opening import read_options
from waybill.errors import FileRefused, Gone, StateConflict
from waybill.model.artifact import ArtifactKind
from waybill.model.entity import Entity
from waybill.model.ids import BlobName
from waybill.model.job import JobKind
from waybill.model.plan import Plan
from waybill.validation.columns import match_columns
from waybill.validation.pinned import read_pinned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.engine.report_parts import ReportParts
    from waybill.model.artifact import Artifact
    from waybill.model.job import Job
    from waybill.ports.blobs import Blobs
    from waybill.ports.reader import Reader
    from waybill.validation.columns import ColumnMap

PIECE_BYTES: Final = 256 * 1024


def open_input(parts: ReportParts, job: Job, entity: Entity) -> Reader:
    """A reader on a job's input, as its run opened it.

    Raises:
        Gone: the bytes are not here any more.
    """
    path = parts.blobs.local_path(BlobName(job.input.blob)) if job.input else None
    if job.input is None or path is None:
        raise Gone("the input is gone", code="ARTIFACT_GONE")
    options = replace(
        read_options(job.options, entity, job.input.name), known_columns=columns_of(job)
    )
    reader = parts.open_reader(path, options)
    return completed(reader, entity, job.options, seed=job.id)


def find_artifact(parts: ReportParts, job: Job, kind: ArtifactKind) -> Artifact | None:
    """The job's file of that kind, ``None`` where it never had one.

    Raises:
        Gone: it had one, and its retention has ended.
    """
    for artifact in parts.store.artifacts(job.id):
        if artifact.kind is kind:
            if artifact.purged_at is not None:
                raise Gone("the retention of this file has ended", code="ARTIFACT_GONE")
            return artifact
    return None


def find_plan(parts: ReportParts, job: Job) -> Plan:
    """What a job would do, or would have done.

    Raises:
        StateConflict: the job is not over, or no plan was asked of it.
        Gone: its retention has ended.
    """
    if not job.is_final:
        raise StateConflict("the job is not over yet", code="JOB_NOT_FINAL")
    artifact = find_artifact(parts, job, ArtifactKind.PLAN)
    if artifact is None:
        raise StateConflict(
            "the job has no plan: it was no dry run, or broke off before", code="JOB_HAS_NO_PLAN"
        )
    with parts.blobs.open(artifact.blob) as stream:
        return msgspec.json.decode(stream.read(), type=Plan)


def require_input(parts: ReportParts, job: Job) -> None:
    """Let a job pass whose input is stored; raises ``Gone``."""
    if find_artifact(parts, job, ArtifactKind.INPUT) is None:
        raise Gone("the input is gone", code="ARTIFACT_GONE")


def columns_of(job: Job) -> tuple[str, ...]:
    """The header of a job's input, in its spelling."""
    columns = job.format_facts.get("columns", ())
    return tuple(map(str, columns)) if isinstance(columns, list | tuple) else ()


def entity_of(job: Job) -> Entity | None:
    """The entity that a job's records are of, as pinned.

    ``None`` where a bundle found none, and for a job that has no records.
    """
    if job.kind is JobKind.TRANSFORM:
        return None
    pinned = read_pinned(job.descriptor, name=job.entity)
    if isinstance(pinned, Entity):
        return pinned
    return pinned.entity(job.chosen_entity) if job.chosen_entity else None


def has_secrets(job: Job) -> bool:
    """Whether the input may hold secrets: of the entity, or of any entity of the bundle."""
    if job.kind is JobKind.TRANSFORM:
        return False
    return bool(read_pinned(job.descriptor, name=job.entity).secret_fields)


def column_map_of(job: Job, entity: Entity) -> ColumnMap | None:
    """Which column of a job's input is which field; ``None`` where they do not fit.

    Then nothing was accepted.
    """
    try:
        return match_columns(
            entity,
            columns_of(job),
            operation=job.options.operation,
            unknown=job.options.unknown_columns,
            missing=job.options.missing_columns,
        )
    except FileRefused:
        return None


def read_pieces(blobs: Blobs, name: BlobName, offset: int = 0) -> Iterator[bytes]:
    """A blob in pieces, from a byte on."""
    with blobs.open(name, offset=offset) as stream:
        while piece := stream.read(PIECE_BYTES):
            yield piece
