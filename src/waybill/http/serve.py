"""Serving the application from this very process, with granian's server and no child of its own.

granian's command starts a worker process that outlives a killed parent and keeps its port; so the
same worker runs here, in the main thread (docs/decisions). The listening socket is ours: it may be
inherited by several web processes, and a port in use is noticed.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import uvloop
from granian._futures import _future_watcher_wrapper, _new_cbscheduler
from granian._granian import ASGIWorker, SocketHolder, WorkerSignal
from granian.asgi import _callback_wrapper
from granian.constants import HTTPModes
from granian.http import HTTP1Settings, HTTP2Settings

from waybill.errors import SettingsInvalid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from waybill.http.app import Edge
    from waybill.ports.clock import Clock

BACKLOG: Final = 1024
CONNECTIONS: Final = 4096
RUNTIME_THREADS: Final = 1
RUNTIME_BLOCKING_THREADS: Final = 64
IDLE_THREAD_SECONDS: Final = 30
RETRY_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """A certificate chain and its key, PEM files."""

    certificate: Path
    key: Path


def bind_listener(
    host: str,
    port: int,
    clock: Clock,
    *,
    share_port: bool = False,
    patience_seconds: float = 3.0,
) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    A port that is still held is tried again for ``patience_seconds``: a killed server's may take a
    moment to come free. Several processes can answer on one port: children inherit the socket by
    ``pass_fds`` (see ``inherit_listener``; the kernel hands each connection to an idle one), or
    each binds with ``share_port`` (it deals them out blindly, and a second server goes unnoticed).

    Raises:
        SettingsInvalid: the address is not ours, or its port stays in use.
    """
    deadline = clock.monotonic_seconds() + patience_seconds
    while True:
        try:
            return _bind(host, port, share_port=share_port)
        except OSError as error:
            if isinstance(error, socket.gaierror) or clock.monotonic_seconds() >= deadline:
                reason = error.strerror or str(error)
                raise SettingsInvalid(f"cannot listen on {host}:{port}: {reason}") from error
        clock.sleep(RETRY_SECONDS)


def inherit_listener(descriptor: int) -> socket.socket:
    """The listening socket that the parent process passed on."""
    return socket.socket(fileno=descriptor)


def listener_url(listener: socket.socket, *, tls: bool) -> str:
    """Where the server answers."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"


def run_web(
    make_app: Callable[[], Edge],
    listener: socket.socket,
    *,
    tls: Tls | None = None,
    on_ready: Callable[[], None] = lambda: None,
    grace_seconds: float = 8.0,
) -> None:
    """Serve until SIGTERM or SIGINT; call it in the main thread.

    ``make_app`` runs here, in this process. ``on_ready`` is called once connections are taken.
    Stopping takes no new connections, answers long polls at once, and gives the other requests
    ``grace_seconds`` to end.
    """
    app = make_app()
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        _serve(app, loop, listener, tls, on_ready, grace_seconds)
    finally:
        app.close()
        asyncio.set_event_loop(None)
        loop.close()


def _serve(
    app: Edge,
    loop: asyncio.AbstractEventLoop,
    listener: socket.socket,
    tls: Tls | None,
    on_ready: Callable[[], None],
    grace_seconds: float,
) -> None:
    stop, stopped = WorkerSignal(), asyncio.Event()
    stop.add_cb(lambda: loop.call_soon_threadsafe(stopped.set))

    def begin_stop() -> None:
        app.stop_waiting()
        stop.set()
        loop.call_later(grace_seconds, stopped.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, begin_stop)
    watched = _future_watcher_wrapper(_callback_wrapper(app, {}, {}))
    scheduler = _new_cbscheduler(loop, watched, impl_asyncio=True)
    _worker(listener, tls).serve_str(scheduler, loop, stop)
    loop.call_soon(on_ready)
    loop.run_until_complete(stopped.wait())


def _worker(listener: socket.socket, tls: Tls | None) -> ASGIWorker:
    # By position, as granian's own servers call it.
    websockets, is_unix, verify_client = False, False, False
    certificate = str(tls.certificate.resolve()) if tls else None
    key = str(tls.key.resolve()) if tls else None
    sockets = (None, SocketHolder(listener.detach(), is_unix, BACKLOG))
    threads = (RUNTIME_THREADS, RUNTIME_BLOCKING_THREADS, 1, IDLE_THREAD_SECONDS, CONNECTIONS)
    protocols = (HTTPModes.auto, HTTP1Settings(), HTTP2Settings(), websockets)
    revoked: list[str] = []
    secrecy = (tls is not None, certificate, key, None, "tls1.2", None, revoked, verify_client)
    static_path, no_metrics = None, (None, None)
    return ASGIWorker(1, sockets, None, *threads, *protocols, static_path, *secrecy, no_metrics)


def _bind(host: str, port: int, *, share_port: bool) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.settimeout(0.0)
    except OSError:
        listener.close()
        raise
    return listener
