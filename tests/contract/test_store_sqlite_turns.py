from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from waybill.stores.sqlite.turnstile import Turnstile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def neighbours(tmp_path: Path) -> Iterator[tuple[Turnstile, Turnstile]]:
    made = Turnstile(tmp_path / "jobs.db"), Turnstile(tmp_path / "jobs.db")
    yield made
    for turnstile in made:
        turnstile.close()
        turnstile.close()


def test_who_waits_has_the_next_turn(neighbours: tuple[Turnstile, Turnstile]) -> None:
    busy, patient = neighbours
    turns: list[str] = []
    queued = threading.Event()

    def wait() -> None:
        queued.set()
        with patient.turn():
            turns.append("patient")

    thread = threading.Thread(target=wait)
    with busy.turn():
        thread.start()
        queued.wait()
        while _is_free(busy):
            queued.wait(0.001)
    for _ in range(3):
        with busy.turn():
            turns.append("busy")
    thread.join()
    assert turns[0] == "patient"


def test_a_frozen_neighbour_holds_nobody_up_for_long(tmp_path: Path) -> None:
    frozen = Turnstile(tmp_path / "jobs.db")
    other = Turnstile(tmp_path / "jobs.db", longest_wait_seconds=0.01)
    passed = False
    with frozen.turn(), other.turn():
        passed = True
    assert passed
    frozen.close()
    other.close()


def test_an_error_within_a_turn_gives_it_on(neighbours: tuple[Turnstile, Turnstile]) -> None:
    first, second = neighbours
    with pytest.raises(ValueError, match="mine"), first.turn():
        raise ValueError("mine")
    second.longest_wait_seconds = 0
    with second.turn():
        assert not first._lock(first._turn, 0)


def test_where_no_lock_file_can_be_made_turns_are_free(tmp_path: Path) -> None:
    turnstile = Turnstile(tmp_path / "missing" / "jobs.db")
    passed = False
    with turnstile.turn():
        passed = True
    assert passed


def _is_free(holder: Turnstile) -> bool:
    """Whether nobody stands in the queue yet."""
    if not holder._lock(holder._queue, 0):
        return False
    holder._unlock(holder._queue)
    return True
