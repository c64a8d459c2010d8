"""Who may pass: credential, rate, scope, in this order, before a body is read."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from waybill.errors import NotAllowed, NotAuthenticated, RateExceeded
from waybill.http.rate_limits import FixedWindow

if TYPE_CHECKING:
    from waybill.dialect import Route
    from waybill.http.exchange import Exchange, Senders
    from waybill.http.routing import Target
    from waybill.model.principal import Principal
    from waybill.ports.clock import Clock
    from waybill.ports.credential_store import CredentialStore

FAILURES_PER_ADDRESS: Final = 30
FAILURE_WINDOW_SECONDS: Final = 10.0


class Gate:
    """Admits requests. Reads credentials in the event loop: one indexed look-up each.

    ``rate_per_second`` counts per credential and process; 0 is no limit. Refused credentials are
    counted per address, so that guessing is slow and leaves a trace.
    """

    def __init__(
        self, *, credentials: CredentialStore, senders: Senders, clock: Clock, rate_per_second: int
    ) -> None:
        self._credentials = credentials
        self._senders = senders
        self._rate = FixedWindow(clock, limit=rate_per_second) if rate_per_second else None
        self._policy = f'"credential";q={rate_per_second};w=1'.encode()
        self._failures = FixedWindow(
            clock, limit=FAILURES_PER_ADDRESS, window_seconds=FAILURE_WINDOW_SECONDS
        )

    def admit(self, exchange: Exchange, target: Target) -> None:
        """Set the exchange's principal, and note what is left of its rate.

        Raises:
            NotAuthenticated: no credential, or none that is known to this dialect.
            RateExceeded: too many requests, or too many refused credentials from one address.
            NotAllowed: the credential lacks the route's scope.
        """
        if target.route.scope is None:
            return
        principal = self._find_principal(exchange, target)
        exchange.principal = principal
        if self._rate is not None:
            self._count(exchange, self._rate, principal)
        _check_scope(principal, target.route)

    def _find_principal(self, exchange: Exchange, target: Target) -> Principal:
        secret = target.dialect.authenticate(exchange.headers)
        if secret is None:
            raise NotAuthenticated("This request needs a credential.")
        digest = sha256(secret.encode("utf-8", "surrogateescape")).digest()
        principal = self._credentials.find_principal(target.dialect.NAME, digest)
        if principal is None or not principal.project:
            self._failures.hit(self._senders.address(exchange))
            raise NotAuthenticated(
                "The credential is unknown, revoked or expired.", code="CREDENTIAL_INVALID"
            )
        return principal

    def _count(self, exchange: Exchange, rate: FixedWindow, principal: Principal) -> None:
        exchange.notes.append((b"ratelimit-policy", self._policy))
        try:
            left = rate.hit(principal.credential)
        except RateExceeded as error:
            limit = f'"credential";r=0;t={error.retry_after_seconds}'
            exchange.notes.append((b"ratelimit", limit.encode()))
            raise
        limit = f'"credential";r={left.remaining};t={left.reset_seconds}'
        exchange.notes.append((b"ratelimit", limit.encode()))


def _check_scope(principal: Principal, route: Route) -> None:
    if route.scope is not None and not principal.may(route.scope):
        raise NotAllowed(f"This needs the scope {route.scope.value!r}.", scope=route.scope.value)
