"""``GET /files/trax/...``: what the links in a status lead to; nobody asks for a token here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.dialect import Response, attachment
from waybill.dialects.trax import statuses
from waybill.dialects.trax.kinds import BY_ENTITY
from waybill.dialects.trax.rejections import rows_of, write_rejections
from waybill.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.dialect import Core, Request

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COLUMNS: Final = ("_record", "_line", "errors")


def download(core: Core, request: Request) -> Response:
    """The file that a link leads to."""
    opened = core.links.open("trax", request.path_params["link"])
    job = core.insights.job(opened.principal, opened.subject)
    kind = BY_ENTITY[job.entity]
    name = f"{job.external_id}-{kind.word}"
    if opened.file == statuses.INPUT:
        stored = core.insights.input_file(job)
        return _file(stored.name, "application/octet-stream", stored.chunks)
    stream = core.insights.rejection_stream(job)
    if opened.file == statuses.REJECTIONS:
        media = "application/json; charset=utf-8"
        return _file(f"{name}.json", media, write_rejections(stream, kind))
    if opened.file == statuses.REJECTIONS_XLSX:
        columns = (kind.identifier, *COLUMNS)
        sheet = core.insights.sheet(columns, rows_of(stream, kind), title="errors")
        return _file(f"{name}_xlsx_errors.xlsx", XLSX, sheet)
    raise NotFound("the link leads nowhere", code="LINK_INVALID")


def _file(name: str, media_type: str, pieces: Iterator[bytes]) -> Response:
    headers = {"content-type": media_type, "content-disposition": attachment(name)}
    return Response(status=200, headers=headers, body=pieces)
