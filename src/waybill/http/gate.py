"""Who may pass: credential, rate, scope, in this order, before a body is read."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from waybill.dialect import Access
from waybill.errors import NotAllowed, NotAuthenticated, NotFound, RateExceeded
from waybill.http.rate_limits import FixedWindow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from waybill.dialect import Core, Dialect, RateLimit, Route
    from waybill.http.exchange import Exchange, Senders
    from waybill.http.routing import Target
    from waybill.model.ids import ProjectName
    from waybill.model.principal import Principal
    from waybill.ports.clock import Clock
    from waybill.ports.credential_store import CredentialStore

FAILURES_PER_ADDRESS: Final = 30
FAILURE_WINDOW_SECONDS: Final = 10.0


class Gate:
    """Admits requests. Reads credentials in the event loop: one indexed look-up each.

    ``rate_per_second`` counts per credential and process; 0 is no limit, and then dialects have
    none of their own either. Refused credentials are counted per address, so that guessing is slow
    and leaves a trace. ``dialects``: each with further suffixes of hosts that name projects.
    """

    def __init__(
        self,
        *,
        credentials: CredentialStore,
        senders: Senders,
        clock: Clock,
        core: Core,
        rate_per_second: int,
        dialects: Iterable[tuple[Dialect, Sequence[str]]],
    ) -> None:
        self._credentials = credentials
        self._tokens = core.tokens
        self._senders = senders
        self._clock, self._core = clock, core
        self._calls: dict[RateLimit, FixedWindow] = {}
        admissions = {each.NAME: (each.ADMISSION, more) for each, more in dialects}
        self._suffixes = {
            name: (*own.host_suffixes, *more) for name, (own, more) in admissions.items()
        }
        own = {name: own.project_rate_per_second for name, (own, _) in admissions.items()}
        self._project_rates = {
            name: FixedWindow(clock, limit=rate)
            for name, rate in own.items()
            if rate and rate_per_second
        }
        self._rate = FixedWindow(clock, limit=rate_per_second) if rate_per_second else None
        self._policy = f'"credential";q={rate_per_second};w=1'.encode()
        self._failures = FixedWindow(
            clock, limit=FAILURES_PER_ADDRESS, window_seconds=FAILURE_WINDOW_SECONDS
        )

    def admit(self, exchange: Exchange, target: Target) -> None:
        """Set the exchange's principal, and note what is left of its rate.

        Raises:
            NotFound: the host names a project that there is not.
            NotAuthenticated: no credential, or none that is known to this dialect.
            RateExceeded: too many requests, or too many refused credentials from one address.
            NotAllowed: the credential lacks the route's scope, or is of another project.
        """
        if target.route.scope is None:
            return
        project = self._project_of_host(exchange, target.dialect)
        principal = self._find_principal(exchange, target)
        if project is not None and principal.project != project:
            raise _foreign()
        exchange.principal = principal
        if self._rate is not None:
            self._count(exchange, self._rate, principal)
        self._count_calls(principal, target.route)
        if target.dialect.NAME in self._project_rates:
            self._project_rates[target.dialect.NAME].hit(principal.project)
        _check_project(exchange, principal, target.route)
        _check_scope(principal, target.route)

    def _count_calls(self, principal: Principal, route: Route) -> None:
        """Count a call to what a credential may call so often in a minute."""
        if route.calls_per_minute is None or self._rate is None:
            return
        limit = route.calls_per_minute(self._core)
        if not limit:
            return
        window = self._calls.get(route.calls_per_minute)
        if window is None:
            window = FixedWindow(self._clock, limit=limit, window_seconds=60.0)
            self._calls[route.calls_per_minute] = window
        window.hit(principal.credential)

    def note_failure(self, exchange: Exchange) -> None:
        """Count a refused credential, also one that a handler has refused.

        Raises:
            RateExceeded: there were too many from this address.
        """
        self._failures.hit(self._senders.address(exchange))

    def _project_of_host(self, exchange: Exchange, dialect: Dialect) -> ProjectName | None:
        """The project that the host names, ``None`` where it names none."""
        suffixes = self._suffixes.get(dialect.NAME, ())
        host = self._senders.host(exchange).partition(":")[0]
        suffix = next((each for each in suffixes if host.lower().endswith(each.lower())), None)
        if suffix is None:
            return None
        project = self._credentials.find_project(host[: -len(suffix)])
        if project is None:
            raise NotFound("There is no such project.", code="PROJECT_NOT_FOUND")
        return project

    def _find_principal(self, exchange: Exchange, target: Target) -> Principal:
        secret = target.dialect.authenticate(exchange.headers)
        if secret is None:
            raise NotAuthenticated("This request needs a credential.")
        principal = self._principal_of(target.dialect, secret)
        if principal is None or not principal.project:
            self.note_failure(exchange)
            raise NotAuthenticated(
                "The credential is unknown, revoked or expired.", code="CREDENTIAL_INVALID"
            )
        return principal

    def _principal_of(self, dialect: Dialect, secret: str) -> Principal | None:
        if dialect.ADMISSION.access is Access.ISSUED:
            return self._tokens.read(dialect.NAME, secret)
        digest = sha256(secret.encode("utf-8", "surrogateescape")).digest()
        return self._credentials.find_principal(dialect.NAME, digest)

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


def _check_project(exchange: Exchange, principal: Principal, route: Route) -> None:
    """Refuse a path that names another project, whether that exists or not."""
    if route.project and exchange.path_params[route.project] != principal.project:
        raise _foreign()


def _foreign() -> NotAllowed:
    return NotAllowed("The credential is of another project.", scope="", code="PROJECT_FOREIGN")


def _check_scope(principal: Principal, route: Route) -> None:
    if route.scope is not None and not principal.may(route.scope):
        raise NotAllowed(f"This needs the scope {route.scope.value!r}.", scope=route.scope.value)
