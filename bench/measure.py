"""Measuring commands and servers from outside: seconds, peak memory, output."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

BENCH: Final = Path(__file__).resolve().parent
DATA: Final = BENCH / ".data"
WAYBILL: Final = str(Path(sys.executable).with_name("waybill"))
MEBIBYTE: Final = 1024 * 1024
START_SECONDS: Final = 30
DONE_WITH_REJECTIONS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One finished command: wall time, peak memory of the process itself, standard output."""

    seconds: float
    peak_bytes: int
    output: str


def timed(command: Sequence[str]) -> Run:
    """Run ``command`` to its end.

    Raises:
        RuntimeError: it ended otherwise than done, or done with rejections.
    """
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, DONE_WITH_REJECTIONS}:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return Run(seconds=seconds, peak_bytes=usage.ru_maxrss * 1024, output=output)


def alternate(rounds: int, *measures: Callable[[], Run]) -> list[list[Run]]:
    """Run the measures in turn, so that noise of the machine meets all; one list for each."""
    runs: list[list[Run]] = [[] for _ in measures]
    for _ in range(rounds):
        for measure, made in zip(measures, runs, strict=True):
            made.append(measure())
    return runs


def typical_seconds(runs: Sequence[Run]) -> float:
    """The median time."""
    return median(run.seconds for run in runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that runs for a measurement."""

    pid: int
    directory: Path
    address: str
    credentials: Mapping[str, Mapping[str, str]]

    @property
    def token(self) -> str:
        """Of the native API."""
        return self.credentials["waybill"]["token"]

    def call(self, method: str, path: str, body: bytes | None = None) -> dict[str, object]:
        """One request with the token; the answer's JSON."""
        request = urllib.request.Request(
            self.address + path,
            data=body,
            method=method,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "text/csv"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            decoded = json.load(answer)
        assert isinstance(decoded, dict)
        return decoded

    def peak_bytes_while(self, work: Callable[[], object]) -> int:
        """The largest peak memory of a process that the server starts, or has started.

        Those that end during the work are looked at until they do.
        """
        peaks = [0]
        is_done = Event()

        def watch() -> None:
            while not is_done.wait(0.1):
                peaks.extend(peak_bytes(pid) for pid in descendants(self.pid))
                peaks[:] = [max(peaks)]

        watcher = Thread(target=watch)
        watcher.start()
        try:
            work()
        finally:
            is_done.set()
            watcher.join()
        return peaks[0]


@contextmanager
def serving(schema: Path, *, entities: Sequence[str], workers: int) -> Iterator[Server]:
    """A new server with these entities of one schema and no rate limit; removed at the end."""
    directory = Path(tempfile.mkdtemp(prefix="waybill-bench-", dir=DATA))
    made = subprocess.run(
        [WAYBILL, "init", str(directory), "--json"], check=True, capture_output=True, text=True
    )
    for entity in entities:
        shutil.copy(schema, directory / "entities" / f"{entity}.json")
    credentials = json.loads(made.stdout)["credentials"]
    port = free_port()
    command = [WAYBILL, "serve", str(directory), "--port", str(port), "--workers", str(workers)]
    with (directory / "server.log").open("wb") as log:
        environment = {**os.environ, "WAYBILL_SERVER_RATE_PER_SECOND": "0"}
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    server = Server(
        pid=process.pid,
        directory=directory,
        address=f"http://127.0.0.1:{port}",
        credentials=credentials,
    )
    try:
        wait_until_ready(process, server)
        yield server
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(directory, ignore_errors=True)


def wait_until_ready(process: subprocess.Popen[bytes], server: Server) -> None:
    """Return once the server is ready.

    Raises:
        RuntimeError: it never was; its log is in the message.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{server.address}/healthz/ready", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError((server.directory / "server.log").read_text(encoding="utf-8")[-2000:])


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def descendants(pid: int) -> list[int]:
    """Every process below ``pid``."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except FileNotFoundError:
        return []
    found = [int(child) for child in children]
    return found + [below for child in found for below in descendants(child)]


def peak_bytes(pid: int) -> int:
    """The peak resident memory of a process; 0 where it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    lines = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(next(lines, "VmHWM: 0").split()[1]) * 1024
