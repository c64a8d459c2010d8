"""The routes of Voyado."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.dialect import Answer, BodyKind, Check, QueryParameter, Route
from waybill.dialects.voyado.exports import export
from waybill.dialects.voyado.imports import precheck, precheck_alone, submit
from waybill.dialects.voyado.statuses import AdminStatus, Status, admin_status, status
from waybill.model.principal import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FILE: Final = {"type": "string", "format": "binary"}
_MEDIA: Final[Mapping[str, Mapping[str, str]]] = dict.fromkeys(
    (
        "",
        "application/xml",
        "text/xml",
        "application/gzip",
        "application/x-gzip",
        "application/octet-stream",
        "application/x-www-form-urlencoded",  # what curl -d sends
    ),
    _FILE,
)
_QUERY: Final = (
    QueryParameter(name="name", description="Your own name of the import."),
    QueryParameter(name="force", description="true: let it do harm."),
    QueryParameter(name="blockingTimeout", description="How long to wait, such as PT1M."),
)
_ANSWERS: Final = {
    202: Answer(
        description="It is not over within the wait.",
        struct=Status,
        headers={"Location": "The status."},
    ),
    204: Answer(description="It is done.", media_types=()),
}


def _import(method: str, version: str, check: Check) -> Route:
    return Route(
        method=method,
        path=f"/api/{version}/import/{{type}}",
        handler=submit,
        scope=Scope.SUBMIT,
        body=BodyKind.UPLOAD,
        precheck=check,
        summary=f"Voyado: import a feed ({version})",
        query=_QUERY,
        request_media=_MEDIA,
        answers=_ANSWERS,
    )


ROUTES: Sequence[Route] = (
    _import("POST", "v2", precheck),
    _import("PUT", "v2", precheck),
    _import("POST", "v1", precheck_alone),
    _import("PUT", "v1", precheck_alone),
    Route(
        method="GET",
        path="/api/v2/import/status/{id}",
        handler=status,
        scope=Scope.READ,
        summary="Voyado: read an import",
        answers={200: Answer(description="The import information.", struct=Status)},
    ),
    *(
        Route(
            method="GET",
            path=f"/api/admin/{version}/import/status",
            handler=admin_status,
            scope=Scope.READ,
            summary=f"Voyado: read an import (admin {version})",
            query=(QueryParameter(name="id", description="The id of the import."),),
            answers={200: Answer(description="The import information.", struct=AdminStatus)},
        )
        for version in ("v3", "v4")
    ),
    Route(
        method="GET",
        path="/api/v2/export/{type}",
        handler=export,
        scope=Scope.READ,
        summary="Voyado: read the records of a type as a feed",
        answers={200: Answer(description="The feed.", media_types=("application/xml",))},
    ),
)
