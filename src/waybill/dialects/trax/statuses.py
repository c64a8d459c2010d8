"""``GET .../async-job/status/{id}``: a job in the twenty fields that Trax shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec

from waybill.dialect import Response, caller
from waybill.dialects.trax.errors import JSON
from waybill.dialects.trax.kinds import BY_ENTITY
from waybill.errors import NotFound
from waybill.model.job import JobState
from waybill.validation.codes import without_hint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from waybill.dialect import Core, Request
    from waybill.model.job import Job

INPUT: Final = "input"
REJECTIONS: Final = "rejections"
REJECTIONS_XLSX: Final = "rejections.xlsx"

WORDS: Final[Mapping[JobState, str]] = {
    JobState.BLOCKED: "queued",
    JobState.WAITING: "queued",
    JobState.RUNNING: "in progress",
    JobState.SUCCEEDED: "done",
    JobState.FAILED: "failed",
    JobState.CANCELED: "failed",
}


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A job as Trax shows it; ``number_of_effected_items`` is the vendor's spelling."""

    entity_type: str
    file_name: str
    input_file_url: str
    number_of_job_items: int
    action: str
    mode: str
    user_name: str
    source: str
    import_mode: str
    project: str
    parsed_file_url: str
    status: str
    creation_time: str
    tries: int
    failure_reason: str | None
    complete_time: str | None
    number_of_effected_items: int
    number_of_rejected_items: int
    rejection_details_url: str
    rejection_details_xlsx_url: str


def status(core: Core, request: Request) -> Response:
    """The state of a job of this project."""
    body = msgspec.json.encode(_status(core, find(core, request), request.base_url))
    return Response(status=200, headers=JSON, body=body)


def status_after_submit(core: Core, request: Request) -> Response:
    """The same, where a client resolved ``Location`` against the address it has sent to."""
    given = request.path_params
    if (given["again"], given["project_again"]) != (given["version"], given["project"]):
        raise NotFound("there is nothing at this path", code="PATH_NOT_FOUND")
    return status(core, request)


def find(core: Core, request: Request) -> Job:
    """The job of the path; raises ``NotFound`` for one of another dialect too."""
    job = core.insights.job(caller(request), request.path_params["id"])
    if job.dialect != "trax":
        raise NotFound("there is no such job", code="JOB_NOT_FOUND")
    return job


def _status(core: Core, job: Job, base_url: str) -> Status:
    counts, kind = job.counts, BY_ENTITY[job.entity]
    name = job.input.name if job.input else ""
    links = Links(core, job, base_url)
    has_report = job.is_final and counts.rejected > 0
    xlsx_name = f"{job.external_id}-{kind.word}_xlsx_errors.xlsx"
    return Status(
        entity_type=kind.word,
        file_name=name,
        input_file_url=links.to(INPUT, f"{job.external_id}/{_as_segment(name)}"),
        number_of_job_items=counts.read,
        action="upload",
        mode="new",
        user_name=job.credential,
        source="API",
        import_mode="",
        project=job.project,
        parsed_file_url="",
        status=WORDS[job.state],
        creation_time=_time(job.created_at),
        tries=len(core.insights.attempts(job)),
        failure_reason=_failure(job),
        complete_time=_time(job.finished_at) if job.finished_at else None,
        number_of_effected_items=counts.applied,
        number_of_rejected_items=counts.rejected,
        rejection_details_url=(
            links.to(REJECTIONS, f"{job.external_id}-{kind.word}") if has_report else ""
        ),
        rejection_details_xlsx_url=links.to(REJECTIONS_XLSX, xlsx_name) if has_report else "",
    )


class Links:
    """Absolute links to files of one job."""

    def __init__(self, core: Core, job: Job, base_url: str) -> None:
        self._core = core
        self._job = job
        self._base_url = base_url

    def to(self, file: str, name: str) -> str:
        """The address of a file; ``name`` is what its path ends with."""
        return f"{self._base_url}/files/trax/{self._core.links.make(self._job, file)}/{name}"


def _as_segment(name: str) -> str:
    """A file's name as the end of a path, which no client or server takes for more."""
    plain = name.replace("/", "_").replace("\\", "_")
    return quote(plain, safe="") if plain.strip(".") else "_"


def _failure(job: Job) -> str | None:
    if job.state is JobState.CANCELED:
        return "canceled"
    if job.state is not JobState.FAILED:
        return None
    error = job.error
    message = without_hint(error.code, error.message) if error else "the job cannot go on"
    if error is not None and error.code == "JSON_INVALID":
        message = f"the file is not valid JSON: line {error.line}: {message.partition(': ')[2]}"
    return message[:1].upper() + message[1:]


def _time(moment: datetime) -> str:
    """ISO 8601 in UTC with three decimals."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
