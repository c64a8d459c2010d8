"""Errors as Trax words them: mostly ``{"description": ...}``, each where the vendor shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from waybill import errors
from waybill.dialect import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.dialect import Request

JSON: Final = {"content-type": "application/json"}
_UNPARSABLE: Final = "Error Parsing Request"


_ONLY_DESCRIBED: Final[Mapping[str, tuple[int, Mapping[str, str]]]] = {
    "CREDENTIAL_INVALID": (401, {"description": "the API key is invalid"}),
    "NOT_AUTHENTICATED": (401, {"description": "missing Authorization:Auth-Token header value"}),
    "AUTHORIZATION_MALFORMED": (400, {"error_description": "invalid token"}),
    "METHOD_NOT_ALLOWED": (405, {"description": "Method Not Allowed"}),
    "FILE_EMPTY": (400, {"description": "Received file is empty"}),
    "RATE_LIMITED": (429, {"description": "Too Many Requests"}),
}
"""Code -> status and body, where the body is always the same."""


def render_error(error: errors.WaybillError, request: Request) -> Response:
    """The answer to an error."""
    status, body = _ONLY_DESCRIBED.get(error.code) or _told(error, request)
    headers = dict(JSON)
    if isinstance(error, errors.RateExceeded):
        headers["retry-after"] = str(error.retry_after_seconds)
    return Response(status=status, headers=headers, body=msgspec.json.encode(body))


def _told(error: errors.WaybillError, request: Request) -> tuple[int, Mapping[str, object]]:
    match error:
        case errors.NotAllowed():
            resource = "entity" if "/entity" in request.path else "async-job"
            return 403, {"description": f"A forbidden resource has been requested {resource}"}
        case errors.NotFound() | errors.Gone() | errors.StateConflict():
            return 404, {"statusCode": 404, "message": "Not Found"}
        case errors.LimitExceeded() if error.code != "PART_TOO_LARGE":
            return 413, {"description": f"File is larger than {error.allowed} bytes"}
        case errors.RequestRefused():
            return 400, {"description": _UNPARSABLE, "details": error.message}
        case _:
            broken = {errors.StorageFull: 507, errors.StoreUnavailable: 503}
            reference = {"description": "Internal error", "reference": request.request_id}
            return broken.get(type(error), 500), reference
