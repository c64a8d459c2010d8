"""Jobs: status, list, cancel, and the files that they leave."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from waybill.dialect import Response, ServedFile, Wait, attachment, caller
from waybill.dialects.native import parameters
from waybill.dialects.native.preferences import choose_media, read_prefer
from waybill.dialects.native.rendering import (
    JSON,
    download_response,
    job_shape,
    json_response,
    retry_seconds,
)
from waybill.dialects.native.shapes import JobsShape
from waybill.dialects.native.status_pages import status_page, status_response
from waybill.engine.insights import ReportFormat
from waybill.model.job import JobKind, JobState
from waybill.ports.job_store import JobFilter
from waybill.reports.json_report import rejection_document

if TYPE_CHECKING:
    from waybill.dialect import Core, Request
    from waybill.model.job import Job

CSV: Final = "text/csv"
NDJSON: Final = "application/x-ndjson"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PARQUET: Final = "application/vnd.apache.parquet"
FORMAT_OF_MEDIA: Final = {
    JSON: ReportFormat.JSON,
    CSV: ReportFormat.CSV,
    XLSX: ReportFormat.XLSX,
    NDJSON: ReportFormat.NDJSON,
    PARQUET: ReportFormat.PARQUET,
}
ACCEPTED_MEDIA: Final = (CSV, NDJSON, JSON, XLSX, PARQUET)
"""What accepted records come as, the first where ``Accept`` says nothing."""


def find(core: Core, request: Request) -> Job:
    """The job of the path, by native or external id; raises ``NotFound``."""
    return core.insights.job(caller(request), request.path_params["id"])


def status(core: Core, request: Request) -> Response | Wait:
    """The job, at once or after a wait."""
    job = find(core, request)
    longest = core.limits.wait_seconds
    preference = read_prefer(request.headers, longest)
    seconds = preference.wait_seconds
    if request.query:
        seconds = parameters.whole_number(
            request, "wait", default=int(seconds), smallest=0, largest=longest
        )

    def render(latest: Job) -> Response:
        return status_response(status_page(latest, core.insights, request.base_url), request)

    if seconds and not job.is_final:
        return Wait(job=job, seconds=seconds, render=render)
    return render(job)


def list_jobs(core: Core, request: Request) -> Response:
    """A page of jobs, newest first."""
    wanted = JobFilter(
        states=parameters.members(request, "state", JobState),
        kind=next(iter(parameters.members(request, "kind", JobKind)), None),
        entity=parameters.text(request, "entity"),
        client_ref=parameters.text(request, "client_ref"),
        created_after=parameters.moment(request, "created_after"),
        created_before=parameters.moment(request, "created_before"),
    )
    cursor, limit = parameters.page(request, core.limits)
    page = core.insights.jobs(caller(request), wanted, cursor, limit)
    shapes = [job_shape(job, core.insights, request.base_url) for job in page.jobs]
    return json_response(JobsShape(jobs=shapes, next=page.next))


def cancel(core: Core, request: Request) -> Response:
    """Cancel: 200 when it is over already, 202 while a run still has to stop."""
    job = core.commands.cancel_job(caller(request), request.path_params["id"])
    body = job_shape(job, core.insights, request.base_url)
    if job.is_final:
        return json_response(body)
    return json_response(body, status=202, headers={"retry-after": str(retry_seconds(job))})


def plan(core: Core, request: Request) -> Response:
    """What the job would do, or would have done."""
    job = core.insights.job(caller(request), request.path_params["id"])
    return json_response(core.insights.plan(job))


def rejections(core: Core, request: Request) -> Response:
    """Rejected records: a page of JSON, or the whole report as ``Accept`` says."""
    media = choose_media(request.headers, tuple(FORMAT_OF_MEDIA))
    if media == JSON:
        return _varying(_rejection_page(core, request))
    return _varying(rejections_file(core, request, wanted=FORMAT_OF_MEDIA[media]))


def rejections_json(core: Core, request: Request) -> Response:
    """All rejections as one JSON file, or a page of it where one is asked for."""
    if request.query:
        return _rejection_page(core, request)
    return rejections_file(core, request, wanted=ReportFormat.JSON)


def rejections_file(core: Core, request: Request, *, wanted: ReportFormat) -> Response:
    """All rejections as one file."""
    return download_response(core.insights.rejections_file(find(core, request), wanted))


def accepted(core: Core, request: Request) -> Response:
    """The accepted records, as ``Accept`` says."""
    media = choose_media(request.headers, ACCEPTED_MEDIA)
    return _varying(accepted_file(core, request, wanted=FORMAT_OF_MEDIA[media]))


def accepted_file(core: Core, request: Request, *, wanted: ReportFormat) -> Response:
    """The accepted records as one file."""
    return download_response(core.insights.accepted_file(find(core, request), wanted))


def input_file(core: Core, request: Request) -> Response:
    """The input as it came."""
    return download_response(core.insights.input_file(find(core, request)))


def result(core: Core, request: Request) -> Response:
    """What the job made, whole or in part."""
    job = find(core, request)
    artifact = core.transforms.result(job)
    made = core.transforms.download(artifact.blob)
    name = f"{job.entity}-{job.id}{core.transforms.tools[job.entity].output}"
    headers = {
        "content-type": "application/octet-stream",
        "content-disposition": attachment(name),
    }
    body = ServedFile(size_bytes=made.size_bytes, tag=artifact.sha256, read=made.read)
    return Response(status=200, headers=headers, body=body)


def _varying(response: Response) -> Response:
    """The same answer, for caches: another ``Accept`` gets another one."""
    return replace(response, headers={**response.headers, "vary": "Accept"})


def _rejection_page(core: Core, request: Request) -> Response:
    job = find(core, request)
    cursor, limit = parameters.page(request, core.limits)
    page = core.insights.rejections(job, cursor, limit)
    documents = [rejection_document(page.columns, rejection) for rejection in page.rejections]
    return json_response({"rejections": documents, "total": page.total, "next": page.next})
