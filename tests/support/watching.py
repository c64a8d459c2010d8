"""Watches a running server from outside: memory of its processes, and whether it answers."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from waybill.testing.server import pause

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from waybill.testing.server import ServerProcess

PARSER = b"waybill.formats.contained.child"
KIBIBYTE = 1024
SAMPLE_SECONDS = 0.02
PROBE_SECONDS = 0.05


def memory(pid: int, name: str) -> int:
    """A line of a process's status in bytes, 0 where it is gone; see proc(5)."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * KIBIBYTE
    return 0


def arguments(pid: int) -> list[bytes]:
    """The command line of a process, empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def is_parser(pid: int) -> bool:
    """Whether a process is a child that reads a file."""
    return PARSER in arguments(pid)


def patience() -> float:
    """By how much a bound on time is stretched: processes that want each core, at least one."""
    load, _, _ = os.getloadavg()
    return max(1.0, load / (os.cpu_count() or 1))


def children_of(pid: int) -> Iterator[int]:
    """The children of a process, whichever of its threads made them."""
    for made in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            yield from map(int, made.read_text(encoding="ascii").split())


def servers_of(server: ServerProcess, kind: bytes) -> list[int]:
    """The server's own children of a kind, ``web`` or ``worker``."""
    return [pid for pid in server.children() if kind in arguments(pid)]


def parsers_of(server: ServerProcess) -> list[int]:
    """The parser children that run now."""
    return [
        child
        for worker in servers_of(server, b"worker")
        for child in children_of(worker)
        if is_parser(child)
    ]


@dataclass(slots=True)
class Watch:
    """What happens to a server while the block runs.

    ``growth``: of the web process, ``worker_growth``: of the largest worker, in bytes from the
    memory at the begin to the peak. ``parser_peak``: of the largest parser child. ``probes``:
    seconds that each probe request took.
    """

    server: ServerProcess
    growth: int = 0
    worker_growth: int = 0
    parser_peak: int = 0
    probes: list[float] = field(default_factory=list)
    _before: dict[int, int] = field(default_factory=dict)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _web: int = 0
    _workers: list[int] = field(default_factory=list)

    def __enter__(self) -> Self:
        [self._web] = servers_of(self.server, b"web")
        self._workers = servers_of(self.server, b"worker")
        for pid in (self._web, *self._workers):
            Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")  # resets the peak
            self._before[pid] = memory(pid, "VmRSS")
        self._threads = [
            threading.Thread(target=each) for each in (self._sample_parsers, self._probe)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        grown = {pid: memory(pid, "VmHWM") - before for pid, before in self._before.items()}
        self.growth = grown.pop(self._web)
        self.worker_growth = max(grown.values())

    def _sample_parsers(self) -> None:
        while not self._stopping.wait(SAMPLE_SECONDS):
            for worker in self._workers:
                for child in filter(is_parser, children_of(worker)):
                    self.parser_peak = max(self.parser_peak, memory(child, "VmHWM"))

    def _probe(self) -> None:
        with self.server.client() as client:
            while True:
                began = time.monotonic()
                client.get("/v1/jobs", params={"limit": 1}).raise_for_status()
                self.probes.append(time.monotonic() - began)
                if self._stopping.wait(PROBE_SECONDS):
                    return


def wait_until_gone(pid: int, seconds: float) -> bool:
    """Whether a process ends within so many seconds."""
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists() and arguments(pid) != [b""]:
        if time.monotonic() > deadline:
            return False
        pause(0.02)
    return True
