"""``waybill serve``: web and worker processes under one parent, in one process group.

Children hold the read end of a pipe that only the parent can write to: they end within two
seconds of it, however it ends. A child that dies is started again.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from waybill.bootstrap.embedded import load_catalogue
from waybill.bootstrap.life_signs import SilenceWatch
from waybill.bootstrap.logs import configure_logging
from waybill.bootstrap.stop_signals import stop_on
from waybill.bootstrap.web import bind, find_tls
from waybill.errors import SettingsInvalid, WaybillError
from waybill.http.serve import listener_url
from waybill.settings import DataDirectory, read_settings
from waybill.system import SystemClock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from waybill.http.serve import Tls
    from waybill.model.administration import ServeOptions
    from waybill.model.settings import Settings

logger = logging.getLogger(__name__)

RESTART_PAUSE_SECONDS: Final = 0.5
STABLE_SECONDS: Final = 5.0
MAX_QUICK_DEATHS: Final = 5
USAGE_ERROR: Final = 2
KILL_AFTER_SECONDS: Final = 2.0


class ServerBroken(WaybillError):
    """A child process cannot start; the log says why."""

    default_code = "SERVER_BROKEN"


def serve(root: Path, options: ServeOptions) -> None:
    """Run a server in the foreground until SIGTERM, SIGINT or SIGHUP.

    Raises:
        SettingsInvalid: the folder was never made by ``waybill init``, or its settings are wrong.
        ServerBroken: a child process ends again and again.
    """
    directory = DataDirectory(root)
    if not directory.config.exists():
        raise SettingsInvalid(f"{root} is not a Waybill directory; make one: waybill init {root}")
    settings = read_settings(directory)
    configure_logging(settings.log.level)
    refuse_early(directory, options, settings)
    workers = settings.workers.processes if options.workers is None else options.workers
    webs = options.web_workers or settings.server.web_workers
    with bind(options, settings, SystemClock()) as listener:
        listener.set_inheritable(True)
        tls = find_tls(options, settings)
        print(f"Waybill listens on {listener_url(listener, tls=tls is not None)}", flush=True)  # noqa: T201 - what the user waits for
        commands = [web_command(root, tls, listener.fileno())] * webs
        commands += [worker_command(root, SystemClock().now())] * workers
        Supervisor(
            commands,
            stop_seconds=settings.workers.stop_seconds,
            silence_seconds=settings.workers.lease_seconds,
            silence=SilenceWatch(directory.run),
            inherited=(listener.fileno(),),
        ).run()


def refuse_early(directory: DataDirectory, options: ServeOptions, settings: Settings) -> None:
    """Refuse what no child could start with, before anyone is told that the server listens.

    Raises:
        SchemaInvalid: a descriptor is refused; names the file and the place.
        SettingsInvalid: a sink, a certificate or a proxy's address cannot be used.
    """
    load_catalogue(directory)
    tls = find_tls(options, settings)
    if tls is not None:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                tls.certificate, tls.key, password=lambda: ""
            )
        except (OSError, ValueError) as error:
            raise SettingsInvalid(
                f"the certificate {tls.certificate} cannot be used with the key {tls.key}: {error}"
            ) from error
    for network in settings.server.trusted_proxies:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError as error:
            raise SettingsInvalid(f"server.trusted_proxies: {error}") from error


def web_command(root: Path, tls: Tls | None, listen_fd: int) -> tuple[str, ...]:
    """The command line of a web process."""
    secrecy = ("--tls-cert", str(tls.certificate), "--tls-key", str(tls.key)) if tls else ()
    return ("web", str(root), "--listen-fd", str(listen_fd), *secrecy)


def worker_command(root: Path, serving_since: datetime) -> tuple[str, ...]:
    """The command line of a worker process."""
    return ("worker", str(root), "--serving-since", str(serving_since.timestamp()))


@dataclass(slots=True)
class Child:
    """One process of the server, and how often it died soon after its start."""

    command: tuple[str, ...]
    process: subprocess.Popen[bytes]
    started_at: float
    quick_deaths: int = 0


@dataclass(slots=True)
class Supervisor:
    """Keeps the children running, and ends them when asked.

    A worker that gives no sign of life for ``silence_seconds`` is ended and replaced.
    ``inherited``: open files that children get.
    """

    commands: Sequence[tuple[str, ...]]
    stop_seconds: float
    silence_seconds: float
    silence: SilenceWatch
    inherited: tuple[int, ...] = ()
    _children: list[Child] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _lifeline: tuple[int, int] = field(default_factory=os.pipe)

    def run(self) -> None:
        """Start the children and keep them until a signal asks for the end.

        Raises:
            ServerBroken: a child ends again and again.
        """
        stop_on((signal.SIGTERM, signal.SIGINT, signal.SIGHUP), self._stopping.set)
        try:
            self._children = [self._start(command) for command in self.commands]
            while not self._stopping.wait(RESTART_PAUSE_SECONDS):
                self._replace_the_dead()
        finally:
            self._end_all()

    def _start(self, command: tuple[str, ...]) -> Child:
        reading, _ = self._lifeline
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            [sys.executable, "-m", "waybill", *command, "--lifeline-fd", str(reading)],
            pass_fds=(reading, *self.inherited),
            stdin=subprocess.DEVNULL,
        )
        return Child(command, process, time.monotonic())

    def _replace_the_dead(self) -> None:
        for place, child in enumerate(self._children):
            self._end_if_silent(child)
            exit_code = child.process.poll()
            if exit_code is not None:
                self.silence.forget(child.process.pid)
                self._children[place] = self._replacement(child, exit_code)

    def _end_if_silent(self, child: Child) -> None:
        pid = child.process.pid
        if child.command[0] != "worker" or child.process.poll() is not None:
            return
        if self.silence.silent_seconds(pid) > self.silence_seconds:
            logger.warning("child_silent", extra={"role": "worker", "pid": pid})
            child.process.kill()
            child.process.wait()

    def _replacement(self, dead: Child, exit_code: int) -> Child:
        role = dead.command[0]
        lived = time.monotonic() - dead.started_at
        was_killed = exit_code < 0  # by a signal: somebody else's doing, or a job's
        deaths = dead.quick_deaths + 1 if lived < STABLE_SECONDS and not was_killed else 0
        if exit_code == USAGE_ERROR or deaths >= MAX_QUICK_DEATHS:
            raise ServerBroken(f"the {role} process cannot run (exit code {exit_code}); see above")
        logger.warning("child_restarted", extra={"role": role, "exit_code": exit_code})
        child = self._start(dead.command)
        child.quick_deaths = deaths
        return child

    def _end_all(self) -> None:
        """Ask every child to stop; end by force what has not after the grace time."""
        for child in self._children:
            if child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + self.stop_seconds + KILL_AFTER_SECONDS
        for child in self._children:
            try:
                child.process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                logger.warning(
                    "child_killed", extra={"role": child.command[0], "pid": child.process.pid}
                )
                child.process.kill()
                child.process.wait()
