"""Fuzzes one reader for some time: a worker process does, and is watched and started again."""

from __future__ import annotations

import selectors
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

WORKER = Path(__file__).with_name("fuzz_worker.py")
HANG_SECONDS = 60
SHOWN_BYTES = 2_000
_LIBRARY_FAILED = (b"memory allocation of", b"MemoryError", b"bad_alloc", b"out of memory")
CHILD_READERS = frozenset({"xlsx", "xml", "parquet"})
"""What the server reads in a child: there a crash of a library is an error of the file."""


@dataclass
class Run:
    """How many inputs were read, and how often a library crashed where it may."""

    inputs: int = 0
    crashes: int = 0


class Found(AssertionError):
    """An input that breaks a promise, with all that is needed to see it again."""


def fuzz(reader: str, seed: int, seconds: float, folder: Path) -> Run:
    """Read inputs of that seed until the time is over.

    Raises:
        Found: a check failed, or nothing came back for a minute.
    """
    run, deadline = Run(), time.monotonic() + seconds
    while time.monotonic() < deadline:
        command = [sys.executable, str(WORKER), reader, str(seed), str(run.inputs), str(folder)]
        with (folder / "said").open("w+b") as said, _worker(command, said) as worker:
            try:
                for number in _numbers(worker, deadline):
                    run.inputs = number + 1
            except TimeoutError as error:
                raise Found(f"it hangs: {_told(reader, seed, run, folder)}") from error
            if worker.poll():
                said.seek(0)
                _judge(run, worker.wait(), said.read(), reader, _told(reader, seed, run, folder))
    return run


@contextmanager
def _worker(command: list[str], said: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is over with its block."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, bufsize=0) as worker:
        try:
            yield worker
        finally:
            worker.kill()


def _numbers(worker: subprocess.Popen[bytes], deadline: float) -> Iterator[int]:
    """The numbers of the inputs as they are begun, up to the deadline or the worker's end."""
    output = worker.stdout
    assert output is not None
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        rest = b""
        while time.monotonic() < deadline:
            if not selector.select(HANG_SECONDS):
                raise TimeoutError
            part = output.read(65_536)
            if not part:
                worker.wait()
                return
            *lines, rest = (rest + part).split(b"\n")
            yield from map(int, lines)


def _judge(run: Run, code: int, said: bytes, reader: str, told: str) -> None:
    """What the end of a worker means: only a library's own failure is one that it may have."""
    is_library = code < 0 or any(words in said for words in _LIBRARY_FAILED)
    if not (is_library and reader in CHILD_READERS):
        reason = said.decode(errors="replace")[-6_000:]
        raise Found(f"{told}\nthe worker ended with {code}:\n{reason}")
    run.crashes += 1


def _told(reader: str, seed: int, run: Run, folder: Path) -> str:
    """Where the last input is, and its bytes where they are few."""
    saved = folder / "found"
    if (folder / "input").exists():
        shutil.copy(folder / "input", saved)
    content = saved.read_bytes() if saved.exists() else b""
    shown = content.hex() if len(content) <= SHOWN_BYTES else f"{len(content)} bytes"
    number = run.inputs - 1
    return f"reader {reader}, seed {seed}, input {number}, saved as {saved}: {shown}"
