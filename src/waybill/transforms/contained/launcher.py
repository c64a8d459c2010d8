"""The server's side: keeps a nursery, orders a run from it, and says how that ended."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from waybill.errors import ContentInvalid, StorageFull
from waybill.transforms.contained.protocol import STORAGE_FULL, TOO_LARGE, Order, Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from waybill.errors import WaybillError
    from waybill.model.limits import Limits
    from waybill.model.transform import ToolOptions

_COMMAND: Final = (sys.executable, "-I", "-m", "waybill.transforms.contained.nursery")
_ENVIRONMENT: Final = {"TZ": "UTC", "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"}
_REPORT_BYTES: Final = 64 * 1024
_UNIT_BYTES: Final = 64 * 1024 * 1024
"""``parser_seconds`` are for so much content: the slowest tool reads it in a third of that."""
_POLL_SECONDS: Final = 0.25


@dataclass(slots=True)
class Nursery:
    """Makes limited children. Safe to use from several threads; it is started at first use.

    ``scratch``: a folder for their temporary files.
    """

    limits: Limits
    scratch: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _process: subprocess.Popen[bytes] | None = None
    _orders: socket.socket | None = None

    def run(
        self,
        tool: str,
        source: BinaryIO,
        target: BinaryIO,
        options: ToolOptions,
        while_running: Callable[[int], None],
    ) -> Report | None:
        """How a run of a tool ended; ``None`` where its child died.

        ``source`` and ``target`` are open files with descriptors; ``while_running`` as in
        ``Transformer.run``.
        """
        seconds = self._seconds(os.fstat(source.fileno()).st_size)
        order = Order(tool=tool, options=options, seconds=seconds)
        with ExitStack() as open_files:
            report, told = _pair(open_files)
            _lifeline, held = _pair(open_files)  # closed at the end, which ends the child
            descriptors = [source.fileno(), target.fileno(), told.fileno(), held.fileno()]
            self._send(msgspec.msgpack.encode(order), descriptors)
            told.close()
            held.close()
            return _await(report, source, while_running, seconds)

    def _seconds(self, size_bytes: int) -> int:
        """How long a run may take."""
        return self.limits.parser_seconds * max(1, ceil(size_bytes / _UNIT_BYTES))

    def warm(self) -> None:
        """Start the process, so that the first run need not wait for it."""
        with self._lock:
            self._started()

    def close(self) -> None:
        """End the process; children at work end with their runs."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._orders is not None:
            self._orders.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._orders = None

    def _send(self, message: bytes, descriptors: list[int]) -> None:
        with self._lock:
            try:
                socket.send_fds(self._started(), [message], descriptors)
            except OSError:  # it has died since: a new one takes the order
                self._end()
                socket.send_fds(self._started(), [message], descriptors)

    def _started(self) -> socket.socket:
        if self._process is None or self._process.poll() is not None or self._orders is None:
            self._end()
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    _COMMAND,
                    stdin=theirs.fileno(),
                    env={**_ENVIRONMENT, "TMPDIR": self.scratch},
                    cwd="/",
                )
            ours.send(msgspec.msgpack.encode(self.limits))
            self._orders = ours
        return self._orders


def refused(report: Report | None, limits: Limits) -> WaybillError:
    """The error for a run that did not end well."""
    if report is not None and report.code == STORAGE_FULL:
        return StorageFull("a file in the making could not be written")
    if report is None:
        message = (
            "The content could not be read within the limits of time and memory: "
            f"{limits.parser_seconds} seconds (limits.parser_seconds) for every 64 MiB, "
            f"{limits.parser_memory_bytes} bytes (limits.parser_memory_bytes)."
        )
        return ContentInvalid(message, code=TOO_LARGE)
    return ContentInvalid(report.message, code=report.code, line=report.line, column=report.column)


def _await(
    report: socket.socket, source: BinaryIO, while_running: Callable[[int], None], seconds: int
) -> Report | None:
    """What the child says at its end."""
    for _ in range(int(seconds / _POLL_SECONDS)):
        if select.select([report], [], [], _POLL_SECONDS)[0]:
            said = report.recv(_REPORT_BYTES)
            try:
                return msgspec.msgpack.decode(said, type=Report) if said else None
            except msgspec.DecodeError:
                return None
        while_running(os.lseek(source.fileno(), 0, os.SEEK_CUR))
    return None


def _pair(open_files: ExitStack) -> tuple[socket.socket, socket.socket]:
    """Two ends of one line; what is sent comes whole."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return open_files.enter_context(ours), open_files.enter_context(theirs)
