"""The routes of TAO: every path that the vendor's pages have, each with and without last slash."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from waybill.dialect import Answer, BodyKind, Handler, Route
from waybill.dialects.tao.results import Result, newest_result, report, result
from waybill.dialects.tao.statuses import Status, status, without_id
from waybill.dialects.tao.tokens import Token, issue
from waybill.dialects.tao.uploads import FILE, Accepted, upload
from waybill.model.principal import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TOKENS: Final = ("/api/v1/upload/v1/oauth2/tokens", "/api/v1/oauth2/tokens", "/v1/oauth2/tokens")
_UPLOADS: Final = ("/api/v1/upload/api/v1/upload", "/api/v1/upload")
_STATUSES: Final = (
    "/api/v1/upload/api/v1/status",
    "/api/v1/uploadpi/v1/status",
    "/api/v1/status",
)
_DOWNLOADS: Final = ("/api/v1/upload/api/v1/download", "/api/v1/download")
_ID: Final = "/{reference_id}"
_FIELDS: Final = ("grant_type", "client_id", "client_secret")
_CREDENTIALS: Final = {
    "type": "object",
    "required": list(_FIELDS),
    "properties": {name: {"type": "string"} for name in (*_FIELDS, "scope")},
}
_FORM: Final = {
    "type": "object",
    "required": [FILE],
    "properties": {FILE: {"type": "string", "format": "binary", "description": "CSV, or gzip."}},
}
_TOKEN: Final = Route(
    method="POST",
    path="",
    handler=issue,
    scope=None,
    body=BodyKind.FORM,
    summary="TAO: get a token",
    request_media={
        "multipart/form-data": _CREDENTIALS,
        "application/x-www-form-urlencoded": _CREDENTIALS,
        "application/json": _CREDENTIALS,
    },
    answers={200: Answer(description="The token.", struct=Token)},
)
_UPLOAD: Final = Route(
    method="POST",
    path="",
    handler=upload,
    scope=Scope.SUBMIT,
    body=BodyKind.UPLOAD,
    file_parts=frozenset({FILE}),
    summary="TAO: upload a roster",
    request_media={"multipart/form-data": _FORM},
    answers={202: Answer(description="Accepted.", struct=Accepted)},
)


def _read(handler: Handler, summary: str, struct: type) -> Route:
    return Route(
        method="GET",
        path="",
        handler=handler,
        scope=Scope.READ,
        summary=summary,
        answers={200: Answer(description="The answer.", struct=struct)},
    )


def _routes() -> Iterator[Route]:
    """Each route at each of its paths."""
    status_of_upload = _read(status, "TAO: read the status of an upload", Status)
    no_status = _read(without_id, "TAO: a status without reference id, never found", Status)
    result_of_upload = _read(result, "TAO: get a link to the report", Result)
    newest = _read(newest_result, "TAO: the same of the newest finished upload", Result)
    for route, paths, rest in (
        (_TOKEN, _TOKENS, ""),
        (_UPLOAD, _UPLOADS, ""),
        (status_of_upload, _STATUSES, _ID),
        (no_status, _STATUSES, ""),
        (result_of_upload, _DOWNLOADS, _ID),
        (newest, _DOWNLOADS, ""),
    ):
        for path in paths:
            yield replace(route, path=path + rest)
            yield replace(route, path=f"{path}{rest}/")
    yield Route(
        method="GET",
        path="/files/tao/{link}/{name}",
        handler=report,
        scope=None,
        summary="TAO: the report behind a link",
        answers={200: Answer(description="The report.", media_types=("text/csv",))},
    )


ROUTES: Sequence[Route] = tuple(_routes())
