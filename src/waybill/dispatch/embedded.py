"""Hints between the processes of one host, as lines in named pipes under DIR/run."""

from __future__ import annotations

import errno
import os
import secrets
import selectors
import socket
import threading
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final

from waybill.model.ids import JobId

_FOLDER: Final = "run"
_SUFFIX: Final = ".hints"
_MOST_BYTES_AT_ONCE: Final = 256 * 1024
_WORK: Final = b"work"
_CHANGE: Final = b"change:"


class Role(StrEnum):
    """What hints a process takes: of changes, of work, or none."""

    WEB = "web"
    WORKER = "worker"
    NONE = "none"


class EmbeddedDispatcher:
    """One process's place among the others. See ``Dispatcher``.

    A hint goes to every process of the role that wants it, this one included. A sender never
    waits: a full pipe drops the hint, a dead one is cleared away. Where no pipe can be made,
    waits end by ``wake`` or by their time, and callers find work by looking. One thread waits at
    a time. A fork's child needs a dispatcher of its own.

    A named pipe holds some 1,400 hints, a datagram socket ten (``net.unix.max_dgram_qlen``), and
    its path may be of any length.
    """

    def __init__(self, directory: Path, role: str) -> None:
        """Take a place under ``directory``/run; ``role``: ``web``, ``worker`` or ``none``.

        Raises:
            ValueError: an unknown role.
        """
        place = Role(role)
        self._is_closed = False
        self._waiting = threading.Lock()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.settimeout(0)
        self._wake_writer.settimeout(0)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        self._post = _PostRoom(directory / _FOLDER)
        if place is not Role.NONE and self._post.open_inbox(place):
            self._selector.register(self._post.inbox, selectors.EVENT_READ)

    def hint_work(self) -> None:
        """See ``Dispatcher.hint_work``."""
        self._post.send(Role.WORKER, _WORK)

    def hint_change(self, *jobs: JobId) -> None:
        """See ``Dispatcher.hint_change``."""
        self._post.send(Role.WEB, b"\n".join(_CHANGE + job.encode() for job in jobs))

    def wait_for_work(self, timeout_seconds: float) -> None:
        """See ``Dispatcher.wait_for_work``."""
        self._wait(timeout_seconds)

    def wait_for_changes(self, timeout_seconds: float) -> list[JobId]:
        """See ``Dispatcher.wait_for_changes``; each job once."""
        hints = dict.fromkeys(self._wait(timeout_seconds))
        return [
            JobId(hint.removeprefix(_CHANGE).decode()) for hint in hints if hint.startswith(_CHANGE)
        ]

    def wake(self) -> None:
        """See ``Dispatcher.wake``; a wake that nobody waits for ends the next wait."""
        with suppress(OSError):
            self._wake_writer.send(b"\0")

    def close(self) -> None:
        """See ``Dispatcher.close``; ends a wait."""
        self._is_closed = True
        self.wake()
        with self._waiting:
            self._post.close()
            self._selector.close()
            self._wake_reader.close()
            self._wake_writer.close()

    def _wait(self, timeout_seconds: float) -> list[bytes]:
        if not self._waiting.acquire(timeout=max(timeout_seconds, 0)):
            return []
        try:
            if self._is_closed:
                return []
            self._selector.select(timeout_seconds)
            with suppress(BlockingIOError):
                self._wake_reader.recv(_MOST_BYTES_AT_ONCE)
            return self._post.collect()
        finally:
            self._waiting.release()


class _PostRoom:
    """The folder where every process has its inbox, named after its role and never again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.inbox = -1
        self._path: Path | None = None
        self._rest = b""

    def open_inbox(self, role: Role) -> bool:
        """Make this process's inbox; ``False`` where the system lets us have none."""
        name = f"{role}-{secrets.token_hex(16)}{_SUFFIX}"
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # It gets its name when it is open: a pipe without a reader is taken for a dead one.
            self._path = self._folder / f".{name}"
            os.mkfifo(self._path, 0o600)
            # Also for writing, so that the pipe does not end with each of its senders.
            self.inbox = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            self._path = self._path.rename(self._folder / name)
        return self.inbox >= 0

    def send(self, role: Role, hint: bytes) -> None:
        """Drop ``hint`` into every inbox of a role; never waits and never fails."""
        for path in self._inboxes(role):
            try:
                _write_line(path, hint)
            except OSError as error:
                # Full is no harm: its owner has hints enough to wake up for.
                if error.errno == errno.ENXIO:
                    _remove(path)

    def collect(self) -> list[bytes]:
        """The hints that lie in the inbox."""
        if self.inbox < 0:
            return []
        data = self._rest
        with suppress(BlockingIOError):
            while len(data) < _MOST_BYTES_AT_ONCE:
                data += os.read(self.inbox, _MOST_BYTES_AT_ONCE)
        *hints, self._rest = data.split(b"\n")
        return hints

    def close(self) -> None:
        """Take the inbox away; safe to repeat."""
        if self._path is not None:
            _remove(self._path)
        descriptor, self.inbox = self.inbox, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _inboxes(self, role: Role) -> list[str]:
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 - a third of the time of Path.glob
        except OSError:
            return []
        begin = f"{role}-"
        return [
            f"{self._folder}/{name}"
            for name in names
            if name.startswith(begin) and name.endswith(_SUFFIX)
        ]


def _write_line(path: str, line: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.write(descriptor, line + b"\n")
    finally:
        os.close(descriptor)


def _remove(path: Path | str) -> None:
    with suppress(OSError):
        Path(path).unlink()
