"""What a tool has made, as the client sees it: a link, and the beginning of it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.dialect import Response, ServedFile, attachment, caller
from waybill.dialects.apidatatools.kinds import NAME, output_of
from waybill.engine.transforming import IS_TEXT
from waybill.errors import Gone, NotFound
from waybill.model.ids import BlobName

if TYPE_CHECKING:
    from waybill.dialect import Core, Request
    from waybill.engine.transforming import Made
    from waybill.model.job import Job

PREVIEW_CHARACTERS: Final = 1_000
_MADE: Final = "made"
_RESULT: Final = "result"
_SHOWN_ID: Final = 12
BINARY: Final = ".bin"
"""The suffix of what is not UTF-8."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a synchronous call answers, and what a job's status holds at its end."""

    status: str = "success"
    request_id: str
    file: str
    preview: str


def result_at_once(
    core: Core, request: Request, made: Made, *, tool: str, request_id: str
) -> Result:
    """What a tool has made while the client waited."""
    project, seconds = caller(request).project, core.links.lifetime_seconds
    link = core.links.make_for(project, NAME, made.blob, _MADE, seconds)
    suffix = output_of(core, tool) if made.is_text else BINARY
    preview = core.transforms.beginning(made.blob, PREVIEW_CHARACTERS) if made.is_text else ""
    return Result(
        request_id=request_id,
        file=_url(request, link, request_id, suffix),
        preview=preview,
    )


def result_of(core: Core, request: Request, job: Job, request_id: str) -> Result:
    """What a job has made; an empty preview where its retention has ended."""
    is_text = bool(job.format_facts.get(IS_TEXT))
    preview = ""
    if is_text:
        with suppress(Gone):
            blob = core.transforms.result(job).blob
            preview = core.transforms.beginning(blob, PREVIEW_CHARACTERS)
    suffix = output_of(core, job.entity) if is_text else BINARY
    link = core.links.make(job, _RESULT)
    return Result(
        request_id=request_id,
        file=_url(request, link, job.external_id, suffix),
        preview=preview,
    )


def download(core: Core, request: Request) -> Response:
    """The file that a link leads to; its name in the path is only what it is saved as."""
    opened = core.links.open(NAME, request.path_params["link"])
    if opened.file == _RESULT:
        artifact = core.transforms.result(core.insights.job(opened.principal, opened.subject))
        blob, tag = artifact.blob, artifact.sha256
    elif opened.file == _MADE:
        blob = BlobName(opened.subject)
        tag = blob.rpartition("/")[2]
    else:
        raise NotFound("the link leads nowhere", code="LINK_INVALID")
    file = core.transforms.download(blob)
    headers = {
        "content-type": "application/octet-stream",
        "content-disposition": attachment(request.path_params["name"]),
    }
    body = ServedFile(size_bytes=file.size_bytes, tag=tag, read=file.read)
    return Response(status=200, headers=headers, body=body)


def _url(request: Request, link: str, tag: str, suffix: str) -> str:
    name = f"apidatatools_convert_{tag.replace('-', '')[:_SHOWN_ID]}{suffix}"
    return f"{request.base_url}/files/{NAME}/{link}/{name}"
