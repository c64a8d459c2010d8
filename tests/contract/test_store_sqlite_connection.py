"""What the store does with the file, its threads and its neighbours."""

from __future__ import annotations

import resource
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import apsw
import pytest

from waybill.errors import StateConflict, StorageFull, StoreUnavailable
from waybill.model.job import JobState
from waybill.ports.job_store import JobFilter
from waybill.stores.sqlite.connection import refuse_old_sqlite, translate
from waybill.stores.sqlite.store import SqliteStore
from waybill.stores.sqlite.writer import Writer
from waybill.system import FilePresence, SystemClock
from waybill.testing.sample_jobs import PROJECT, at, make_lease, make_new_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "jobs.db")
    yield made
    made.close()


def test_every_commit_of_the_writer_is_synced(store: SqliteStore) -> None:
    pragmas = store._database.write(
        lambda writer: [writer.pragma(name) for name in ("journal_mode", "synchronous")]
    )
    assert pragmas == ["wal", 2]
    assert store._database.write(lambda writer: writer.pragma("foreign_keys")) == 1


def test_a_reader_cannot_write(store: SqliteStore) -> None:
    with pytest.raises(StoreUnavailable):
        store._database.read(lambda reader: reader.execute("DELETE FROM jobs"))


def test_the_database_is_open_to_its_owner_only(store: SqliteStore, tmp_path: Path) -> None:
    store.add_job(make_new_job())
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {0o600}


def test_a_store_opened_again_has_its_jobs(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "jobs.db")
    job = first.add_job(make_new_job())
    first.close()
    first.close()
    second = SqliteStore(tmp_path / "jobs.db")
    assert second.find_job(PROJECT, job.id) == job
    second.close()


def test_a_closed_store_does_not_answer(store: SqliteStore) -> None:
    store.find_job(PROJECT, "x")
    store.close()
    with pytest.raises(StoreUnavailable):
        store.add_job(make_new_job())
    with pytest.raises(StoreUnavailable):
        store.find_job(PROJECT, "x")


def test_two_stores_on_one_file_see_each_other_at_once(store: SqliteStore, tmp_path: Path) -> None:
    other = SqliteStore(tmp_path / "jobs.db")
    job = store.add_job(make_new_job())
    assert other.find_job(PROJECT, job.id) == job
    other.claim_jobs(make_lease(), at(1), limit=1)
    found = store.find_job(PROJECT, job.id)
    assert found is not None
    assert found.state is JobState.RUNNING
    other.close()


def test_jobs_are_claimed_once_by_many_threads(store: SqliteStore) -> None:
    added = {store.add_job(make_new_job()).id for _ in range(40)}
    claimed: list[str] = []

    def claim() -> None:
        while jobs := store.claim_jobs(make_lease(), at(1), limit=3):
            claimed.extend(job.id for job in jobs)

    _in_threads(4, claim)
    assert len(claimed) == len(added)
    assert set(claimed) == added


def test_many_threads_add_jobs_of_one_lane_in_one_order(store: SqliteStore) -> None:
    def add() -> None:
        for _ in range(10):
            store.add_job(make_new_job(lane="lane"))

    _in_threads(4, add)
    jobs = store.list_jobs(PROJECT, JobFilter(), cursor="", limit=100).jobs
    assert [job.state for job in jobs] == [JobState.BLOCKED] * 39 + [JobState.WAITING]


def test_the_failure_of_one_write_undoes_nothing_of_its_neighbours(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "jobs.db")
    writer.run(lambda connection: connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)"))
    entered, release = threading.Event(), threading.Event()
    outcomes: dict[int, object] = {}

    def hold(_: apsw.Connection) -> None:
        entered.set()
        release.wait(10)

    def insert(value: int, *, fails: bool) -> None:
        def work(connection: apsw.Connection) -> None:
            connection.execute("INSERT INTO t VALUES (?)", (value,))
            if fails:
                raise StateConflict("no")

        try:
            writer.run(work)
            outcomes[value] = "stored"
        except StateConflict as error:
            outcomes[value] = error.code

    threads = [threading.Thread(target=writer.run, args=(hold,))]
    threads[0].start()
    entered.wait(10)
    for value in range(4):
        thread = threading.Thread(target=insert, args=(value,), kwargs={"fails": value == 2})
        thread.start()
        threads.append(thread)
    release.set()
    for thread in threads:
        thread.join()
    rows = writer.run(lambda connection: connection.execute("SELECT a FROM t").fetchall())
    assert rows == [(0,), (1,), (3,)]
    assert outcomes == {0: "stored", 1: "stored", 2: "STATE_CONFLICT", 3: "stored"}
    writer.close()


def test_a_file_that_cannot_grow_is_storage_full_and_recovers(store: SqliteStore) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    lost = make_new_job(descriptor="x" * 3_000_000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        with pytest.raises(StorageFull):
            store.add_job(lost)
        assert store.find_job(PROJECT, lost.id) is None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert store.add_job(lost).id == lost.id
    assert store._database.read(lambda reader: reader.pragma("integrity_check")) == "ok"


def test_a_place_that_holds_no_folder_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        SqliteStore(tmp_path / "missing" / "jobs.db")


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreUnavailable):
        SqliteStore(tmp_path / "jobs.db")


@pytest.mark.parametrize("error", [apsw.BusyError, apsw.CantOpenError, apsw.LockedError])
def test_a_database_that_does_not_answer_is_unavailable(error: type[apsw.Error]) -> None:
    assert isinstance(translate(error("x")), StoreUnavailable)


@pytest.mark.parametrize("error", [apsw.FullError, apsw.IOError])
def test_a_disk_that_takes_no_more_is_storage_full(error: type[apsw.Error]) -> None:
    assert isinstance(translate(error("x")), StorageFull)


def test_a_bug_of_ours_is_not_translated() -> None:
    assert translate(apsw.SQLError("no such column")) is None


@pytest.mark.parametrize("version", ["3.51.2", "3.40.1", "3.7.0"])
def test_a_library_with_the_lost_commit_race_is_refused(version: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"3\.51\.3"):
        refuse_old_sqlite(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.54.1", "4.0.0"])
def test_a_library_without_the_race_passes(version: str) -> None:
    refuse_old_sqlite(version)


CLAIMER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from waybill.ports.job_store import Lease
from waybill.stores.sqlite.store import SqliteStore
from waybill.system import FilePresence, SystemClock
folder, clock = Path(sys.argv[1]), SystemClock()
presence, store = FilePresence(folder), SqliteStore(folder / "jobs.db")
until = clock.monotonic_seconds() + 3600
lease = Lease(holder=presence.holder, boot_id=clock.boot_id, until_seconds=until)
(job,) = store.claim_jobs(lease, datetime.now(UTC), limit=1)
print(presence.holder, job.id, flush=True)
sys.stdin.read()
"""


def test_the_job_of_a_killed_process_is_stale_at_once(store: SqliteStore, tmp_path: Path) -> None:
    presence, clock = FilePresence(tmp_path), SystemClock()
    job = store.add_job(make_new_job())
    child = subprocess.Popen(
        [sys.executable, "-c", CLAIMER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        holder, claimed = child.stdout.readline().split()
        assert claimed == job.id
        assert not presence.is_gone(holder)
        assert store.stale_runs(presence, clock.boot_id, clock.monotonic_seconds()) == []
        child.kill()
        child.wait()
    assert presence.is_gone(holder)
    stale = store.stale_runs(presence, clock.boot_id, clock.monotonic_seconds())
    assert [run.id for run in stale] == [job.id]
    presence.close()


PRODUCER = """
import sys
from pathlib import Path
from waybill.stores.sqlite.store import SqliteStore
from waybill.testing.sample_jobs import make_new_job
store = SqliteStore(Path(sys.argv[1]) / "jobs.db")
while True:
    print(store.add_job(make_new_job(lane="lane")).id, flush=True)
"""


def test_every_job_acknowledged_before_a_kill_is_there_after_it(
    store: SqliteStore, tmp_path: Path
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", PRODUCER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        acknowledged = [child.stdout.readline().strip() for _ in range(50)]
        child.kill()
        acknowledged += child.stdout.read().split("\n")[:-1]
    assert all(store.find_job(PROJECT, job) is not None for job in acknowledged)
    assert store._database.read(lambda reader: reader.pragma("integrity_check")) == "ok"


def _in_threads(count: int, work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
