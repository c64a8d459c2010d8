"""Errors as TAO words them: plain text for 401, else ``{"message": ...}``; OAuth2's for tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from waybill import errors
from waybill.dialect import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from waybill.dialect import Request

JSON: Final = {"content-type": "application/json"}
NOT_STORED: Final = {"cache-control": "no-store", "pragma": "no-cache"}
TOKENS: Final = "/oauth2/tokens"
"""How the path of a request for a token ends."""

_WORDED: Final[Sequence[tuple[tuple[type[errors.WaybillError], ...], int, str]]] = (
    ((errors.NotAllowed,), 403, "Insufficient scope"),
    ((errors.StateConflict,), 404, "The result is not available yet."),
    (
        (errors.NotFound, errors.Gone),
        404,
        "Reference ID not found. File not found in pending bucket.",
    ),
    ((errors.RateExceeded,), 429, "Too Many Requests"),
    ((errors.StorageFull,), 507, "Insufficient storage"),
    ((errors.StoreUnavailable,), 503, "The service is not available; try again"),
)
"""Errors that are always told in the same words."""


def render_error(error: errors.WaybillError, request: Request) -> Response:
    """The answer to an error."""
    if request.path.rstrip("/").endswith(TOKENS):
        refusal = _token_refusal(error, request)
        if refusal is not None:
            return refusal
    if isinstance(error, errors.NotAuthenticated):
        headers = {"content-type": "text/plain; charset=utf-8", "www-authenticate": "Bearer"}
        return Response(status=401, headers=headers, body=b"Access Denied")
    status, message = _told(error, request)
    headers = dict(JSON)
    if isinstance(error, errors.RateExceeded):
        headers["retry-after"] = str(error.retry_after_seconds)
    return Response(status=status, headers=headers, body=msgspec.json.encode({"message": message}))


def refuse_token(
    error: str, description: str, *, status: int = 400, headers: Mapping[str, str] | None = None
) -> Response:
    """A refused request for a token (RFC 6749, 5.2)."""
    return Response(
        status=status,
        headers={**JSON, **NOT_STORED, **(headers or {})},
        body=msgspec.json.encode({"error": error, "error_description": description}),
    )


def _token_refusal(error: errors.WaybillError, request: Request) -> Response | None:
    """What OAuth2 has a word for."""
    if isinstance(error, errors.NotAuthenticated):
        is_basic = "authorization" in request.headers
        challenge = {"www-authenticate": 'Basic realm="waybill"'} if is_basic else {}
        description = "Client authentication failed"
        return refuse_token("invalid_client", description, status=401, headers=challenge)
    if isinstance(error, errors.LimitExceeded):
        return refuse_token("invalid_request", error.message, status=413)
    is_told_elsewhere = isinstance(error, errors.NotFound | errors.RateExceeded)
    if is_told_elsewhere or error.code == "METHOD_NOT_ALLOWED":
        return None
    if isinstance(error, errors.RequestRefused):
        return refuse_token("invalid_request", error.message)
    return None


def _told(error: errors.WaybillError, request: Request) -> tuple[int, str]:
    for kinds, status, message in _WORDED:
        if isinstance(error, kinds):
            return status, message
    if isinstance(error, errors.LimitExceeded) and error.code != "PART_TOO_LARGE":
        return 413, f"File is larger than {error.allowed} bytes"
    if isinstance(error, errors.RequestRefused):
        is_method = error.code == "METHOD_NOT_ALLOWED"
        return (405, "Method Not Allowed") if is_method else (400, error.message)
    return 500, f"The server met a fault; its log has the cause under {request.request_id}"
