"""Errors as Voyado words them: ``{"message": ...}``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from waybill import errors
from waybill.dialect import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.dialect import Request

JSON: Final = {"content-type": "application/json"}
RETRY_SECONDS: Final = 5
_ALWAYS: Final[Mapping[str, tuple[int, str]]] = {
    "NOT_AUTHENTICATED": (403, "Api-Key could not be validated."),
    "CREDENTIAL_INVALID": (403, "Api-Key could not be validated."),
    "PROJECT_FOREIGN": (403, "Api-Key could not be validated."),
    "INSUFFICIENT_SCOPE": (403, "This Api-Key may not do that."),
    "PROJECT_NOT_FOUND": (404, "Cluster not found."),
    "METHOD_NOT_ALLOWED": (405, "Method not allowed."),
    "IMPORT_IN_PROGRESS": (409, "An import of the same type is currently in progress."),
}
"""Code -> status and message, where the message is always the same."""

_BY_KIND: Final[Mapping[type[errors.WaybillError], tuple[int, str]]] = {
    errors.LimitExceeded: (413, ""),
    errors.MediaTypeUnsupported: (415, ""),
    errors.RateExceeded: (429, "Too many requests."),
    errors.ServerBusy: (503, ""),
    errors.StorageFull: (503, "The disk is full; try again later."),
    errors.StoreUnavailable: (503, "The service is not available; try again."),
    errors.Gone: (404, "Not found."),
    errors.RequestRefused: (400, ""),
}
"""Kind of error -> status and message; an empty one is the error's own. The first kind counts."""


def render_error(error: errors.WaybillError, request: Request) -> Response:
    """The answer to an error."""
    status, message = _ALWAYS.get(error.code) or _told(error, request)
    headers = dict(JSON)
    if status in {429, 503}:
        headers["retry-after"] = str(getattr(error, "retry_after_seconds", RETRY_SECONDS))
    return Response(status=status, headers=headers, body=encode({"message": message}))


def encode(value: object) -> bytes:
    """A value as JSON."""
    return msgspec.json.encode(value)


def _told(error: errors.WaybillError, request: Request) -> tuple[int, str]:
    if isinstance(error, errors.NotFound):
        return 404, error.message if error.code == "IMPORT_TYPE_NOT_FOUND" else "Not found."
    for kind, (status, message) in _BY_KIND.items():
        if isinstance(error, kind):
            return status, message or error.message
    return 500, f"Internal error. Reference {request.request_id}"
