"""Hints between the processes of one host, as datagrams to sockets under DIR/run."""

from __future__ import annotations

import os
import secrets
import selectors
import socket
import threading
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from waybill.model.ids import JobId

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDER: Final = "run"
_SUFFIX: Final = ".sock"
_LONGEST_ADDRESS_BYTES: Final = 107
_LONGEST_HINT_BYTES: Final = 512
_MOST_HINTS_AT_ONCE: Final = 1_000
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
    waits: a full socket drops the hint, a dead one is cleared away. Where no socket can be made,
    waits end by ``wake`` or by their time, and callers find work by looking. One thread waits at
    a time. A fork's child needs a dispatcher of its own.
    """

    def __init__(self, directory: Path, role: str) -> None:
        """Take a place under ``directory``/run; ``role``: ``web``, ``worker`` or ``none``."""
        self._is_closed = False
        self._waiting = threading.Lock()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        self._post = _PostRoom(directory / _FOLDER)
        self._inbox = None if role == Role.NONE else self._post.open_inbox(Role(role))
        if self._inbox is not None:
            self._selector.register(self._inbox, selectors.EVENT_READ)

    def hint_work(self) -> None:
        """See ``Dispatcher.hint_work``."""
        self._post.send(Role.WORKER, _WORK)

    def hint_change(self, job: JobId) -> None:
        """See ``Dispatcher.hint_change``."""
        self._post.send(Role.WEB, _CHANGE + job.encode())

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
            _drain(self._wake_reader)
            return [] if self._inbox is None else _drain(self._inbox)
        finally:
            self._waiting.release()


class _PostRoom:
    """The folder where every process has its inbox, named after its role and never again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._inbox: socket.socket | None = None
        self._name = ""
        self._outbox: socket.socket | None = None
        self._descriptor = -1
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._outbox = _make_socket()

    def open_inbox(self, role: Role) -> socket.socket | None:
        """This process's inbox, ``None`` where the system lets us have none."""
        name = f"{role}-{secrets.token_hex(16)}{_SUFFIX}"
        with suppress(OSError):
            inbox = _make_socket()
            try:
                inbox.bind(self._address(name))
            except OSError:
                inbox.close()
                raise
            self._inbox, self._name = inbox, name
        return self._inbox

    def send(self, role: Role, hint: bytes) -> None:
        """Drop ``hint`` into every inbox of a role; never waits and never fails."""
        if self._outbox is None:
            return
        for name in self._inboxes(role):
            try:
                self._outbox.sendto(hint, self._address(name))
            except (ConnectionRefusedError, FileNotFoundError):
                self._remove(name)
            except OSError:
                # Full, which also means that its owner has hints enough to wake up for.
                continue

    def close(self) -> None:
        """Take the inbox away; safe to repeat."""
        if self._inbox is not None:
            self._remove(self._name)
            self._inbox.close()
            self._inbox = None
        if self._outbox is not None:
            self._outbox.close()
            self._outbox = None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _inboxes(self, role: Role) -> Iterator[str]:
        names: list[str] = []
        with suppress(OSError):
            names = os.listdir(self._folder)
        prefix = f"{role}-"
        return (name for name in names if name.startswith(prefix) and name.endswith(_SUFFIX))

    def _address(self, name: str) -> str:
        """The path of an inbox; through the open folder where the path itself is too long."""
        path = str(self._folder / name)
        if len(os.fsencode(path)) <= _LONGEST_ADDRESS_BYTES:
            return path
        return f"/proc/self/fd/{self._descriptor}/{name}"

    def _remove(self, name: str) -> None:
        with suppress(OSError):
            (self._folder / name).unlink()


def _make_socket() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made


def _drain(source: socket.socket) -> list[bytes]:
    """What lies ready."""
    hints: list[bytes] = []
    with suppress(BlockingIOError):
        while len(hints) < _MOST_HINTS_AT_ONCE:
            hints.append(source.recv(_LONGEST_HINT_BYTES))
    return hints
