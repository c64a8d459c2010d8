"""Files that a job offers: rejections in every form, accepted records, the input.

Reports are views of the job's master list, made when first asked for and kept as artifacts.
Everything streams; memory is one piece of a file, or one chunk of the input.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, assert_never

from waybill.engine.accepted import AcceptedRecords
from waybill.engine.job_files import (
    column_map_of,
    columns_of,
    entity_of,
    find_artifact,
    has_secrets,
    read_pieces,
)
from waybill.engine.report_copy import keeping
from waybill.errors import Gone, NotAllowed, NotFound, RequestInvalid, StateConflict
from waybill.model.artifact import ArtifactKind
from waybill.reports.csv_report import write_csv
from waybill.reports.csv_rows import write_csv_rows
from waybill.reports.json_report import write_json, write_ndjson
from waybill.reports.json_rows import write_json_rows, write_ndjson_rows
from waybill.reports.parquet_report import write_parquet
from waybill.reports.parquet_rows import write_parquet_rows
from waybill.reports.xlsx_report import write_xlsx
from waybill.reports.xlsx_rows import write_xlsx_rows
from waybill.validation.rejects import decode_rejection, iterate_rejections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from waybill.engine.report_parts import ReportParts
    from waybill.model.artifact import Artifact
    from waybill.model.entity import Field
    from waybill.model.finding import Rejection
    from waybill.model.job import Job

CURSOR: Final = re.compile(r"[0-9]{0,18}")


class ReportFormat(StrEnum):
    """How a report is written."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    NDJSON = "ndjson"
    PARQUET = "parquet"


MEDIA_TYPES: Final = {
    ReportFormat.JSON: "application/json",
    ReportFormat.CSV: "text/csv; charset=utf-8",
    ReportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ReportFormat.NDJSON: "application/x-ndjson",
    ReportFormat.PARQUET: "application/vnd.apache.parquet",
}
KEPT_AS: Final = {
    ReportFormat.JSON: ArtifactKind.REJECTIONS_JSON,
    ReportFormat.CSV: ArtifactKind.REJECTIONS_CSV,
    ReportFormat.XLSX: ArtifactKind.REJECTIONS_XLSX,
    ReportFormat.NDJSON: ArtifactKind.REJECTIONS_NDJSON,
    ReportFormat.PARQUET: ArtifactKind.REJECTIONS_PARQUET,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionPage:
    """Rejected records in input order; ``columns``: header names of ``Rejection.cells``."""

    columns: tuple[str, ...]
    rejections: list[Rejection]
    total: int
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionStream:
    """All rejected records in input order, to be read once.

    ``fields``: the declared ones by name, in the entity's order; none where a bundle found no
    entity, and so no records. ``places``: of each that the file has, the place of its cell in
    ``Rejection.cells``.
    """

    fields: Mapping[str, Field]
    places: Mapping[str, int]
    rejections: Iterator[Rejection]


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file to send: ``chunks`` streams it and is closed by the edge.

    ``size_bytes`` is ``None`` for what is made while it is sent.
    """

    name: str
    media_type: str
    size_bytes: int | None
    chunks: Iterator[bytes]


def rejection_page(parts: ReportParts, job: Job, cursor: str, limit: int) -> RejectionPage:
    """A page of a final job's rejections; the cursor is an offset in the master list.

    Raises:
        StateConflict: the job is not final.
        Gone: retention has ended.
        RequestInvalid: a foreign cursor.
    """
    require_final(job)
    master = find_artifact(parts, job, ArtifactKind.REJECTIONS)
    if master is None:
        if cursor:
            raise foreign_cursor()
        return RejectionPage(columns=columns_of(job), rejections=[], total=0, next=None)
    found, offset = _read_page(parts, master, cursor, limit)
    return RejectionPage(
        columns=columns_of(job),
        rejections=found,
        total=job.counts.rejected,
        next=str(offset) if offset < master.size_bytes else None,
    )


def _read_page(
    parts: ReportParts, master: Artifact, cursor: str, limit: int
) -> tuple[list[Rejection], int]:
    start = int(cursor or "0") if CURSOR.fullmatch(cursor) else -1
    if not 0 <= start < max(master.size_bytes, 1):
        raise foreign_cursor()
    with parts.blobs.open(master.blob, offset=max(start - 1, 0)) as stream:
        if start and stream.read(1) != b"\n":
            raise foreign_cursor()
        lines = [text for _, text in zip(range(limit), stream, strict=False)]
    return [decode_rejection(text) for text in lines], start + sum(map(len, lines))


def foreign_cursor() -> RequestInvalid:
    """The error for a cursor that this list did not give."""
    return RequestInvalid(
        "the cursor is not one of this list; begin without one",
        code="CURSOR_INVALID",
        parameter="cursor",
    )


def rejections_download(parts: ReportParts, job: Job, wanted: ReportFormat) -> Download:
    """All rejections as one file; made at the first request, then kept.

    Raises:
        StateConflict: the job is not final.
        Gone: retention has ended.
    """
    require_final(job)
    name = f"{job.entity}-{job.id}-rejections.{wanted}"
    kept = find_artifact(parts, job, KEPT_AS[wanted])
    if kept is not None:
        return _kept_download(parts, kept, name, MEDIA_TYPES[wanted])
    master = find_artifact(parts, job, ArtifactKind.REJECTIONS)
    pieces = _render(parts, job, master, wanted)
    if master is not None:
        pieces = keeping(parts, job, KEPT_AS[wanted], pieces)
    return Download(name=name, media_type=MEDIA_TYPES[wanted], size_bytes=None, chunks=pieces)


def rejection_stream(parts: ReportParts, job: Job) -> RejectionStream:
    """The rejected records of a final job, to be read once.

    Raises:
        StateConflict: the job is not final.
        Gone: retention has ended.
    """
    require_final(job)
    master = find_artifact(parts, job, ArtifactKind.REJECTIONS)
    lines = read_pieces(parts.blobs, master.blob) if master is not None else iter(())
    entity = entity_of(job)
    columns = column_map_of(job, entity) if entity else None
    return RejectionStream(
        fields={field.name: field for field in entity.fields} if entity else {},
        places={bound.field.name: bound.index for bound in columns.bound} if columns else {},
        rejections=iterate_rejections(lines),
    )


def _kept_download(parts: ReportParts, kept: Artifact, name: str, media_type: str) -> Download:
    return Download(
        name=name,
        media_type=media_type,
        size_bytes=kept.size_bytes,
        chunks=read_pieces(parts.blobs, kept.blob),
    )


def _render(
    parts: ReportParts, job: Job, master: Artifact | None, wanted: ReportFormat
) -> Iterator[bytes]:
    columns = columns_of(job)
    lines = read_pieces(parts.blobs, master.blob) if master is not None else iter(())
    rejections = iterate_rejections(lines)
    match wanted:
        case ReportFormat.CSV:
            return write_csv(columns, rejections)
        case ReportFormat.NDJSON:
            return write_ndjson(columns, rejections)
        case ReportFormat.JSON:
            return write_json(columns, rejections)
        case ReportFormat.XLSX:
            return write_xlsx(columns, rejections, parts.scratch)
        case ReportFormat.PARQUET:
            return write_parquet(columns, rejections, parts.scratch)
        case _:
            assert_never(wanted)


def input_download(parts: ReportParts, job: Job) -> Download:
    """The input as it came.

    Raises:
        Gone: retention has ended.
        NotAllowed: the entity has secret fields, whose values leave the server in no form; so has
            a bundle if any of its entities has.
    """
    if has_secrets(job):
        raise NotAllowed(
            "the entity has secret fields, so inputs leave the server in no form",
            scope="",
            code="INPUT_WITHHELD",
        )
    stored = find_artifact(parts, job, ArtifactKind.INPUT)
    if job.input is None or stored is None:
        raise NotFound("the job has no input", code="INPUT_NOT_FOUND")
    name = job.input.name or f"{job.entity}-{job.id}-input"
    return _kept_download(parts, stored, name, "application/octet-stream")


def accepted_download(parts: ReportParts, job: Job, wanted: ReportFormat) -> Download:
    """The records that the sink took, in input order, with ``_record`` and ``_outcome``.

    Raises:
        StateConflict: the job is not final, or was a dry run.
        Gone: retention has ended.
    """
    require_applied(parts, job)
    return Download(
        name=f"{job.entity}-{job.id}-accepted.{wanted}",
        media_type=MEDIA_TYPES[wanted],
        size_bytes=None,
        chunks=_render_accepted(AcceptedRecords(parts, job), parts.scratch, wanted),
    )


def _render_accepted(
    accepted: AcceptedRecords, scratch: Path, wanted: ReportFormat
) -> Iterator[bytes]:
    match wanted:
        case ReportFormat.CSV:
            return write_csv_rows(accepted.names, accepted.cells())
        case ReportFormat.NDJSON:
            return write_ndjson_rows(accepted.objects())
        case ReportFormat.JSON:
            return write_json_rows(accepted.objects())
        case ReportFormat.XLSX:
            title = "Accepted records"
            return write_xlsx_rows(accepted.names, accepted.values(), scratch, title=title)
        case ReportFormat.PARQUET:
            return write_parquet_rows(accepted.schema, accepted.tables(), scratch)
        case _:
            assert_never(wanted)


def require_applied(parts: ReportParts, job: Job) -> None:
    """Refuse views of the applied records where they cannot be read.

    Raises:
        StateConflict: the job is not final, or was a dry run.
        Gone: retention has ended.
    """
    require_final(job)
    if job.options.dry_run:
        raise StateConflict("a dry run applies nothing", code="JOB_WAS_DRY_RUN")
    if job.counts.applied and find_artifact(parts, job, ArtifactKind.INPUT) is None:
        raise Gone("the input is gone", code="ARTIFACT_GONE")


def require_final(job: Job) -> None:
    """Refuse reports of a job that is not over.

    Raises:
        StateConflict: it is not.
    """
    if not job.is_final:
        raise StateConflict(
            f"the job is {job.state}; reports exist once it is over", code="JOB_NOT_FINAL"
        )
