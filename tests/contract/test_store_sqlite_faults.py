"""A disk that fails, and a process that dies, at the Nth call."""

from __future__ import annotations

import subprocess
import sys
from itertools import count
from typing import TYPE_CHECKING

import pytest

from waybill.stores.sqlite.store import SqliteStore
from waybill.testing.sample_jobs import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.strace

PROGRAM = """
import sys
from pathlib import Path
from waybill.errors import StorageFull
from waybill.stores.sqlite.store import SqliteStore
from waybill.testing.sample_jobs import make_new_job
store = SqliteStore(Path(sys.argv[1]) / "jobs.db")
for _ in range(int(sys.argv[2])):
    new = make_new_job()
    try:
        store.add_job(new)
        print("stored", new.id, flush=True)
    except StorageFull:
        print("refused", new.id, flush=True)
store.close()
"""


@pytest.mark.parametrize(
    "fault",
    [
        "fdatasync:error=EIO:when=4",
        "fdatasync:error=EIO:when=4..6",
        "pwrite64:error=ENOSPC:when=9..30",
        "pwrite64:error=EIO:when=12",
    ],
)
def test_a_failing_disk_refuses_some_jobs_and_loses_none(tmp_path: Path, fault: str) -> None:
    SqliteStore(tmp_path / "jobs.db").close()
    stored, refused = _run(tmp_path, fault, jobs=6)
    assert len(stored) + len(refused) == 6
    assert refused
    assert _present(tmp_path, stored) == stored
    assert _present(tmp_path, refused) == set()


def test_a_kill_at_any_sync_loses_no_acknowledged_job(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "jobs.db").close()
    for number in count(1):
        stored, _ = _run(tmp_path, f"fdatasync:signal=KILL:when={number}", jobs=2)
        assert _present(tmp_path, stored) == stored
        if len(stored) == 2:
            break
    assert number > 2


def _run(folder: Path, fault: str, *, jobs: int) -> tuple[set[str], set[str]]:
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={fault}"]
    traced = ["-e", f"trace={fault.partition(':')[0]}"]
    program = [sys.executable, "-c", PROGRAM, str(folder), str(jobs)]
    done = subprocess.run(
        [*strace, *traced, *program], check=False, stdout=subprocess.PIPE, text=True
    )
    words = [line.split() for line in done.stdout.splitlines()]
    return (
        {job for what, job in words if what == "stored"},
        {job for what, job in words if what == "refused"},
    )


def _present(folder: Path, jobs: set[str]) -> set[str]:
    store = SqliteStore(folder / "jobs.db")
    try:
        assert store._database.read(lambda reader: reader.pragma("integrity_check")) == "ok"
        return {job for job in jobs if store.find_job(PROJECT, job) is not None}
    finally:
        store.close()
