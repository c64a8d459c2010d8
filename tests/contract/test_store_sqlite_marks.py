"""Reads that ask SQLite only when something was committed: never stale, whoever commits."""

from __future__ import annotations

import subprocess
import sys
import threading
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from waybill.model.ids import CredentialId
from waybill.model.job import JobState
from waybill.model.principal import Credential, Project, Scope
from waybill.stores.sqlite.change_mark import HEADER_BYTES, ChangeMark
from waybill.stores.sqlite.read_cache import ReadCache
from waybill.stores.sqlite.store import SqliteStore
from waybill.testing.sample_jobs import (
    PROJECT,
    START,
    at,
    make_finish,
    make_lease,
    make_new_job,
    make_progress,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 3_000
DIGEST = sha256(b"secret").digest()

# Commits on request, without the syncs, so that thousands of rounds are quick.
COMMITTER = """
import sys
from pathlib import Path
from waybill.stores.sqlite.connection import open_writer
connection = open_writer(Path(sys.argv[1]) / "jobs.db")
connection.execute("PRAGMA synchronous = OFF")
print("ready", flush=True)
for line in sys.stdin:
    connection.execute("UPDATE jobs SET rate = ?", (float(line),))
    print("done", flush=True)
"""
VISITOR = """
import sys
from pathlib import Path
from waybill.stores.sqlite.store import SqliteStore
from waybill.testing.sample_jobs import make_new_job
store = SqliteStore(Path(sys.argv[1]) / "jobs.db")
print(store.add_job(make_new_job()).id)
store.close()
"""
# Tries the lock by which SQLite tells whether anybody has the index open.
LOCKSMITH = """
import fcntl, sys
with open(sys.argv[1] + "/jobs.db-shm", "r+b") as index:
    try:
        fcntl.lockf(index, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)
        print("free")
    except BlockingIOError:
        print("held")
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "jobs.db")
    yield made
    made.close()


def test_a_commit_of_another_process_shows_with_the_very_next_read(
    store: SqliteStore, tmp_path: Path
) -> None:
    job = store.add_job(make_new_job()).id
    store.claim_jobs(make_lease(), at(1), limit=1)
    with _child(COMMITTER, tmp_path) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        for number in range(ROUNDS):
            child.stdin.write(f"{number}\n")
            child.stdin.flush()
            child.stdout.readline()
            found = store.find_job(PROJECT, job)
            assert found is not None
            assert found.rate == number
            assert store.find_job(PROJECT, job) is found
        child.stdin.close()


def test_reads_beside_a_busy_writer_never_go_back(store: SqliteStore, tmp_path: Path) -> None:
    job = store.add_job(make_new_job()).id
    store.claim_jobs(make_lease(), at(1), limit=1)
    with _child(COMMITTER, tmp_path) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        child.stdin.write("".join(f"{number}\n" for number in range(ROUNDS)))
        child.stdin.flush()
        child.stdin.close()
        seen = -1.0
        for _ in child.stdout:  # each line says that one more commit is over
            found = store.find_job(PROJECT, job)
            assert found is not None
            assert found.rate is not None
            assert found.rate >= seen
            seen = found.rate
    assert seen == ROUNDS - 1


def test_nothing_is_read_twice_while_nothing_is_committed(store: SqliteStore) -> None:
    _add_credential(store)
    job = store.add_job(make_new_job()).id
    store.claim_jobs(make_lease(), at(1), limit=1)
    for read in (
        lambda: store.find_principal("waybill", DIGEST),
        lambda: store.find_job(PROJECT, job),
        lambda: store.attempts(job),
        lambda: store.artifacts(job),
    ):
        assert read() is read()


def test_every_step_of_a_job_shows_at_once(store: SqliteStore, tmp_path: Path) -> None:
    worker = SqliteStore(tmp_path / "jobs.db")
    job = store.add_job(make_new_job()).id
    assert _state(store, job) is JobState.WAITING
    assert len(store.attempts(job)) == 0
    worker.claim_jobs(make_lease(), at(1), limit=1)
    assert _state(store, job) is JobState.RUNNING
    assert len(store.attempts(job)) == 1
    worker.save_progress(job, 1, make_progress(progress=0.5))
    found = store.find_job(PROJECT, job)
    assert found is not None
    assert found.progress == 0.5
    worker.finish_job(job, 1, make_finish())
    assert _state(store, job) is JobState.SUCCEEDED
    (artifact,) = store.artifacts(job)
    worker.mark_purged(artifact, at(99))
    assert store.artifacts(job)[0].purged_at == at(99)
    worker.close()


def test_a_revoked_credential_is_refused_by_the_very_next_read(
    store: SqliteStore, tmp_path: Path
) -> None:
    elsewhere = SqliteStore(tmp_path / "jobs.db")
    assert store.find_principal("waybill", DIGEST) is None
    _add_credential(elsewhere)
    assert store.find_principal("waybill", DIGEST) is not None
    assert store.find_principal("waybill", DIGEST) is not None
    elsewhere.revoke(CredentialId("one"), at(5))
    assert store.find_principal("waybill", DIGEST) is None
    elsewhere.close()


def test_the_log_stays_in_its_place_while_others_come_and_go(
    store: SqliteStore, tmp_path: Path
) -> None:
    before = _index(tmp_path)
    for _ in range(3):
        with _child(VISITOR, tmp_path) as child:
            assert child.stdout is not None
            job = child.stdout.read().strip()
        assert store.find_job(PROJECT, job) is not None
    assert _index(tmp_path) == before


def test_the_log_stays_in_its_place_while_the_writer_is_opened_anew(
    store: SqliteStore, tmp_path: Path
) -> None:
    before = _index(tmp_path)
    store._database._writer._drop_connection()
    job = store.add_job(make_new_job()).id
    assert _index(tmp_path) == before
    assert _state(store, job) is JobState.WAITING
    store.claim_jobs(make_lease(), at(1), limit=1)
    assert _state(store, job) is JobState.RUNNING


def test_a_closed_store_takes_no_lock_of_another_one_in_its_process(
    store: SqliteStore, tmp_path: Path
) -> None:
    other = SqliteStore(tmp_path / "jobs.db")
    assert other.find_job(PROJECT, "x") is None
    other.close()
    with _child(LOCKSMITH, tmp_path) as child:
        assert child.stdout is not None
        assert child.stdout.read().strip() == "held"
    assert store.find_job(PROJECT, "x") is None


def test_the_last_to_close_leaves_one_file_and_no_open_one(tmp_path: Path) -> None:
    before = _open_files()
    first, second = SqliteStore(tmp_path / "jobs.db"), SqliteStore(tmp_path / "jobs.db")
    job = first.add_job(make_new_job()).id
    for store in (first, second):
        assert store.find_job(PROJECT, job) is not None
        store.close()
        store.close()
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(("-wal", "-shm"))]
    assert _open_files() == before


@pytest.mark.parametrize("is_torn", [False, True])
def test_a_commit_being_published_has_no_mark(tmp_path: Path, *, is_torn: bool) -> None:
    header = bytes(range(HEADER_BYTES - 1)) + b"\x00"
    header = header[:12] + b"\x01" + header[13:]
    newer = header[:8] + b"\xff" + header[9:]
    (tmp_path / "index").write_bytes(header + (newer if is_torn else header) + bytes(4_000))
    mark = ChangeMark(tmp_path / "index")
    assert mark.current() is None
    mark.open()
    assert (mark.current() is None) is is_torn
    mark.hide()
    assert mark.current() is None
    mark.close()


def test_an_index_that_holds_nothing_has_no_mark(tmp_path: Path) -> None:
    (tmp_path / "index").write_bytes(bytes(4_096))
    mark = ChangeMark(tmp_path / "index")
    mark.open()
    assert mark.current() is None
    mark.close()


@pytest.mark.parametrize("content", [None, b""])
def test_where_no_index_can_be_mapped_every_read_is_real(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "index").write_bytes(content)
    mark = ChangeMark(tmp_path / "index")
    mark.open()
    reads = _Reads()
    cache = ReadCache(mark.current)
    assert [cache.find("key", reads.read) for _ in range(3)] == [1, 2, 3]
    mark.close()


def test_a_value_read_across_a_commit_is_not_kept(store: SqliteStore) -> None:
    reads = _Reads(meanwhile=lambda: store.add_job(make_new_job()))
    cache = ReadCache(store._database.current_mark)
    assert [cache.find("key", reads.read) for _ in range(2)] == [1, 2]


def test_values_are_kept_by_key_up_to_a_number() -> None:
    reads = _Reads()
    cache = ReadCache(lambda: b"same", most_values=2)
    assert [cache.find(key, reads.read) for key in "abab"] == [1, 2, 1, 2]
    assert [cache.find(key, reads.read) for key in "cc"] == [3, 3]
    assert len(cache._page[1]) <= 2


def test_what_is_not_there_is_looked_for_again() -> None:
    cache: ReadCache[str, int] = ReadCache(lambda: b"same")
    assert cache.find("key", lambda _: None) is None
    assert cache.find("key", lambda _: 7) == 7


def test_many_threads_read_what_is_committed(store: SqliteStore) -> None:
    job = store.add_job(make_new_job()).id
    store.claim_jobs(make_lease(), at(1), limit=1)
    committed = [0.0]
    stale: list[float] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            least = committed[0]
            found = store.find_job(PROJECT, job)
            if found is None or found.progress < least:
                stale.append(least)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(20):
        store.save_progress(job, 1, make_progress(progress=number / 100))
        committed[0] = number / 100
    done.set()
    for thread in threads:
        thread.join()
    assert stale == []


class _Reads:
    def __init__(self, meanwhile: object = None) -> None:
        self._meanwhile = meanwhile
        self._count = 0

    def read(self, _key: str) -> int:
        self._count += 1
        if callable(self._meanwhile):
            self._meanwhile()
        return self._count


def _child(program: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _index(folder: Path) -> int:
    return (folder / "jobs.db-shm").stat().st_ino


def _state(store: SqliteStore, job: str) -> JobState | None:
    found = store.find_job(PROJECT, job)
    return found.state if found else None


def _add_credential(store: SqliteStore) -> None:
    store.add_project(Project(name=PROJECT, created_at=START))
    store.add_credential(
        Credential(
            id=CredentialId("one"),
            project=PROJECT,
            dialect="waybill",
            login="",
            scopes=frozenset({Scope.READ}),
            created_at=START,
        ),
        DIGEST,
    )
