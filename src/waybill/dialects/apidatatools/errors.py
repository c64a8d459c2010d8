"""Errors as APIDataTools words them: ``{"status": "error", "error": CODE, "details": {...}}``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from waybill import errors
from waybill.dialect import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.dialect import Request

JSON: Final = {"content-type": "application/json"}
STATUS_SPACES: Final = ("/jobs", "/status-api")
RETRY_SECONDS: Final = 5
_UNAUTHORIZED: Final = (401, "UNAUTHORIZED", "Missing authorizer context")
_BY_CODE: Final[Mapping[str, tuple[int, str, str]]] = {
    "NOT_AUTHENTICATED": _UNAUTHORIZED,
    "CREDENTIAL_INVALID": _UNAUTHORIZED,
    "INSUFFICIENT_SCOPE": (403, "FORBIDDEN", "Access denied"),
    "FORBIDDEN": (403, "FORBIDDEN", "Access denied"),
    "INVALID_JOB_ID": (400, "INVALID_JOB_ID", "job_id is required"),
    "JOB_NOT_FOUND": (404, "JOB_NOT_FOUND", "Job not found"),
    "UPLOAD_NOT_FOUND": (404, "FILE_NOT_FOUND", "File not found"),
    "PATH_NOT_FOUND": (404, "NOT_FOUND", "Not found"),
    "LINK_INVALID": (404, "FILE_NOT_FOUND", "File not found"),
    "METHOD_NOT_ALLOWED": (405, "METHOD_NOT_ALLOWED", "Method not allowed"),
    "URL_NOT_ALLOWED": (400, "INVALID_URL", "The url is not allowed."),
    "UPLOAD_DENIED": (403, "UPLOAD_DENIED", "The upload is not as its form says, or too late."),
    "QUOTA_EXCEEDED": (403, "QUOTA_EXCEEDED", ""),
    "UPLOAD_EXISTS": (409, "UPLOAD_ALREADY_DONE", "The file of this upload is here already."),
}
"""Code -> status, code and message; an empty one is the error's own."""
_BY_KIND: Final[Mapping[type[errors.WaybillError], tuple[int, str, str]]] = {
    errors.LimitExceeded: (413, "PAYLOAD_TOO_LARGE", ""),
    errors.MediaTypeUnsupported: (415, "UNSUPPORTED_MEDIA_TYPE", ""),
    errors.RateExceeded: (429, "RATE_LIMITED", "Too many requests. Please slow down."),
    errors.StorageFull: (507, "INSUFFICIENT_STORAGE", "There is no space left; try again later."),
    errors.StoreUnavailable: (503, "INTERNAL_ERROR", "Failed to process request"),
    errors.Gone: (410, "FILE_NOT_FOUND", "File not found"),
    errors.NotFound: (404, "NOT_FOUND", "Not found"),
}
"""Kind of error -> status, code and message; an empty one is the error's own."""
OWN_CODES: Final = frozenset(
    {
        "EMPTY_INPUT",
        "INVALID_FILENAME",
        "INVALID_OPTION",
        "INVALID_SOURCE_TYPE",
        "UNSUPPORTED_FILE_TYPE",
    }
)
"""Codes of this dialect that its handlers raise."""
_SLOW_DOWN: Final = "Too many status requests. Please slow down."


def render_error(error: errors.WaybillError, request: Request) -> Response:
    """The answer to an error."""
    status, code, message = _BY_CODE.get(error.code) or _told(error, request)
    details: dict[str, Any] = {"message": message or error.message}
    if isinstance(error, errors.ContentInvalid):
        details |= place_of(error.line, error.column)
    headers = dict(JSON)
    if isinstance(error, errors.RateExceeded):
        headers["retry-after"] = str(error.retry_after_seconds)
    elif status == 503:  # noqa: PLR2004 - it may be better soon
        headers["retry-after"] = str(RETRY_SECONDS)
    body = {"status": "error", "error": code, "details": details}
    return Response(status=status, headers=headers, body=encode(body))


def place_of(line: int | None, column: int | None) -> dict[str, int]:
    """Where content is wrong, as far as that has a place."""
    found = {"line": line, "column": column}
    return {name: number for name, number in found.items() if number is not None}


def encode(value: object) -> bytes:
    """A value as JSON."""
    return msgspec.json.encode(value)


def _told(error: errors.WaybillError, request: Request) -> tuple[int, str, str]:
    is_status = request.path.startswith(STATUS_SPACES)
    if is_status and isinstance(error, errors.RateExceeded):
        return 429, "RATE_LIMITED", _SLOW_DOWN
    if isinstance(error, errors.ContentInvalid):
        return 413 if error.code == "PAYLOAD_TOO_LARGE" else 400, error.code, error.message
    for kind, (status, code, message) in _BY_KIND.items():
        if isinstance(error, kind):
            return status, code, message
    if isinstance(error, errors.RequestRefused):
        return 400, error.code if error.code in OWN_CODES else "INVALID_REQUEST", error.message
    message = "Failed to process job" if is_status else "Failed to process request"
    return 500, "INTERNAL_ERROR", message
