"""The routes of the native API, with what documents them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from waybill.dialect import Answer, BodyKind, Handler, QueryParameter, Route
from waybill.dialects.native import entities, jobs
from waybill.dialects.native.jobs import FORMAT_OF_MEDIA
from waybill.dialects.native.options import OPTIONS
from waybill.dialects.native.parameters import CURSOR, LIMIT, WAIT
from waybill.dialects.native.problems import Problem, errors_page
from waybill.dialects.native.rendering import JSON
from waybill.dialects.native.shapes import (
    EntitiesShape,
    JobShape,
    JobsShape,
    LimitsShape,
    RecordsShape,
    RejectionsShape,
)
from waybill.dialects.native.submissions import apply_plan, submit
from waybill.model.job import JobKind, JobState
from waybill.model.plan import Plan
from waybill.model.principal import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROBLEM: Final = "application/problem+json"
RAW_MEDIA: Final = (
    "text/csv",
    "text/plain",
    "text/tab-separated-values",
    "application/csv",
    "application/x-ndjson",
    "application/jsonl",
    "application/json",
    "application/xml",
    "text/xml",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.apache.parquet",
    "application/zip",
    "application/gzip",
    "application/x-gzip",
    "application/zstd",
    "application/octet-stream",
    "application/vnd.ms-excel",  # what Windows browsers call a CSV file
)
FORM_NAMES: Final = {
    jobs.CSV: "CSV",
    jobs.NDJSON: "NDJSON",
    JSON: "JSON",
    jobs.XLSX: "XLSX",
    jobs.PARQUET: "Parquet",
}
REFUSALS: Final[Mapping[int, str]] = {
    400: "The request is malformed.",
    401: "No token, or none that is known.",
    403: "The token lacks the scope.",
    404: "There is no such thing in the token's project.",
    406: "Accept names nothing that this can be given as, or a value does not fit this form.",
    408: "The body stood still for too long.",
    409: "The job's state does not allow this, or the Idempotency-Key is in flight.",
    410: "The file's retention has ended.",
    413: "A limit was met.",
    415: "The media type or content encoding is not supported.",
    422: "The Idempotency-Key came with another request.",
    429: "Too many requests; see Retry-After.",
    507: "The server has no room left.",
}
FILE_MEANING: Final = (
    "CSV, JSON, NDJSON, XLSX, XML or Parquet; plain, gzip, zstd or alone in a zip archive."
)
_FORM: Final = {
    "type": "object",
    "required": ["entity", "file"],
    "properties": {
        "entity": {"type": "string", "description": "Name of the entity."},
        "options": {
            "type": "object",
            "additionalProperties": False,
            "description": "One JSON object; the options as listed for a raw body.",
            "properties": {name: option.schema for name, option in OPTIONS.items()},
        },
        "client_ref": {"type": "string", "description": "Your own reference."},
        "file": {
            "type": "string",
            "format": "binary",
            "description": FILE_MEANING,
        },
    },
}
_FILE: Final = {
    "type": "string",
    "format": "binary",
    "description": FILE_MEANING,
}
_UPLOAD: Final[Mapping[str, Any]] = {
    "multipart/form-data": _FORM,
    **dict.fromkeys(RAW_MEDIA, _FILE),
}
_MEANINGS: Final[Mapping[str, str]] = {
    "operation": "What a record does to the stored ones.",
    "atomicity": "row: good records load beside bad ones; file: all or none.",
    "on_duplicate": "What becomes of records of one file with the same key.",
    "unknown_columns": "What becomes of columns that the entity does not declare.",
    "missing_columns": "What becomes of a file without a column that every record needs: fail,"
    " reject its records, reject and clear other fields that it lacks, or keep what is stored.",
    "absent_members": "What becomes of a field whose member a record lacks: clear, or keep what is"
    " stored.",
    "max_errors": "Fail, before any write, when more records than this are rejected.",
    "max_error_ratio": "Fail, before any write, when a larger share than this is rejected.",
    "max_deletes": "Fail, before any write, when more stored records than this would go.",
    "max_delete_ratio": "Fail, before any write, when a larger share of the stored records than"
    " this would go; a snapshot without a guard of its own has 0.5.",
    "delete_guard_from": "With fewer stored records than this, any share of them may go.",
    "snapshot": "Stored records that the file does not have go, unless it has rejected records.",
    "dry_run": "Check and plan only; the plan can be read and applied.",
    "expected_plan": "Fail, before any write, unless the plan has this hash.",
    "client_ref": "Your own reference; jobs can be listed by it.",
    "delimiter": "One character, or tab; found from the header where absent.",
    "encoding": "Name of the text encoding; UTF-8 or detected where absent.",
    "header": "Whether the first line names the columns.",
    "escaped": "Undo the formula escapes of our reports.",
    "format": "What the file is; by its content, then by its name where absent.",
    "records_path": "Where the records are: a JSON Pointer to an array, or an XML element's name or"
    " path.",
    "record_members": "Names of the members, parted by commas, that may hold the records of a JSON"
    " document; without any of them it is a record itself.",
    "broken_json": "What becomes of a record that is no JSON: reject it, or fail the file.",
    "sheet": "Name of a workbook's sheet; the first where absent.",
    "header_row": "Row of the sheet that names the columns; the first that has any where absent.",
}


PREFER: Final = QueryParameter(
    name="Prefer",
    description="`wait=N` answers once the job is over, or after N seconds; `respond-async` at once"
    " (RFC 7240).",
)
IF_NONE_MATCH: Final = QueryParameter(
    name="If-None-Match", description="The ETag of the answer before: 304 while it still holds."
)


def _answers(
    good: Mapping[int, Answer], refusals: Sequence[int] = (), *, is_open: bool = False
) -> dict[int, Answer]:
    usual = () if is_open else (400, 401, 403, 429)
    problems = {
        status: Answer(description=REFUSALS[status], struct=Problem, media_types=(PROBLEM,))
        for status in (*usual, *refusals)
    }
    return {**good, **problems}


def _read(
    path: str,
    handler: Handler,
    summary: str,
    answer: Answer,
    query: Sequence[QueryParameter] = (),
    refusals: Sequence[int] = (404,),
) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        scope=Scope.READ,
        strict_query=True,
        summary=summary,
        query=query,
        answers=_answers({200: answer}, refusals),
    )


def _file(summary: str, *media_types: str) -> Answer:
    disposition = {"Content-Disposition": "attachment, with a file name (RFC 6266)."}
    return Answer(description=summary, media_types=media_types, headers=disposition)


def _options() -> tuple[QueryParameter, ...]:
    return tuple(
        QueryParameter(name=name, description=_MEANINGS[name], schema=option.schema)
        for name, option in OPTIONS.items()
    )


_FILTERS: Final = (
    QueryParameter(
        name="state",
        description=f"Comma-separated: {', '.join(state.value for state in JobState)}.",
    ),
    QueryParameter(
        name="kind",
        description="The kind of job.",
        schema={"type": "string", "enum": [kind.value for kind in JobKind]},
    ),
    QueryParameter(name="entity", description="Jobs of this entity."),
    QueryParameter(name="client_ref", description="Jobs with this reference."),
    QueryParameter(
        name="created_after",
        description="Accepted after this time.",
        schema={"type": "string", "format": "date-time"},
    ),
    QueryParameter(
        name="created_before",
        description="Accepted before this time.",
        schema={"type": "string", "format": "date-time"},
    ),
)
_JOB_HEADERS: Final = {"Retry-After": "Seconds until the next poll makes sense."}
_JOB: Final = Answer(description="The job.", struct=JobShape, headers=_JOB_HEADERS)
_LATER: Final = (404, 409, 410)

ROUTES: Sequence[Route] = (
    Route(
        method="POST",
        path="/v1/jobs",
        handler=submit,
        scope=Scope.SUBMIT,
        body=BodyKind.UPLOAD,
        strict_query=True,
        idempotent_by_key=True,
        summary="Submit a file to import",
        description=(
            "Multipart parts, or a raw body with the options as query parameters. "
            "`Prefer: wait=N` answers once the job is over, at most N seconds later."
        ),
        query=(
            QueryParameter(name="entity", description="Name of the entity (raw body)."),
            *_options(),
        ),
        headers=(PREFER,),
        request_media=_UPLOAD,
        answers=_answers(
            {
                200: Answer(description="The job is over already.", struct=JobShape),
                202: Answer(
                    description="Accepted: file and job are on disk.",
                    struct=JobShape,
                    headers={"Location": "The job's address.", **_JOB_HEADERS},
                ),
            },
            (404, 408, 409, 413, 415, 422, 507),
        ),
    ),
    _read(
        "/v1/jobs",
        jobs.list_jobs,
        "List jobs, newest first",
        Answer(description="A page of jobs.", struct=JobsShape),
        (*_FILTERS, CURSOR, LIMIT),
        refusals=(),
    ),
    Route(
        method="GET",
        path="/v1/jobs/{id}",
        handler=jobs.status,
        scope=Scope.READ,
        in_loop=True,
        strict_query=True,
        summary="Read a job",
        description="Send the ETag back as If-None-Match: 304 while nothing has changed.",
        query=(WAIT,),
        headers=(IF_NONE_MATCH,),
        answers=_answers(
            {
                200: Answer(
                    description="The job.",
                    struct=JobShape,
                    headers={"ETag": "Tag of this very state.", **_JOB_HEADERS},
                ),
                304: Answer(description="Nothing has changed.", media_types=()),
            },
            (404,),
        ),
    ),
    Route(
        method="DELETE",
        path="/v1/jobs/{id}",
        handler=jobs.cancel,
        scope=Scope.CANCEL,
        strict_query=True,
        summary="Cancel a job",
        description="What was applied stays; the counts say how much.",
        answers=_answers(
            {
                200: Answer(description="Canceled.", struct=JobShape),
                202: Answer(description="The run stops within a chunk.", struct=JobShape),
            },
            (404, 409),
        ),
    ),
    _read(
        "/v1/jobs/{id}/rejections",
        jobs.rejections,
        "Read the rejected records",
        Answer(
            description="A page as JSON; with another Accept the whole report.",
            struct=RejectionsShape,
            also=tuple(media for media in FORMAT_OF_MEDIA if media != JSON),
        ),
        (CURSOR, LIMIT),
        (*_LATER, 406),
    ),
    _read(
        "/v1/jobs/{id}/rejections.json",
        jobs.rejections_json,
        "Download the rejected records as JSON",
        Answer(description="All of them.", struct=RejectionsShape),
        (CURSOR, LIMIT),
        _LATER,
    ),
    *(
        _read(
            f"/v1/jobs/{{id}}/rejections.{FORMAT_OF_MEDIA[media]}",
            partial(jobs.rejections_file, wanted=FORMAT_OF_MEDIA[media]),
            f"Download the rejected records as {FORM_NAMES[media]}",
            _file(meaning, media),
            refusals=_LATER,
        )
        for media, meaning in (
            (jobs.CSV, "The original columns, then what is wrong."),
            (jobs.NDJSON, "One rejection per line, in the shape of the JSON report."),
            (jobs.XLSX, "The original columns, then what is wrong."),
            (
                jobs.PARQUET,
                "The columns of the CSV report; text, but for numbers of records and lines.",
            ),
        )
    ),
    _read(
        "/v1/jobs/{id}/accepted",
        jobs.accepted,
        "Download the accepted records",
        _file("In input order, each with its outcome.", *jobs.ACCEPTED_MEDIA),
        refusals=(*_LATER, 406),
    ),
    *(
        _read(
            f"/v1/jobs/{{id}}/accepted.{FORMAT_OF_MEDIA[media]}",
            partial(jobs.accepted_file, wanted=FORMAT_OF_MEDIA[media]),
            f"Download the accepted records as {FORM_NAMES[media]}",
            _file(meaning, media),
            refusals=refusals,
        )
        for media, meaning, refusals in (
            (jobs.CSV, "In input order, each with its outcome; cells as they came.", _LATER),
            (jobs.NDJSON, "One object per line; cells as they came.", _LATER),
            (JSON, "One array of objects; cells as they came.", _LATER),
            (jobs.XLSX, "Numbers, dates and booleans as such where exact.", (*_LATER, 406)),
            (jobs.PARQUET, "A column per field, of its type.", (*_LATER, 406)),
        )
    ),
    _read(
        "/v1/jobs/{id}/plan",
        jobs.plan,
        "Read what the job would do, or would have done",
        Answer(
            description="Of a dry run, a snapshot, or a job with a guard of deletes.",
            struct=Plan,
        ),
        refusals=_LATER,
    ),
    Route(
        method="POST",
        path="/v1/jobs/{id}/apply",
        handler=apply_plan,
        scope=Scope.SUBMIT,
        strict_query=True,
        idempotent_by_key=True,
        summary="Apply the plan of a dry run",
        description=(
            "Makes a new job, whose parent this one is. It does what the plan says, or fails with "
            "PLAN_OUTDATED where file or stored records have changed since."
        ),
        headers=(PREFER,),
        answers=_answers(
            {
                200: Answer(description="The new job is over already.", struct=JobShape),
                202: Answer(
                    description="Accepted.",
                    struct=JobShape,
                    headers={"Location": "The job's address.", **_JOB_HEADERS},
                ),
            },
            (404, 409, 410, 422, 507),
        ),
    ),
    _read(
        "/v1/jobs/{id}/input",
        jobs.input_file,
        "Download the input",
        _file("The bytes as they came.", "application/octet-stream"),
        refusals=(404, 410),
    ),
    _read(
        "/v1/jobs/{id}/result",
        jobs.result,
        "Download what the job made",
        _file("Of a file tool: whole, or the ranges asked for.", "application/octet-stream"),
        refusals=_LATER,
    ),
    _read(
        "/v1/entities",
        entities.list_entities,
        "List the entities",
        Answer(description="All entities.", struct=EntitiesShape),
        refusals=(),
    ),
    _read(
        "/v1/entities/{name}",
        entities.read_entity,
        "Read an entity's schema",
        Answer(description="A Frictionless Table Schema descriptor."),
    ),
    _read(
        "/v1/entities/{name}/template.csv",
        entities.template_csv,
        "Download an empty file with the right header",
        _file("The header line.", jobs.CSV),
    ),
    _read(
        "/v1/entities/{name}/template.xlsx",
        entities.template_xlsx,
        "Download an empty workbook with the columns, their types and rules",
        _file("A header with notes; cells with number formats, drop-downs, bounds.", jobs.XLSX),
    ),
    _read(
        "/v1/entities/{name}/records",
        entities.records,
        "Read the stored records",
        Answer(description="A page of records, by their keys as text.", struct=RecordsShape),
        (CURSOR, LIMIT),
    ),
    Route(
        method="GET",
        path="/v1/limits",
        handler=entities.limits,
        scope=None,
        in_loop=True,
        strict_query=True,
        summary="Read the limits of this server",
        answers=_answers(
            {200: Answer(description="Every limit by name.", struct=LimitsShape)}, is_open=True
        ),
    ),
    Route(
        method="GET",
        path="/docs/errors",
        handler=errors_page,
        scope=None,
        in_loop=True,
        summary="The problem codes for people",
        answers={200: Answer(description="A page.", media_types=("text/html",))},
    ),
)
