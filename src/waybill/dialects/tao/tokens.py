"""``POST .../oauth2/tokens``: client id and secret become a token (RFC 6749, 4.4)."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

import msgspec

from waybill.dialect import Response
from waybill.dialects.tao.errors import JSON, NOT_STORED, refuse_token
from waybill.errors import RequestInvalid
from waybill.model.principal import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.dialect import Core, Request
    from waybill.model.principal import Principal

GRANT: Final = "client_credentials"
ROSTERING: Final = "rostering"
_SCOPES: Final = (Scope.SUBMIT, Scope.READ)


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """An issued token; ``expires_in`` in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


def issue(core: Core, request: Request) -> Response:
    """A token for a client.

    Raises:
        NotAuthenticated: no such client, or another secret.
    """
    fields = _fields(request)
    missing = [
        name for name in ("grant_type", "client_id", "client_secret") if not fields.get(name)
    ]
    if missing:
        return refuse_token("invalid_request", f"{missing[0]} is missing")
    if fields["grant_type"] != GRANT:
        return refuse_token("unsupported_grant_type", f"grant_type must be {GRANT}")
    token = core.tokens.issue("tao", fields["client_id"], fields["client_secret"])
    allowed = scope_of(token.principal)
    asked = fields.get("scope", "").split() or allowed.split()
    if not set(asked) <= set(allowed.split()):
        return refuse_token("invalid_scope", f"the client may have the scope: {allowed or 'none'}")
    body = Token(
        access_token=token.text,
        token_type="Bearer",  # noqa: S106 - the type of a token
        expires_in=token.lifetime_seconds,
        scope=" ".join(asked),
    )
    return Response(status=200, headers={**JSON, **NOT_STORED}, body=msgspec.json.encode(body))


def scope_of(principal: Principal) -> str:
    """The scope of the vendor that a client has, empty for none."""
    return ROSTERING if any(map(principal.may, _SCOPES)) else ""


def _fields(request: Request) -> Mapping[str, str]:
    """The fields of a form or a JSON object; the client's may stand in the header instead."""
    fields = dict(request.body.fields)
    if request.headers.get("content-type", "").lower().startswith("application/json"):
        fields = _json_fields(request.body.raw)
    return {**{name: _bare(text) for name, text in fields.items()}, **_basic(request.headers)}


def _json_fields(raw: bytes) -> dict[str, str]:
    try:
        return msgspec.json.decode(raw, type=dict[str, str])
    except msgspec.DecodeError as error:
        raise RequestInvalid("the body is not a JSON object of texts") from error


def _bare(text: str) -> str:
    """A value without the quotes that a copied command line leaves around it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _basic(headers: Mapping[str, str]) -> dict[str, str]:
    """Client id and secret of ``Authorization: Basic`` (RFC 6749, 2.3.1)."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        login, found, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise RequestInvalid("the Authorization header is not Basic") from error
    if not found:
        raise RequestInvalid("the Authorization header is not Basic")
    return {"client_id": unquote_plus(login), "client_secret": unquote_plus(secret)}
