"""``GET /jobs/{id}``: what has become of a job, with a hint when to ask again."""

from __future__ import annotations

import re
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from waybill.dialect import Response, caller
from waybill.dialects.apidatatools.errors import JSON, encode, place_of
from waybill.dialects.apidatatools.kinds import NAME, settings_of
from waybill.dialects.apidatatools.results import Result, result_of
from waybill.dialects.apidatatools.submissions import RequestFacts
from waybill.errors import NotAllowed, NotFound, RequestInvalid
from waybill.model.job import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.dialect import Core, Request
    from waybill.model.job import Job

MESSAGE: Final = "Your job is being processed."
LEAST_SECONDS: Final = 2
MOST_SECONDS: Final = 30
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_WORDS: Final[Mapping[JobState, str]] = {
    JobState.BLOCKED: "queued",
    JobState.WAITING: "queued",
    JobState.RUNNING: "processing",
    JobState.SUCCEEDED: "success",
    JobState.FAILED: "failed",
    JobState.CANCELED: "failed",
}
_CODES: Final = {"URL_NOT_ALLOWED": "INVALID_URL"}
"""Codes of the core that are called otherwise here."""


class ErrorDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed."""

    code: str
    message: str
    details: dict[str, Any]


class Status(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of a job; a hint while it is not over, then what it made or why it failed."""

    job_id: str
    status: str
    created_at: int
    updated_at: int
    message: str | None = None
    retry_after: int | None = None
    result: Result | None = None
    error: ErrorDetails | None = None


def calls_per_minute(core: Core) -> int:
    """How often a key may ask."""
    return settings_of(core).status_calls_per_minute


def without_id(_core: Core, _request: Request) -> Response:
    """Refuse a path that names no job."""
    raise RequestInvalid("job_id is required", code="INVALID_JOB_ID")


def status(core: Core, request: Request) -> Response:
    """The state of one of the caller's jobs."""
    job_id = request.path_params["id"]
    if not _ID.fullmatch(job_id):
        return without_id(core, request)
    job = _find(core, request, job_id)
    return Response(status=200, headers=JSON, body=encode(_status_of(core, request, job)))


def _find(core: Core, request: Request, job_id: str) -> Job:
    principal = caller(request)
    try:
        job = core.insights.job(principal, job_id)
    except NotFound:
        if core.transforms.is_anothers(principal, job_id):
            raise NotAllowed("another's job", scope="", code="FORBIDDEN") from None
        raise
    if job.dialect != NAME or job.external_id != job_id:
        raise NotFound("there is no such job", code="JOB_NOT_FOUND")
    return job


def _status_of(core: Core, request: Request, job: Job) -> Status:
    told = Status(
        job_id=job.external_id,
        status=_WORDS[job.state],
        created_at=int(job.created_at.timestamp()),
        updated_at=int((job.finished_at or job.started_at or job.created_at).timestamp()),
    )
    if not job.is_final:
        return replace(told, message=MESSAGE, retry_after=_retry_after(job))
    if job.state is JobState.SUCCEEDED:
        facts = msgspec.json.decode(job.dialect_data, type=RequestFacts)
        return replace(told, result=result_of(core, request, job, facts.request_id))
    return replace(told, error=_error_of(job))


def _retry_after(job: Job) -> int:
    """More than the least where the job itself says that it takes longer."""
    return min(max(LEAST_SECONDS, ceil(job.eta_seconds or 0.0)), MOST_SECONDS)


def _error_of(job: Job) -> ErrorDetails:
    if job.state is JobState.CANCELED:
        return ErrorDetails(code="JOB_CANCELED", message="The job was canceled.", details={})
    error = job.error
    if error is None:
        return ErrorDetails(code="INTERNAL_ERROR", message="Failed to process job", details={})
    return ErrorDetails(
        code=_CODES.get(error.code, error.code),
        message=error.message,
        details=place_of(error.line, error.column),
    )
