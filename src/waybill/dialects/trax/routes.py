"""The routes of Trax."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from waybill.dialect import Answer, BodyKind, Handler, QueryParameter, Route
from waybill.dialects.trax.files import download
from waybill.dialects.trax.records import records
from waybill.dialects.trax.statuses import Status, status, status_after_submit
from waybill.dialects.trax.submissions import FILE, submit
from waybill.model.principal import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VERSION: Final = re.compile("[vV][0-9]{1,9}")
_PATTERNS: Final[Mapping[str, re.Pattern[str]]] = {"version": _VERSION}
_STATUS: Final = Answer(description="The job.", struct=Status)
_FORM: Final = {
    "type": "object",
    "required": ["entity_type", "file_format", FILE],
    "properties": {
        "entity_type": {"type": "string", "enum": ["stores", "user", "routes"]},
        "file_format": {"type": "string", "enum": ["json", "csv", "xlsx"]},
        "delimiter": {"type": "string", "maxLength": 1},
        FILE: {"type": "string", "format": "binary", "description": "Plain or gzip."},
    },
}


def _read(path: str, handler: Handler, summary: str, answer: Answer) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        scope=Scope.READ,
        project="project",
        patterns=_PATTERNS,
        summary=summary,
        answers={200: answer},
    )


ROUTES: Sequence[Route] = (
    Route(
        method="POST",
        path="/api/{version}/{project}/async-job",
        handler=submit,
        scope=Scope.SUBMIT,
        body=BodyKind.UPLOAD,
        project="project",
        patterns=_PATTERNS,
        file_parts=frozenset({FILE}),
        summary="Trax: submit a file of stores, users or routes",
        query=(QueryParameter(name="uploadType", description="Always multipart."),),
        request_media={"multipart/form-data": _FORM},
        answers={
            202: Answer(
                description="Accepted.", headers={"Location": "The status, without host and /api."}
            )
        },
    ),
    _read(
        "/api/{version}/{project}/async-job/status/{id}",
        status,
        "Trax: read a job",
        _STATUS,
    ),
    _read("/{version}/{project}/async-job/status/{id}", status, "Trax: the same", _STATUS),
    _read(
        "/api/{version}/{project}/{again}/{project_again}/async-job/status/{id}",
        status_after_submit,
        "Trax: the same, resolved against the address of the submission",
        _STATUS,
    ),
    _read(
        "/api/{version}/{project}/entity/{entity}",
        records,
        "Trax: read stored records",
        Answer(description="A page."),
    ),
    Route(
        method="GET",
        path="/files/trax/{link}/{name}",
        handler=download,
        scope=None,
        summary="Trax: a file behind a link",
        answers={200: Answer(description="The file.", media_types=("application/octet-stream",))},
    ),
    Route(
        method="GET",
        path="/files/trax/{link}/{id}/{name}",
        handler=download,
        scope=None,
        summary="Trax: an input behind a link",
        answers={200: Answer(description="The file.", media_types=("application/octet-stream",))},
    ),
)
