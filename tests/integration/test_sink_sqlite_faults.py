"""The embedded sink when processes die, disks are full and others hold the database."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import apsw
import pytest

from waybill.errors import StorageFull, StoreUnavailable
from waybill.model.job import Counts
from waybill.sinks.sqlite import SqliteSink
from waybill.testing.sample_chunks import ITEMS, PROJECT, chunk_of, sink_job

if TYPE_CHECKING:
    from pathlib import Path

ATTEMPT = """
import sys
from pathlib import Path
from waybill.errors import StorageFull
from waybill.sinks.sqlite import SqliteSink
from waybill.testing.sample_chunks import chunk_of, sink_job

folder, epoch, whole_file = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "whole"
sink = SqliteSink(folder)
job = sink_job("killed", epoch=epoch, whole_file=whole_file)
try:
    sink.begin(job)
    for chunk in range(4):
        numbers = range(chunk * 40, chunk * 40 + 60)
        rows = ((f"{number:04}", f"{number} of {number % 7}") for number in numbers)
        sink.apply(job, chunk, chunk_of(*rows, first_record=chunk * 60 + 1))
except StorageFull:
    sys.exit(9)
sink.seal(job)
"""


def attempt(folder: Path, epoch: int, mode: str, *before: str) -> subprocess.CompletedProcess[str]:
    command = [*before, sys.executable, "-c", ATTEMPT, str(folder), str(epoch), mode]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def contents(folder: Path) -> object:
    sink = SqliteSink(folder)
    records = list(sink.records(PROJECT, ITEMS, after="", limit=1_000).records)
    results = [(r.chunk, r.records, r.outcomes) for r in sink.results(sink_job("killed").id)]
    sink.close()
    return records, results


def is_intact(folder: Path) -> bool:
    db = apsw.Connection(str(folder / f"{PROJECT}.sqlite"))
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema")}
    is_ok = db.execute("PRAGMA integrity_check").get == "ok"
    db.close()
    return is_ok and not any(name.startswith("_stage") for name in tables)


def kill_and_go_on(folder: Path, mode: str, sync: int, calm: object) -> bool:
    """Kills a run at its Nth sync, then lets another attempt end it; tells whether it was hit."""
    kill = f"inject=fdatasync:signal=KILL:when={sync}"
    strace = ("strace", "-f", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", kill)
    is_hit = attempt(folder, 1, mode, *strace).returncode != 0
    assert attempt(folder, 2, mode).returncode == 0
    assert contents(folder) == calm
    assert is_intact(folder)
    return is_hit


@pytest.mark.strace
@pytest.mark.parametrize(("mode", "sync"), [("rows", 10), ("whole", 12)])
def test_a_run_killed_in_the_middle_ends_as_if_it_had_not_been(
    tmp_path: Path, mode: str, sync: int
) -> None:
    attempt(tmp_path / "calm", 1, mode)
    assert kill_and_go_on(tmp_path / "killed", mode, sync, contents(tmp_path / "calm"))


@pytest.mark.long
@pytest.mark.strace
@pytest.mark.parametrize("mode", ["rows", "whole"])
def test_a_run_killed_at_any_sync_ends_as_if_it_had_not_been(tmp_path: Path, mode: str) -> None:
    attempt(tmp_path / "calm", 1, mode)
    calm, sync = contents(tmp_path / "calm"), 1
    while kill_and_go_on(tmp_path / str(sync), mode, sync, calm):
        sync += 1
    assert sync > 10


def test_a_full_disk_is_told_and_the_work_goes_on_once_there_is_room(tmp_path: Path) -> None:
    code = f"import resource, signal\nsignal.signal({signal.SIGXFSZ:d}, signal.SIG_IGN)\n"
    limit = f"resource.setrlimit({resource.RLIMIT_FSIZE}, (90_000, 90_000))\n"
    command = [sys.executable, "-c", code + limit + ATTEMPT, str(tmp_path), "1", "rows"]
    assert subprocess.run(command, check=False, timeout=60).returncode == 9
    assert attempt(tmp_path, 2, "rows").returncode == 0
    assert is_intact(tmp_path)


def test_a_database_that_another_process_holds_is_unavailable(tmp_path: Path) -> None:
    sink = SqliteSink(tmp_path, busy_timeout_seconds=0.05)
    sink.begin(sink_job("first"))
    other = apsw.Connection(str(tmp_path / f"{PROJECT}.sqlite"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        sink.apply(sink_job("first"), 0, chunk_of(("a", "Apple")))
    other.execute("ROLLBACK")
    assert sink.apply(sink_job("first"), 0, chunk_of(("a", "Apple"))).outcomes == b"C"
    other.close()


def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    sink = SqliteSink(tmp_path, busy_timeout_seconds=0.05)
    sink.begin(sink_job())
    other = apsw.Connection(str(tmp_path / f"{PROJECT}.sqlite"))
    other.execute("BEGIN IMMEDIATE")
    assert not sink.records(PROJECT, ITEMS, after="", limit=10).records
    other.close()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / f"{PROJECT}.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreUnavailable):
        SqliteSink(tmp_path).begin(sink_job())


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable):
        SqliteSink(tmp_path / "file" / "sinks").begin(sink_job())


def test_a_write_that_fails_leaves_nothing_of_its_chunk(tmp_path: Path) -> None:
    sink = SqliteSink(tmp_path)
    sink.begin(sink_job())
    db = apsw.Connection(str(tmp_path / f"{PROJECT}.sqlite"))
    pages = db.execute("PRAGMA page_count").get
    db.close()
    sink.apply(sink_job(), 0, chunk_of(("a", "Apple")))
    with sink._projects.of(PROJECT).transaction() as writer:
        writer.execute(f"PRAGMA max_page_count = {pages}")
    rows = [(f"{number}", "x" * 1_000) for number in range(100)]
    with pytest.raises(StorageFull):
        sink.apply(sink_job(), 1, chunk_of(*rows))
    with sink._projects.of(PROJECT).transaction() as writer:
        writer.execute("PRAGMA max_page_count = 100000")
    assert sink.apply(sink_job(), 1, chunk_of(*rows)).outcomes == b"C" * 100
    assert sink.seal(sink_job()) == Counts(read=101, created=101)


def test_files_of_many_projects_are_closed_and_opened_again(tmp_path: Path) -> None:
    sink = SqliteSink(tmp_path)
    for turn in ("first", "second"):
        for number in range(40):
            job = sink_job(f"{turn}-{number}", project=f"p{number}")
            sink.begin(job)
            assert sink.apply(job, 0, chunk_of((turn, "x"))).outcomes == b"C"
    found = SqliteSink(tmp_path).results(sink_job("first-7").id)
    assert [result.outcomes for result in found] == [b"C"]


def test_threads_may_share_a_sink(tmp_path: Path) -> None:
    sink = SqliteSink(tmp_path)

    def run(number: int) -> Counts:
        job = sink_job(f"job-{number}", project=f"p{number % 2}")
        sink.begin(job)
        for chunk in range(3):
            rows = ((f"{number}-{chunk}-{row}", "x") for row in range(50))
            sink.apply(job, chunk, chunk_of(*rows))
            sink.records(job.project, ITEMS, after="", limit=10)
        return sink.seal(job)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(run, range(8))) == {Counts(read=150, created=150)}


def test_the_first_attempt_at_a_ready_entity_begins_without_writing(tmp_path: Path) -> None:
    sink = SqliteSink(tmp_path)
    sink.begin(sink_job("first"))
    log = tmp_path / f"{PROJECT}.sqlite-wal"
    size = log.stat().st_size
    sink.begin(sink_job("second"))
    assert log.stat().st_size == size


def test_databases_are_for_their_owner_only(tmp_path: Path) -> None:
    SqliteSink(tmp_path / "sinks").begin(sink_job())
    path = tmp_path / "sinks" / f"{PROJECT}.sqlite"
    assert path.stat().st_mode & 0o077 == 0


def test_the_page_cache_of_a_large_import_is_no_larger_than_meant(tmp_path: Path) -> None:
    sink = SqliteSink(tmp_path)
    for turn in ("new", "open"):
        job = sink_job(turn)
        sink.begin(job)
        for chunk in range(4):
            rows = ((f"{turn}-{chunk}-{row}", "x" * 4_000) for row in range(2_600))
            sink.apply(job, chunk, chunk_of(*rows))
        with sink._projects.of(PROJECT).transaction() as db:
            used, _ = db.status(apsw.SQLITE_DBSTATUS_CACHE_USED)
        assert 28e6 < used < 36e6
        sink.close()
