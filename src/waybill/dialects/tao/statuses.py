"""``GET .../status/{referenceId}``: how far an import is, and what was wrong."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.dialect import Response, caller
from waybill.dialects.tao.errors import JSON
from waybill.dialects.tao.messages import message_of_file, message_of_line
from waybill.errors import Gone, NotFound
from waybill.model.job import JobState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.dialect import Core, Request
    from waybill.engine.downloads import RejectionStream
    from waybill.model.job import Job

MOST_MESSAGES: Final = 1_000


class Result(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``status``: ``pending``, ``processed`` or ``failed``. ``file_line``: lines read so far."""

    status: str
    file_line: int
    messages: list[str]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of the vendor."""

    result: Result


def status(core: Core, request: Request) -> Response:
    """The state of an upload of this project."""
    job = find(core, request)
    messages = _messages(core, job) if job.is_final else []
    ended = "failed" if messages else "processed"
    result = Result(
        status=ended if job.is_final else "pending", file_line=job.counts.read, messages=messages
    )
    return Response(status=200, headers=JSON, body=msgspec.json.encode(Status(result=result)))


def without_id(core: Core, request: Request) -> Response:
    """A path that ends where the reference id should stand."""
    del core, request
    raise NotFound("the path names no upload", code="JOB_NOT_FOUND")


def find(core: Core, request: Request) -> Job:
    """The job of the path; raises ``NotFound`` for one of another dialect too."""
    job = core.insights.job(caller(request), request.path_params["reference_id"])
    if job.dialect != "tao":
        raise NotFound("there is no such job", code="JOB_NOT_FOUND")
    return job


def _messages(core: Core, job: Job) -> list[str]:
    """What was wrong with the file, then with its lines."""
    of_file = []
    if job.state is JobState.CANCELED:
        of_file = ["The import was canceled."]
    elif job.error is not None:
        of_file = [message_of_file(job)]
    if not job.counts.rejected:
        return of_file
    try:
        return [*of_file, *_of_lines(core.insights.rejection_stream(job), job.counts.rejected)]
    except Gone:
        return [*of_file, f"{job.counts.rejected} lines were rejected; what they said is gone."]


def _of_lines(stream: RejectionStream, rejected: int) -> list[str]:
    """The first messages, then how many lines there are besides."""
    told = list(islice(_numbered(stream), MOST_MESSAGES + 1))
    messages = [message for _, message in told[:MOST_MESSAGES]]
    if len(told) <= MOST_MESSAGES:
        return messages
    left = rejected - told[MOST_MESSAGES][0]
    word = "line is" if left == 1 else "lines are"
    return [*messages, f"{left} more {word} rejected; the report has every message."]


def _numbered(stream: RejectionStream) -> Iterator[tuple[int, str]]:
    """Every message, each with how many lines were told as a whole before it."""
    for number, rejection in enumerate(stream.rejections):
        texts = [message_of_line(finding, stream.fields) for finding in rejection.findings]
        for text in dict.fromkeys(texts):
            yield number, f"Line {rejection.line}{text}"
