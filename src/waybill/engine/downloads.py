"""Files that a job offers: rejections in every form, accepted records, the input.

Reports are views of the job's master list, made when first asked for and kept as artifacts.
Everything streams; memory is one piece of a file, or one chunk of the input.
"""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from waybill.engine.report_copy import keeping
from waybill.engine.runs.applying import OUTCOME_NAMES
from waybill.engine.runs.cells import ShownCells
from waybill.engine.runs.opening import read_options
from waybill.errors import Gone, NotAllowed, NotFound, RequestInvalid, StateConflict
from waybill.model.artifact import Artifact, ArtifactKind
from waybill.model.ids import BlobName
from waybill.ports.sink import REFUSED
from waybill.reports.accepted import AcceptedRow, write_accepted_csv, write_accepted_ndjson
from waybill.reports.csv_report import write_csv
from waybill.reports.json_report import write_json
from waybill.reports.layout import lay_out
from waybill.reports.xlsx_report import write_xlsx
from waybill.validation.columns import match_columns
from waybill.validation.descriptor import parse_descriptor
from waybill.validation.rejects import decode_rejection, iterate_rejections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.engine.report_parts import ReportParts
    from waybill.model.entity import Entity
    from waybill.model.finding import Rejection
    from waybill.model.job import Job
    from waybill.ports.blobs import Blobs
    from waybill.ports.reader import RawChunk, Reader
    from waybill.ports.sink import ChunkResult
    from waybill.reports.layout import Layout

PIECE_BYTES: Final = 256 * 1024
CURSOR: Final = re.compile(r"[0-9]{0,18}")


class ReportFormat(StrEnum):
    """How a report is written."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    NDJSON = "ndjson"


MEDIA_TYPES: Final = {
    ReportFormat.JSON: "application/json",
    ReportFormat.CSV: "text/csv; charset=utf-8",
    ReportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ReportFormat.NDJSON: "application/x-ndjson",
}
KEPT_AS: Final = {
    ReportFormat.JSON: ArtifactKind.REJECTIONS_JSON,
    ReportFormat.CSV: ArtifactKind.REJECTIONS_CSV,
    ReportFormat.XLSX: ArtifactKind.REJECTIONS_XLSX,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionPage:
    """Rejected records in input order; ``columns``: header names of ``Rejection.cells``."""

    columns: tuple[str, ...]
    rejections: list[Rejection]
    total: int
    next: str | None


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
        RequestInvalid: there is no such form.
    """
    require_final(job)
    if wanted is ReportFormat.NDJSON:
        raise RequestInvalid("rejections come as json, csv or xlsx", code="FORMAT_UNKNOWN")
    name = f"{job.entity}-{job.id}-rejections.{wanted}"
    kept = find_artifact(parts, job, KEPT_AS[wanted])
    if kept is not None:
        return _kept_download(parts, kept, name, MEDIA_TYPES[wanted])
    master = find_artifact(parts, job, ArtifactKind.REJECTIONS)
    pieces = _render(parts, job, master, wanted)
    if master is not None:
        pieces = keeping(parts, job, KEPT_AS[wanted], pieces)
    return Download(name=name, media_type=MEDIA_TYPES[wanted], size_bytes=None, chunks=pieces)


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
    if wanted is ReportFormat.CSV:
        return write_csv(columns, rejections)
    if wanted is ReportFormat.XLSX:
        return write_xlsx(columns, rejections, parts.scratch)
    return write_json(columns, rejections)


def input_download(parts: ReportParts, job: Job) -> Download:
    """The input as it came.

    Raises:
        Gone: retention has ended.
        NotAllowed: the entity has secret fields, whose values leave the server in no form.
    """
    if entity_of(job).secret_fields:
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
        RequestInvalid: there is no such form.
    """
    require_final(job)
    if job.options.dry_run:
        raise StateConflict("a dry run applies nothing", code="JOB_WAS_DRY_RUN")
    if wanted not in {ReportFormat.CSV, ReportFormat.NDJSON}:
        raise RequestInvalid("accepted records come as csv or ndjson", code="FORMAT_UNKNOWN")
    columns = lay_out(columns_of(job)).columns
    rows = _accepted_rows(parts, job) if job.counts.applied else iter(())
    write = write_accepted_csv if wanted is ReportFormat.CSV else write_accepted_ndjson
    return Download(
        name=f"{job.entity}-{job.id}-accepted.{wanted}",
        media_type=MEDIA_TYPES[wanted],
        size_bytes=None,
        chunks=write(columns, rows),
    )


def _accepted_rows(parts: ReportParts, job: Job) -> Iterator[AcceptedRow]:
    """Reads the input once more: the original cells are kept nowhere else."""
    if find_artifact(parts, job, ArtifactKind.INPUT) is None:
        raise Gone("the input is gone", code="ARTIFACT_GONE")
    return _joined_rows(parts, job)


def _joined_rows(parts: ReportParts, job: Job) -> Iterator[AcceptedRow]:
    entity = entity_of(job)
    results = iter(parts.sink_for(entity).results(job.id))
    result = next(results, None)
    with closing(open_input(parts, job, entity)) as reader:
        columns = match_columns(
            entity,
            reader.header.names,
            operation=job.options.operation,
            unknown=job.options.unknown_columns,
        )
        layout = lay_out(reader.header.names)
        with closing(reader.map_chunks(lambda raw: raw)) as chunks:
            for raw in chunks:
                if result is not None and result.chunk == raw.ordinal:
                    yield from _accepted_of(raw, result, ShownCells(columns), layout)
                    result = next(results, None)


def _accepted_of(
    raw: RawChunk, result: ChunkResult, shown: ShownCells, layout: Layout
) -> Iterator[AcceptedRow]:
    outcome_of = dict(zip(result.records, result.outcomes, strict=True))
    columns = raw.table.columns[: layout.width]
    cells = zip(*(column.to_pylist() for column in columns), strict=True)
    for record, values in zip(raw.record_numbers.tolist(), cells, strict=True):
        outcome = outcome_of.get(record, REFUSED)
        if outcome != REFUSED:
            masked = shown.mask(values)
            own = [masked[place] for place in layout.kept]
            yield AcceptedRow(record, OUTCOME_NAMES[outcome], own)


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
    return parts.open_reader(path, options)


def require_final(job: Job) -> None:
    """Refuse reports of a job that is not over.

    Raises:
        StateConflict: it is not.
    """
    if not job.is_final:
        raise StateConflict(
            f"the job is {job.state}; reports exist once it is over", code="JOB_NOT_FINAL"
        )


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


def columns_of(job: Job) -> tuple[str, ...]:
    """The header of a job's input, in its spelling."""
    columns = job.format_facts.get("columns", ())
    return tuple(map(str, columns)) if isinstance(columns, list | tuple) else ()


def entity_of(job: Job) -> Entity:
    """The entity that a job was accepted under."""
    return parse_descriptor(json.loads(job.descriptor), name=job.entity)


def read_pieces(blobs: Blobs, name: BlobName) -> Iterator[bytes]:
    """A blob in pieces."""
    with blobs.open(name) as stream:
        while piece := stream.read(PIECE_BYTES):
            yield piece
