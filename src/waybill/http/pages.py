"""The server's own pages: health, metrics, the OpenAPI document and its readable form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

import msgspec
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from waybill import __version__
from waybill.dialect import Admission, Answer, Core, Dialect, Request, Response, Route
from waybill.errors import NotAuthenticated
from waybill.http.docs_page import STYLE_HASH, render_page
from waybill.http.openapi import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from prometheus_client import CollectorRegistry

    from waybill.errors import WaybillError

JSON: Final = {"content-type": "application/json"}
HTML: Final = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-cache",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the server can work; ``problems`` says what keeps it from working."""

    status: str
    problems: list[str] = []


class Root(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at ``/``."""

    name: str
    version: str
    docs: str
    openapi: str


@dataclass(slots=True, kw_only=True)
class _PagesDialect:
    NAME: str
    ROUTES: Sequence[Route]
    SPACES: Sequence[str]
    ADMISSION: Admission
    authenticate: Callable[[Mapping[str, str]], str | None]
    render_error: Callable[[WaybillError, Request], Response]


@dataclass(frozen=True, kw_only=True)
class ServerPages:
    """Pages that belong to no dialect; their errors take the form of the fallback dialect."""

    dialects: Mapping[str, Dialect]
    fallback: Dialect
    registry: CollectorRegistry
    readiness: Callable[[], Sequence[str]]
    metrics_token: str

    def dialect(self) -> Dialect:
        """These pages as a dialect, so that they take the same way as everything else."""
        return _PagesDialect(
            NAME="server",
            ROUTES=self._routes(),
            SPACES=(),
            ADMISSION=Admission(),
            authenticate=self.fallback.authenticate,
            render_error=self.fallback.render_error,
        )

    def live(self, _core: Core, _request: Request) -> Response:
        """200 as long as the process answers."""
        return _json(Health(status="live"))

    def ready(self, _core: Core, _request: Request) -> Response:
        """200, or 503 with what is wrong."""
        problems = list(self.readiness())
        if problems:
            return _json(Health(status="unready", problems=problems), status=503)
        return _json(Health(status="ready"))

    def metrics(self, _core: Core, request: Request) -> Response:
        """Prometheus text of this process; guarded where a token is set."""
        if self.metrics_token:
            secret = self.fallback.authenticate(request.headers) or ""
            if not compare_digest(secret.encode(), self.metrics_token.encode()):
                raise NotAuthenticated("The metrics need their own token.")
        return Response(
            status=200,
            headers={"content-type": CONTENT_TYPE_LATEST},
            body=generate_latest(self.registry),
        )

    def openapi(self, _core: Core, _request: Request) -> Response:
        """The OpenAPI document."""
        headers = {**JSON, "cache-control": "no-cache", "access-control-allow-origin": "*"}
        return Response(status=200, headers=headers, body=self._document_json)

    def docs(self, _core: Core, _request: Request) -> Response:
        """The same document for people."""
        return Response(status=200, headers=HTML, body=self._docs_html)

    def root(self, _core: Core, request: Request) -> Response:
        """Where to go from here: the documentation for browsers, its address for programs."""
        if "text/html" in request.headers.get("accept", ""):
            return Response(status=303, headers={"location": "/docs"})
        return _json(
            Root(name="waybill", version=__version__, docs="/docs", openapi="/openapi.json")
        )

    @cached_property
    def _document(self) -> dict[str, object]:
        return describe((*self.dialects.values(), self.dialect()), version=__version__)

    @cached_property
    def _document_json(self) -> bytes:
        return msgspec.json.encode(self._document)

    @cached_property
    def _docs_html(self) -> bytes:
        return render_page(self._document).encode()

    def _routes(self) -> tuple[Route, ...]:
        return (
            _page("/", self.root, "The server", Answer(description="Name and links.", struct=Root)),
            _page(
                "/healthz/live",
                self.live,
                "Whether the process answers",
                Answer(description="It does.", struct=Health),
            ),
            _page(
                "/healthz/ready",
                self.ready,
                "Whether the server can work",
                Answer(description="It can; 503 with the problems where not.", struct=Health),
                in_loop=False,
            ),
            _page(
                "/metrics",
                self.metrics,
                "Metrics for Prometheus",
                Answer(description="Prometheus text.", media_types=("text/plain",)),
                in_loop=False,
            ),
            _page(
                "/openapi.json",
                self.openapi,
                "This document",
                Answer(description="OpenAPI 3.1."),
            ),
            _page(
                "/docs",
                self.docs,
                "This document for people",
                Answer(description="A page.", media_types=("text/html",)),
            ),
        )


def _page(
    path: str,
    handler: Callable[[Core, Request], Response],
    summary: str,
    answer: Answer,
    *,
    in_loop: bool = True,
) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        scope=None,
        in_loop=in_loop,
        summary=summary,
        answers={200: answer},
    )


def _json(value: msgspec.Struct, *, status: int = 200) -> Response:
    return Response(status=status, headers=JSON, body=msgspec.json.encode(value))
