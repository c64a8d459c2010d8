from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from waybill.errors import StorageFull
from waybill.model.ids import HolderId
from waybill.system import FilePresence, SystemClock, SystemIds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(slots=True)
class StoppedClock:
    at: datetime = datetime(2026, 3, 1, tzinfo=UTC)
    boot_id: str = "boot"

    def now(self) -> datetime:
        return self.at

    def monotonic_seconds(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def presence(tmp_path: Path) -> Iterator[FilePresence]:
    made = FilePresence(tmp_path)
    yield made
    made.close()


def test_the_time_of_day_is_aware_and_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_monotonic_seconds_do_not_fall() -> None:
    clock = SystemClock()
    assert clock.monotonic_seconds() <= SystemClock().monotonic_seconds()


def test_the_boot_has_one_name() -> None:
    assert SystemClock().boot_id == SystemClock().boot_id != ""


def test_job_ids_sort_by_their_millisecond() -> None:
    clock = StoppedClock()
    ids = SystemIds(clock)
    made = []
    for _ in range(200):
        made.append(ids.job_id())
        clock.sleep(0.001)
        made.append(ids.job_id())
        clock.sleep(3_600_000)
    assert made == sorted(made)


def test_job_ids_of_one_millisecond_differ_in_128_bits() -> None:
    ids = SystemIds(StoppedClock())
    made = {ids.job_id() for _ in range(100)}
    assert len(made) == 100
    assert {len(job_id) for job_id in made} == {36}
    assert all(job_id.isalnum() and job_id == job_id.lower() for job_id in made)


def test_tokens_have_256_bits_and_are_safe_in_urls() -> None:
    ids = SystemIds(StoppedClock())
    tokens = {ids.token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {43}
    assert all(token.replace("-", "").replace("_", "").isalnum() for token in tokens)


def test_names_begin_with_their_prefix_and_differ() -> None:
    ids = SystemIds(StoppedClock())
    names = {ids.name("cred-") for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith("cred-") and len(name) == 31 for name in names)


def test_a_process_does_not_take_itself_for_gone(presence: FilePresence) -> None:
    assert not presence.is_gone(presence.holder)


def test_a_living_neighbour_is_not_gone(presence: FilePresence, tmp_path: Path) -> None:
    neighbour = FilePresence(tmp_path)
    assert neighbour.holder != presence.holder
    assert not presence.is_gone(neighbour.holder)
    neighbour.close()


def test_two_who_ask_at_once_do_not_take_each_other_for_the_holder(
    presence: FilePresence, tmp_path: Path
) -> None:
    neighbour, other = FilePresence(tmp_path), FilePresence(tmp_path)
    neighbour.forget()
    assert other.is_gone(neighbour.holder)
    assert presence.is_gone(neighbour.holder)
    other.close()


def test_a_neighbour_that_closed_is_gone(presence: FilePresence, tmp_path: Path) -> None:
    neighbour = FilePresence(tmp_path)
    neighbour.close()
    neighbour.close()
    assert presence.is_gone(neighbour.holder)


def test_what_a_dead_process_left_is_cleared_away(presence: FilePresence, tmp_path: Path) -> None:
    left = tmp_path / "run" / "123-abc.lock"
    left.touch()
    assert presence.is_gone(HolderId("123-abc"))
    assert not left.exists()


def test_a_holder_that_never_was_is_gone(presence: FilePresence) -> None:
    assert presence.is_gone(HolderId("never"))


def test_a_child_by_fork_does_not_keep_its_parent_alive(
    presence: FilePresence, tmp_path: Path
) -> None:
    neighbour = FilePresence(tmp_path)
    reader, writer = os.pipe()
    ready_reader, ready_writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.write(ready_writer, b"x")
        os.read(reader, 1)
        os._exit(0)
    os.read(ready_reader, 1)
    neighbour.forget()
    is_gone = presence.is_gone(neighbour.holder)
    os.close(writer)
    os.waitpid(child, 0)
    for descriptor in (reader, ready_reader, ready_writer):
        os.close(descriptor)
    assert is_gone


def test_a_lock_file_is_open_to_its_owner_only(presence: FilePresence, tmp_path: Path) -> None:
    (file,) = (tmp_path / "run").iterdir()
    assert file.name == f"{presence.holder}.lock"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_place_where_no_file_can_be_made_is_an_error_of_storage(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("in the way")
    with pytest.raises(StorageFull):
        FilePresence(tmp_path)
