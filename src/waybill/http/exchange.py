"""One request on its way through the edge, and what the server is told about its sender."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from waybill.dialect import Body, Request
from waybill.errors import RequestInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.types import Receive, Scope, Send

    from waybill.engine.commands import Idempotency
    from waybill.http.routing import Target
    from waybill.model.principal import Principal

HOST: Final = re.compile(r"[A-Za-z0-9._\-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
QUERY_FIELDS: Final = 100
SIGNED: Final = re.compile(r"eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
"""What a path may hold that is a secret: a signed link (RFC 7515, 3.1)."""
NO_BODY: Final = Body()


@dataclass(slots=True, kw_only=True)
class Exchange:
    """A request while it is being answered; filled in step by step."""

    scope: Scope
    receive: Receive
    send: Send
    request_id: str
    method: str
    path: str
    headers: Mapping[str, str]
    base_url: str = ""
    address: str = ""
    target: Target | None = None
    path_params: Mapping[str, str] = field(default_factory=dict)
    query: Sequence[tuple[str, str]] = ()
    principal: Principal | None = None
    body: Body = NO_BODY
    idempotency: Idempotency | None = None
    notes: list[tuple[bytes, bytes]] = field(default_factory=list)
    location: str = ""
    """Headers that the edge adds to whatever answer there will be."""

    @property
    def shown_path(self) -> str:
        """The path as logs show it: what opens a file by itself is left out, found or not."""
        return SIGNED.sub("********", self.path)

    def request(self) -> Request:
        """What a dialect sees of it."""
        return Request(
            method=self.method,
            path=self.path,
            base_url=self.base_url,
            request_id=self.request_id,
            path_params=self.path_params,
            query=self.query,
            headers=self.headers,
            principal=self.principal,
            body=self.body,
            idempotency=self.idempotency,
        )


def read_headers(scope: Scope) -> dict[str, str]:
    """Headers by lower-case name; repeated ones joined by ``, ``."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        value = raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def read_query(raw: bytes) -> Sequence[tuple[str, str]]:
    """Query parameters in order, repeats kept.

    Raises:
        RequestInvalid: more than 100 of them, or not UTF-8.
    """
    if not raw:
        return ()
    try:
        return parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=QUERY_FIELDS,
        )
    except ValueError as error:
        raise RequestInvalid(
            f"The query string is not valid UTF-8 form encoding of at most {QUERY_FIELDS} fields."
        ) from error


class Senders:
    """Where requests come from, seen through the proxies that the operator trusts.

    ``X-Forwarded-*`` of anybody else is ignored (security.md S39).
    """

    def __init__(self, public_url: str, trusted_proxies: Sequence[str]) -> None:
        self._public_url = public_url.rstrip("/")
        self._networks = [ip_network(proxy, strict=False) for proxy in trusted_proxies]

    def base_url(self, exchange: Exchange) -> str:
        """Scheme and host for links: the configured URL, else the request's own.

        Raises:
            RequestInvalid: the host is not a host.
        """
        if self._public_url:
            return self._public_url
        scheme = exchange.scope["scheme"]
        if self._is_proxied(exchange):
            scheme = _last(exchange.headers.get("x-forwarded-proto")) or scheme
        return _checked_url(scheme, self.host(exchange))

    def host(self, exchange: Exchange) -> str:
        """The host, perhaps with a port, that the client asked."""
        host = exchange.headers.get("host", "")
        if self._is_proxied(exchange):
            host = _last(exchange.headers.get("x-forwarded-host")) or host
        return host or _authority(exchange.scope)

    def _is_proxied(self, exchange: Exchange) -> bool:
        return bool(self._networks) and self._is_trusted(_peer(exchange))

    def address(self, exchange: Exchange) -> str:
        """The nearest address that is no trusted proxy."""
        address = _peer(exchange)
        if not self._networks or not self._is_trusted(address):
            return address
        hops = exchange.headers.get("x-forwarded-for", "").split(",")
        for hop in reversed([hop.strip() for hop in hops if hop.strip()]):
            address = hop
            if not self._is_trusted(hop):
                break
        return address

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


@lru_cache(maxsize=256)
def _checked_url(scheme: str, host: str) -> str:
    if scheme not in {"http", "https"} or not HOST.fullmatch(host):
        raise RequestInvalid("The Host header is not a host.", code="HOST_INVALID")
    return f"{scheme}://{host}"


def _peer(exchange: Exchange) -> str:
    client = exchange.scope.get("client")
    return str(client[0]) if client else ""


def _authority(scope: Scope) -> str:
    server = scope.get("server")
    return f"{server[0]}:{server[1]}" if server else "localhost"


def _last(value: str | None) -> str:
    return value.rpartition(",")[2].strip() if value else ""
