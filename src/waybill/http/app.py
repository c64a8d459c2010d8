"""The ASGI application: every request's way from its path to its answer."""

from __future__ import annotations

import itertools
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from waybill.dialect import BodyKind, Core, Dialect, Response, Wait
from waybill.errors import (
    NotAuthenticated,
    NotFound,
    RequestInvalid,
    RequestRefused,
    StorageFull,
    StoreUnavailable,
    WaybillError,
)
from waybill.http.bodies import Bodies
from waybill.http.body_stream import ClientGone, has_body
from waybill.http.deliver import deliver, prime
from waybill.http.exchange import Exchange, Senders, read_headers, read_query
from waybill.http.gate import Gate
from waybill.http.idempotency import fingerprint, read_key
from waybill.http.metrics import EdgeMetrics
from waybill.http.pages import ServerPages
from waybill.http.ranges import with_ranges
from waybill.http.routing import Found, NotFoundHere, RouteTable, Target
from waybill.http.spool import Spools
from waybill.http.threads import Threads
from waybill.http.waiting import Waits
from waybill.model.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from prometheus_client import CollectorRegistry
    from starlette.types import Receive, Scope, Send

    from waybill.dialect import Body, Route
    from waybill.model.job import Job
    from waybill.model.principal import Principal
    from waybill.ports.blobs import Blobs
    from waybill.ports.clock import Clock, IdSource
    from waybill.ports.credential_store import CredentialStore
    from waybill.ports.dispatcher import Dispatcher

logger = logging.getLogger(__name__)

CLIENT_GONE: Final = 499
"""The status in log and metrics of a request whose client did not wait for the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeParts:
    """What the edge is made of.

    ``fallback``: name of the dialect that refuses paths of nobody. ``public_url``: base of links,
    empty for the request's own. ``rate_per_second``: per credential and process, 0 is no limit.
    ``trusted_proxies``: addresses or networks whose ``X-Forwarded-*`` count. ``readiness``: gives
    what is wrong, nothing when ready; runs in a thread. ``metrics_token``: empty leaves
    ``/metrics`` open. ``host_suffixes``: by dialect, beside those of its own.
    """

    dialects: Mapping[str, Dialect]
    core: Core
    credentials: CredentialStore
    blobs: Blobs
    ids: IdSource
    clock: Clock
    dispatcher: Dispatcher
    registry: CollectorRegistry
    readiness: Callable[[], Sequence[str]] = tuple
    limits: Limits = field(default_factory=Limits)
    fallback: str = "waybill"
    public_url: str = ""
    rate_per_second: int = 200
    trusted_proxies: Sequence[str] = ()
    metrics_token: str = ""
    host_suffixes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body_timeout_seconds: float = 60.0
    threads: int = 64


def build_app(parts: EdgeParts) -> Edge:
    """The application over these parts; ``close`` ends its threads."""
    return Edge(parts)


class Edge:
    """An ASGI application. Only this package is asynchronous; handlers are plain functions."""

    def __init__(self, parts: EdgeParts) -> None:
        self._core = replace(parts.core, limits=parts.limits, rate_per_second=parts.rate_per_second)
        self._clock = parts.clock
        self._threads = Threads(parts.threads)
        self._senders = Senders(parts.public_url, parts.trusted_proxies)
        self._gate = Gate(
            credentials=parts.credentials,
            senders=self._senders,
            clock=parts.clock,
            core=self._core,
            rate_per_second=parts.rate_per_second,
            dialects=(
                (dialect, parts.host_suffixes.get(name, ()))
                for name, dialect in parts.dialects.items()
            ),
        )
        self._bodies = Bodies(
            limits=parts.limits,
            spools=Spools(self._threads, parts.blobs, parts.ids),
            timeout_seconds=parts.body_timeout_seconds,
        )
        self._waits = Waits(parts.dispatcher)
        self._metrics = EdgeMetrics(parts.registry)
        fallback = parts.dialects[parts.fallback]
        pages = ServerPages(
            dialects=parts.dialects,
            fallback=fallback,
            registry=parts.registry,
            readiness=parts.readiness,
            metrics_token=parts.metrics_token,
        )
        self._routes = RouteTable((*parts.dialects.values(), pages.dialect()), fallback)
        self._request_ids = map(f"{parts.ids.name('')[-10:]}-{{:x}}".format, itertools.count(1))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    def stop_waiting(self) -> None:
        """Answer the long polls now: the server is about to stop. Called in the event loop."""
        self._waits.stop()

    def close(self) -> None:
        """End the threads; safe to repeat."""
        self._threads.close()

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                self._waits.stop()
                self.close()
                return

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = self._clock.monotonic_seconds()
        exchange = Exchange(
            scope=scope,
            receive=receive,
            send=send,
            request_id=next(self._request_ids),
            method=scope["method"],
            path=scope["path"],
            headers=read_headers(scope),
        )
        found = self._routes.find(exchange.method, scope["raw_path"])
        dialect = found.dialect if isinstance(found, NotFoundHere) else found.target.dialect
        status = CLIENT_GONE
        try:
            response = await self._answer(exchange, found, dialect)
            exchange.location = response.headers.get("location", "")
            await deliver(exchange, response, self._threads)
            status = response.status
        except ClientGone:
            pass  # nobody is left to be told; the status says so
        except Exception:
            logger.exception("request_failed", extra={"request_id": exchange.request_id})
            raise  # the server breaks the connection, so that a cut answer is seen as one
        finally:
            seconds = self._clock.monotonic_seconds() - started
            self._metrics.note(exchange, dialect.NAME, status, seconds)

    async def _answer(
        self, exchange: Exchange, found: Found | NotFoundHere, dialect: Dialect
    ) -> Response:
        try:
            exchange.base_url = self._senders.base_url(exchange)
            response = await self._answer_route(exchange, self._route_of(exchange, found))
            served = with_ranges(response, exchange.method, exchange.headers)
            return await prime(served, self._threads)
        except ClientGone:
            raise
        except WaybillError as error:
            return self._refuse(exchange, dialect, error)
        except Exception:
            logger.exception("request_failed", extra={"request_id": exchange.request_id})
            return dialect.render_error(
                WaybillError("The server met a bug; its log has the cause under the request id."),
                exchange.request(),
            )

    def _route_of(self, exchange: Exchange, found: Found | NotFoundHere) -> Found:
        if isinstance(found, Found):
            return found
        if found.target is None:
            raise NotFound("There is nothing at this path.", code="PATH_NOT_FOUND")
        if found.dialect.ADMISSION.before_method and not found.target.route.project:
            self._gate.admit(exchange, found.target)
        methods = ", ".join(found.allowed)
        exchange.notes.append((b"allow", methods.encode()))
        raise RequestInvalid(
            f"{exchange.method} is not allowed here; use one of {methods}.",
            code="METHOD_NOT_ALLOWED",
        )

    async def _answer_route(self, exchange: Exchange, found: Found) -> Response:
        target = found.target
        exchange.target = target
        exchange.path_params = found.path_params
        exchange.query = read_query(exchange.scope["query_string"])
        self._gate.admit(exchange, target)
        if target.route.strict_query:
            _refuse_strangers(exchange, target)
        await self._precheck(exchange, target.route)
        takes_nothing = target.route.body is BodyKind.NONE and not has_body(exchange.headers)
        if takes_nothing and not target.route.idempotent_by_key:
            return await self._handle(exchange, target)
        return await self._handle_with_key(exchange, target)

    async def _precheck(self, exchange: Exchange, route: Route) -> None:
        if route.precheck is None:
            return
        if route.prechecks_in_loop:
            route.precheck(self._core, exchange.request())
        else:
            await self._threads.start(route.precheck, self._core, exchange.request())

    async def _handle_with_key(self, exchange: Exchange, target: Target) -> Response:
        key = read_key(exchange) if target.route.idempotent_by_key else None
        principal = exchange.principal
        if key is None or principal is None:
            return await self._handle_with_body(exchange, target)
        commands = self._core.commands
        claim = await self._threads.start(commands.claim_key, principal, key)
        exchange.idempotency = claim
        answered = False
        try:
            response = await self._handle_with_body(exchange, target)
            answered = response.status < 400  # noqa: PLR2004 - the first status of a refusal
        finally:
            if claim.job is None and not answered:
                await self._threads.start(commands.release_key, principal, key)
        if claim.job is not None:
            exchange.notes.append((b"idempotency-replayed", b"true"))
        return response

    async def _handle_with_body(self, exchange: Exchange, target: Target) -> Response:
        most = target.route.most_bytes
        most_bytes = None if most is None else most(self._core, exchange.request())
        body = await self._bodies.read(target.route, exchange.headers, exchange.receive, most_bytes)
        exchange.body = body
        if exchange.idempotency is not None:
            exchange.idempotency = replace(
                exchange.idempotency, fingerprint=fingerprint(exchange, body)
            )
        try:
            return await self._handle(exchange, target)
        except RequestRefused as refusal:  # by contract nothing points at the files
            await self._discard(body)
            if isinstance(refusal, NotAuthenticated):  # open to all, it takes credentials itself
                self._gate.note_failure(exchange)
            raise

    async def _discard(self, body: Body) -> None:
        for stored in body.files:
            await self._threads.start(self._core.commands.discard_upload, stored.file)

    async def _handle(self, exchange: Exchange, target: Target) -> Response:
        handler, request = target.route.handler, exchange.request()
        if target.route.in_loop:
            outcome = handler(self._core, request)
        else:
            outcome = await self._threads.start(handler, self._core, request)
        if isinstance(outcome, Wait):
            return await self._wait(exchange, outcome)
        return outcome

    async def _wait(self, exchange: Exchange, wait: Wait) -> Response:
        principal = exchange.principal
        if principal is None:
            raise TypeError("a route without a scope cannot wait for a job")
        return await self._waits.settle(wait, self._reader(principal, wait.job), exchange.receive)

    def _reader(self, principal: Principal, job: Job) -> Callable[[], Job]:
        return lambda: self._core.insights.job(principal, job.id)

    @staticmethod
    def _refuse(exchange: Exchange, dialect: Dialect, error: WaybillError) -> Response:
        known = {"request_id": exchange.request_id}
        if isinstance(error, RequestRefused):
            logger.info(
                "access_refused", extra={**known, "code": error.code, "path": exchange.shown_path}
            )
        elif isinstance(error, StorageFull | StoreUnavailable):
            logger.error("request_put_off", extra={**known, "reason": error.message})
        else:
            logger.error("request_failed", exc_info=error, extra=known)
        return dialect.render_error(error, exchange.request())


def _refuse_strangers(exchange: Exchange, target: Target) -> None:
    known = [parameter.name for parameter in target.route.query]
    seen: set[str] = set()
    for name, _ in exchange.query:
        if name not in known:
            takes = f"this takes {', '.join(known)}" if known else "this takes none"
            raise RequestInvalid(
                f"The query parameter {name!r} is unknown; {takes}.",
                code="UNKNOWN_PARAMETER",
                parameter=name,
            )
        if name in seen:
            raise RequestInvalid(
                f"The query parameter {name!r} came twice.",
                code="DUPLICATE_PARAMETER",
                parameter=name,
            )
        seen.add(name)
