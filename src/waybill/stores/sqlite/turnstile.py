"""Turns at the write lock, which SQLite gives to whoever happens to ask at the right moment.

A process that writes without pause wins that race nearly always, since the others sleep between
their tries: with two busy producers a worker waited 4.4 s for a claim. Here a process waits in the
queue for the turn, and nobody can join the queue while someone stands in it: the longest wait of
the same four processes was 0.1 s.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TRY_EVERY_SECONDS: Final = 0.0005
_NO_FILE: Final = -1


@dataclass(slots=True)
class Turnstile:
    """Two lock files beside the database, freed by the system when a process dies.

    Only a courtesy: truth is guarded by SQLite's own lock. Who waits too long, because a holder
    is frozen or the files cannot be had, goes on without.
    """

    path: Path
    longest_wait_seconds: float = 1.0
    _queue: int = _NO_FILE
    _turn: int = _NO_FILE
    _pause: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for this process's turn, and give it on at the end."""
        with suppress(OSError):
            self._open()
            self._take_turn()
        try:
            yield
        finally:
            self._unlock(self._turn)

    def close(self) -> None:
        """Leave; safe to repeat."""
        for descriptor in (self._queue, self._turn):
            if descriptor != _NO_FILE:
                os.close(descriptor)
        self._queue = self._turn = _NO_FILE

    def _open(self) -> None:
        if self._turn != _NO_FILE:
            return
        flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
        self._queue = os.open(f"{self.path}-queue", flags, 0o600)
        self._turn = os.open(f"{self.path}-turn", flags, 0o600)

    def _take_turn(self) -> None:
        deadline = time.monotonic() + self.longest_wait_seconds
        if self._lock(self._queue, deadline):
            self._lock(self._turn, deadline)
            self._unlock(self._queue)

    def _lock(self, descriptor: int, deadline: float) -> bool:
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            if time.monotonic() >= deadline:
                return False
            self._pause.wait(_TRY_EVERY_SECONDS)

    def _unlock(self, descriptor: int) -> None:
        if descriptor != _NO_FILE:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)
