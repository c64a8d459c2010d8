"""A web process: the edge over the commands and insights of this directory."""

from __future__ import annotations

import logging
import os
import shutil
import signal
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry

from waybill.bootstrap.embedded import (
    load_catalogue,
    open_embedded,
    open_own_sandbox,
    read_signing_key,
)
from waybill.bootstrap.file_tools import open_fetcher, open_tools
from waybill.bootstrap.inputs import make_opener
from waybill.bootstrap.lifeline import watch_lifeline
from waybill.bootstrap.logs import configure_logging
from waybill.bootstrap.memory import leave_out_what_start_made, look_for_garbage_less_often
from waybill.dialect import Core
from waybill.dialects import apidatatools, voyado
from waybill.dispatch.embedded import Role
from waybill.engine.access_tokens import AccessTokens
from waybill.engine.commands import Commands
from waybill.engine.insights import Insights
from waybill.engine.links import Links
from waybill.engine.report_parts import ReportParts
from waybill.engine.transforming import TransformParts
from waybill.engine.transforms import Transforms
from waybill.engine.uploads import Uploads
from waybill.errors import StorageFull, StoreUnavailable
from waybill.http.app import EdgeParts, build_app
from waybill.http.metrics import QueueCollector
from waybill.http.serve import Tls, bind_listener, inherit_listener, listener_url, run_web
from waybill.registry import DIALECTS
from waybill.signing import JwtSigner

if TYPE_CHECKING:
    from collections.abc import Sequence
    from socket import socket

    from waybill.bootstrap.embedded import Embedded
    from waybill.http.app import Edge
    from waybill.model.administration import ServeOptions
    from waybill.model.settings import Settings
    from waybill.ports.clock import Clock

logger = logging.getLogger(__name__)

LEAST_FREE_BYTES: Final = 1024 * 1024


def run_web_process(
    root: Path,
    options: ServeOptions,
    *,
    listen_fd: int | None = None,
    lifeline_fd: int | None = None,
) -> None:
    """Answer requests in this process until SIGTERM or SIGINT.

    ``listen_fd``: a listening socket that the parent has bound, instead of host and port.
    ``lifeline_fd``: read end of a pipe whose other end the parent holds; the process ends with it.
    """
    with open_embedded(root, Role.WEB) as parts:
        configure_logging(parts.settings.log.level)
        tls = find_tls(options, parts.settings)
        listener = (
            bind(options, parts.settings, parts.clock)
            if listen_fd is None
            else inherit_listener(listen_fd)
        )
        if lifeline_fd is not None:
            watch_lifeline(lifeline_fd, partial(os.kill, os.getpid(), signal.SIGTERM))
        leave_out_what_start_made()
        look_for_garbage_less_often()
        address = listener_url(listener, tls=tls is not None)
        run_web(
            partial(build_edge, parts),
            listener,
            tls=tls,
            on_ready=partial(
                logger.info, "server_started", extra={"role": "web", "address": address}
            ),
        )
        logger.info("server_stopping", extra={"role": "web"})


def bind(options: ServeOptions, settings: Settings, clock: Clock) -> socket:
    """The listening socket that options and settings ask for.

    Raises:
        SettingsInvalid: the address is not ours, or its port stays in use.
    """
    host = settings.server.host if options.host is None else options.host
    port = settings.server.port if options.port is None else options.port
    return bind_listener(host, port, clock)


def find_tls(options: ServeOptions, settings: Settings) -> Tls | None:
    """The certificate to serve with, if any."""
    certificate = options.tls_cert or settings.server.tls_cert
    key = options.tls_key or settings.server.tls_key
    return Tls(certificate=Path(certificate), key=Path(key)) if certificate and key else None


def build_edge(parts: Embedded) -> Edge:
    """The application of this process."""
    settings = parts.settings
    catalogue = load_catalogue(parts.directory)
    registry = CollectorRegistry()
    registry.register(QueueCollector(lambda: parts.store.queue_stats(parts.clock.now())))
    reports = ReportParts(
        store=parts.store,
        blobs=parts.blobs,
        sink_for=catalogue.sink_for,
        open_reader=make_opener(settings.limits, settings.workers.threads, parts.directory.scratch),
        clock=parts.clock,
        ids=parts.ids,
        scratch=parts.directory.scratch,
        sandbox=cache(partial(open_own_sandbox, parts)),
    )
    commands = Commands(
        store=parts.store,
        blobs=parts.blobs,
        catalogue=catalogue,
        dispatcher=parts.dispatcher,
        clock=parts.clock,
        ids=parts.ids,
        presence=parts.presence,
        plans=reports,
    )
    insights = Insights(store=parts.store, catalogue=catalogue, reports=reports)
    signer = JwtSigner(read_signing_key(parts.directory), parts.clock)
    links = Links(
        signer=signer,
        clock=parts.clock,
        ids=parts.ids,
        lifetime_seconds=settings.server.link_seconds,
    )
    tokens = AccessTokens(
        credentials=parts.store,
        signer=signer,
        clock=parts.clock,
        lifetime_seconds=settings.server.token_seconds,
    )
    return build_app(
        EdgeParts(
            dialects=DIALECTS,
            core=Core(
                commands=commands,
                insights=insights,
                links=links,
                tokens=tokens,
                transforms=Transforms(
                    reports=reports,
                    parts=TransformParts(
                        blobs=parts.blobs,
                        transformer=open_tools(settings, parts.directory.scratch),
                        scratch=parts.directory.scratch,
                    ),
                    fetcher=open_fetcher(settings),
                    dispatcher=parts.dispatcher,
                ),
                uploads=Uploads(store=parts.store, clock=parts.clock),
                ids=parts.ids,
                own_settings={
                    voyado.NAME: settings.voyado,
                    apidatatools.NAME: settings.apidatatools,
                },
            ),
            host_suffixes={voyado.NAME: settings.voyado.host_suffixes},
            credentials=parts.store,
            blobs=parts.blobs,
            ids=parts.ids,
            clock=parts.clock,
            dispatcher=parts.dispatcher,
            registry=registry,
            readiness=partial(what_is_wrong, parts),
            limits=settings.limits,
            public_url=settings.server.public_url,
            rate_per_second=settings.server.rate_per_second,
            trusted_proxies=settings.server.trusted_proxies,
            metrics_token=settings.server.metrics_token.reveal(),
        )
    )


def what_is_wrong(parts: Embedded) -> Sequence[str]:
    """Why this server cannot take work just now; nothing when it can."""
    problems = []
    if not parts.directory.jobs_database.exists():
        problems.append("the jobs database is gone")
    try:
        parts.store.queue_stats(parts.clock.now())
    except (StoreUnavailable, StorageFull) as error:
        problems.append(error.message)
    if shutil.disk_usage(parts.directory.root).free < LEAST_FREE_BYTES:
        problems.append("the disk is full: uploads are refused")
    return problems
