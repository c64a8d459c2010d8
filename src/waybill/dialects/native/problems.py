"""Errors as problem details (RFC 9457): one table of statuses, one of titles."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

import msgspec

from waybill import errors
from waybill.dialect import Core, Request, Response
from waybill.error_codes import TITLES

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUSES: Final[Mapping[type[errors.WaybillError], int]] = {
    errors.RequestInvalid: 400,
    errors.BodyInvalid: 400,
    errors.BodyTooSlow: 408,
    errors.MediaTypeUnsupported: 415,
    errors.LimitExceeded: 413,
    errors.NotAuthenticated: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Gone: 410,
    errors.StateConflict: 409,
    errors.ValueNotRepresentable: 406,
    errors.KeyReused: 422,
    errors.KeyInFlight: 409,
    errors.RateExceeded: 429,
    errors.RequestRefused: 400,
    errors.StorageFull: 507,
    errors.StoreUnavailable: 503,
    errors.WaybillError: 500,
}
STATUS_OF_CODE: Final[Mapping[str, int]] = {"METHOD_NOT_ALLOWED": 405, "NOT_ACCEPTABLE": 406}
DETAILS: Final[Mapping[int, str]] = {
    500: "The server's log has the cause under this request id.",
    503: "Nothing was stored. Send the request again in a few seconds.",
    507: "The server's disk is full or refuses writes. Nothing was stored: send the request again"
    " later, or tell the operator.",
}
RETRY_SECONDS: Final[Mapping[int, int]] = {503: 5, 507: 60}


class ProblemPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One cause of a problem: the parameter, option or part that is wrong."""

    parameter: str
    message: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was refused (RFC 9457). ``code`` is stable and meant for programs."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[ProblemPart] = []
    limit: str | None = None
    allowed: int | None = None
    scope: str | None = None


def render_error(error: errors.WaybillError, request: Request) -> Response:
    """The answer to an error: a problem document, and the headers that go with its kind."""
    status = _status(error)
    problem = Problem(
        type=f"/docs/errors#{error.code}",
        title=TITLES.get(error.code, error.code.replace("_", " ").capitalize()),
        status=status,
        detail=_detail(error, status),
        code=error.code,
        request_id=request.request_id,
        errors=_parts(error),
        limit=getattr(error, "limit", None),
        allowed=getattr(error, "allowed", None),
        scope=getattr(error, "scope", None),
    )
    headers = {"content-type": "application/problem+json", **_headers(error, status)}
    return Response(status=status, headers=headers, body=msgspec.json.encode(problem))


def errors_page(_core: Core, _request: Request) -> Response:
    """The page that problem types point at."""
    rows = "".join(
        f'<tr id="{escape(code)}"><td><code>{escape(code)}</code></td><td>{escape(title)}</td></tr>'
        for code, title in sorted(TITLES.items())
    )
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<title>Waybill problem codes</title></head><body><main><h1>Problem codes</h1>"
        "<p>The <code>code</code> of a problem document is stable. Back to "
        '<a href="/docs">the API</a>.</p><table><thead><tr><th scope="col">Code</th>'
        f'<th scope="col">Meaning</th></tr></thead><tbody>{rows}</tbody></table>'
        "</main></body></html>"
    )
    headers = {"content-type": "text/html; charset=utf-8", "cache-control": "no-cache"}
    return Response(status=200, headers=headers, body=page.encode())


def _status(error: errors.WaybillError) -> int:
    known = STATUS_OF_CODE.get(error.code)
    if known is not None:
        return known
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def _detail(error: errors.WaybillError, status: int) -> str:
    """What to do; what failed inside stays in the log (security.md S30)."""
    known = DETAILS.get(status)
    return known or _sentence(error.message)


def _sentence(message: str) -> str:
    sentence = message[:1].upper() + message[1:]
    return sentence if sentence.endswith((".", "?", "!")) else f"{sentence}."


def _parts(error: errors.WaybillError) -> list[ProblemPart]:
    if isinstance(error, errors.RequestInvalid) and error.parameter:
        return [ProblemPart(parameter=error.parameter, message=_sentence(error.message))]
    return []


def _headers(error: errors.WaybillError, status: int) -> dict[str, str]:
    match error:
        case errors.NotAuthenticated():
            known = ', error="invalid_token"' if error.code == "CREDENTIAL_INVALID" else ""
            return {"www-authenticate": f'Bearer realm="waybill"{known}'}
        case errors.NotAllowed() if error.scope:
            challenge = f'Bearer realm="waybill", error="insufficient_scope", scope="{error.scope}"'
            return {"www-authenticate": challenge}
        case errors.RateExceeded():
            return {"retry-after": str(error.retry_after_seconds)}
        case errors.KeyInFlight():
            return {"retry-after": "1"}
        case _:
            pass
    return {"retry-after": str(RETRY_SECONDS[status])} if status in RETRY_SECONDS else {}
