"""The child process: what its end means, and that it ends with whoever waits for it."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reading import open_content, refusal, rows_of
from waybill.model.limits import Limits
from waybill.testing.server import is_alive, parent_of, pause, running
from workbooks import table

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = [["n", "t"], *[[number, f"text {number}"] for number in range(60_000)]]


@pytest.fixture(scope="module")
def large() -> bytes:
    return table(ROWS)


def children() -> list[int]:
    return [pid for pid in map(int, running()) if parent_of(pid) == os.getpid() and is_alive(pid)]


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def new_child(known: list[int]) -> int:
    """A child that was started since, and is a program of its own: until then we wait for it."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for pid in children():
            if pid not in known and command_of(pid) != command_of(os.getpid()):
                return pid
        pause(0.005)
    raise AssertionError("no child was started")


def wait_until_at_work(pid: int) -> None:
    """Until a child ignores what is sent to the whole group, as it does before its task."""
    wanted = 1 << (signal.SIGTERM - 1)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        told = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        if int(told.partition("SigIgn:")[2].split()[0], 16) & wanted:
            return
        pause(0.002)
    raise AssertionError("the child never began")


@pytest.fixture
def killer() -> Iterator[list[int]]:
    """Kills each child of this process once, as soon as it is there, so many times."""
    times = [0]
    known, stop = children(), threading.Event()

    def kill() -> None:
        killed = list(known)
        while not stop.is_set():
            for pid in children():
                if pid not in killed and times[0] > 0:
                    times[0] -= 1
                    killed.append(pid)
                    wait_until_at_work(pid)
                    os.kill(pid, signal.SIGSEGV)
            pause(0.005)

    thread = threading.Thread(target=kill)
    thread.start()
    yield times
    stop.set()
    thread.join()


def test_a_child_that_dies_once_is_started_again(
    tmp_path: Path, large: bytes, killer: list[int]
) -> None:
    killer[0] = 1
    rows = rows_of(open_content(tmp_path, large))
    assert len(rows) == 60_000
    assert rows[-1] == ("59999", "text 59999")


def test_a_child_that_dies_twice_is_the_fault_of_the_file(
    tmp_path: Path, large: bytes, killer: list[int]
) -> None:
    killer[0] = 2
    error = refusal(lambda: rows_of(open_content(tmp_path, large)))
    assert (error.code, "SIGSEGV" in error.message) == ("PARSER_CRASHED", True)


def test_too_much_processor_time_is_a_timeout(tmp_path: Path) -> None:
    larger = table([*ROWS, *ROWS[1:] * 4])
    limits = Limits(parser_seconds=1)
    error = refusal(lambda: rows_of(open_content(tmp_path, larger, limits=limits)))
    assert error.code == "PARSER_TIMEOUT"
    assert "parser_seconds of 1" in error.message


@pytest.mark.parametrize("megabytes", [20, 150, 190])
def test_too_little_memory_says_how_much_there_is(
    tmp_path: Path, large: bytes, megabytes: int
) -> None:
    limits = Limits(parser_memory_bytes=megabytes << 20)
    error = refusal(lambda: rows_of(open_content(tmp_path, large, limits=limits)))
    assert error.code == "PARSER_MEMORY"
    assert f"parser_memory_bytes of {megabytes << 20}" in error.message


def test_waiting_can_be_broken_off(tmp_path: Path, large: bytes) -> None:
    class Broken(Exception):
        pass

    def wait() -> None:
        raise Broken

    known = children()
    stopper = threading.Thread(target=lambda: os.kill(new_child(known), signal.SIGSTOP))
    stopper.start()
    with pytest.raises(Broken):
        open_content(tmp_path, large, while_waiting=wait)
    stopper.join()
    assert set(children()) <= set(known)


def test_a_reader_that_is_closed_leaves_no_child(tmp_path: Path, large: bytes) -> None:
    known = children()
    reader = open_content(tmp_path, large)
    chunks = reader.map_chunks(lambda chunk: chunk.ordinal)
    assert next(chunks) == 0
    chunks.close()
    reader.close()
    assert set(children()) <= set(known)


def test_signals_for_the_whole_group_leave_the_child_alone(tmp_path: Path, large: bytes) -> None:
    known = children()
    found: list[int] = []

    def send() -> None:
        found.append(new_child(known))
        wait_until_at_work(found[0])
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(found[0], number)

    thread = threading.Thread(target=send)
    thread.start()
    assert len(rows_of(open_content(tmp_path, large))) == 60_000
    thread.join()
    assert not is_alive(found[0])
