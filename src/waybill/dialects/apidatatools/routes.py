"""The routes of APIDataTools."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from waybill.dialect import Answer, BodyKind, QueryParameter, Route
from waybill.dialects.apidatatools import submissions, uploads
from waybill.dialects.apidatatools.results import Result, download
from waybill.dialects.apidatatools.statuses import (
    Status,
    calls_per_minute,
    status,
    without_id,
)
from waybill.model.principal import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

_FILE: Final = {"type": "string", "format": "binary"}
_HEADERS: Final = (
    QueryParameter(name="x-source-type", description="body, url or file."),
    QueryParameter(name="x-tab-space", description="Spaces of one level, 0 to 8."),
    QueryParameter(name="x-has-header", description="Whether CSV begins with names."),
    QueryParameter(name="x-delimiter", description="What stands between cells."),
    QueryParameter(name="x-root-name", description="The root of an XML document."),
    QueryParameter(name="x-url-safe", description="Whether reserved characters are encoded."),
)
_TOOL: Final = re.compile(r"[a-z0-9-]{1,60}-api")

SPACES: Sequence[str] = ("/jobs", "/status-api", "/upload-api", "/files/apidatatools", "/uploads")
ROUTES: Sequence[Route] = (
    Route(
        method="POST",
        path="/upload-api",
        handler=uploads.promise,
        scope=Scope.SUBMIT,
        body=BodyKind.SMALL,
        summary="APIDataTools: promise an upload",
        request_media={"application/json": {"type": "object"}},
        answers={200: Answer(description="The form.", struct=uploads.Promise)},
    ),
    Route(
        method="POST",
        path="/uploads/apidatatools/{link}/",
        handler=uploads.receive,
        scope=None,
        body=BodyKind.UPLOAD,
        precheck=uploads.precheck,
        most_bytes=uploads.most_bytes,
        file_parts=frozenset({uploads.FILE}),
        ends_with_file=True,
        summary="APIDataTools: send a promised file",
        request_media={"multipart/form-data": {"type": "object"}},
        answers={204: Answer(description="The file is here.", media_types=())},
    ),
    Route(
        method="POST",
        path="/{tool}",
        handler=submissions.submit,
        scope=Scope.SUBMIT,
        body=BodyKind.CONTENT,
        precheck=submissions.precheck,
        prechecks_in_loop=True,
        most_bytes=submissions.most_bytes,
        patterns={"tool": _TOOL},
        summary="APIDataTools: run a tool",
        headers=_HEADERS,
        request_media={"*/*": _FILE},
        answers={
            200: Answer(description="What it made.", struct=Result),
            202: Answer(description="It is a job.", struct=submissions.Accepted),
        },
    ),
    *(
        route
        for space in ("/jobs", "/status-api")
        for route in (
            Route(
                method="GET",
                path=f"{space}/{{id}}",
                handler=status,
                scope=Scope.READ,
                calls_per_minute=calls_per_minute,
                summary="APIDataTools: the state of a job",
                answers={200: Answer(description="The state.", struct=Status)},
            ),
            *(
                Route(
                    method="GET",
                    path=path,
                    handler=without_id,
                    scope=Scope.READ,
                    calls_per_minute=calls_per_minute,
                    summary="APIDataTools: names no job",
                    answers={},
                )
                for path in (space, f"{space}/")
            ),
        )
    ),
    Route(
        method="GET",
        path="/files/apidatatools/{link}/{name}",
        handler=download,
        scope=None,
        summary="APIDataTools: download what a tool made",
        answers={
            200: Answer(description="The file.", media_types=("application/octet-stream",)),
            206: Answer(description="A part.", media_types=("application/octet-stream",)),
        },
    ),
)
