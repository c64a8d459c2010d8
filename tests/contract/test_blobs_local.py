from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from waybill.blobs.local import LocalBlobs
from waybill.errors import StorageFull
from waybill.model.ids import BlobName
from waybill.testing.blobs_contract import BlobsContract

if TYPE_CHECKING:
    from pathlib import Path

NAME = BlobName("acme/jobs/0001/input")


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "blobs")


class TestLocalBlobs(BlobsContract):
    pass


def test_files_and_folders_are_open_to_their_owner_only(tmp_path: Path, blobs: LocalBlobs) -> None:
    blobs.create(NAME).commit()
    modes = {
        stat.S_IMODE(path.stat().st_mode)
        for path in (tmp_path / "blobs").rglob("*")
        if path.is_dir()
    }
    assert modes == {0o700}
    assert stat.S_IMODE((tmp_path / "blobs" / NAME).stat().st_mode) == 0o600


def test_age_is_measured_by_the_clock_handed_in(tmp_path: Path) -> None:
    now = 1_000_000.0
    blobs = LocalBlobs(tmp_path, now_seconds=lambda: now)
    blobs.create(NAME).commit()
    os.utime(tmp_path / NAME, (now - 100, now - 100))
    assert list(blobs.names_older_than(100)) == [NAME]
    assert list(blobs.names_older_than(101)) == []


def test_folders_that_become_empty_are_removed(tmp_path: Path, blobs: LocalBlobs) -> None:
    blobs.create(NAME).commit()
    blobs.delete(NAME)
    (top,) = (tmp_path / "blobs").iterdir()
    assert list(top.iterdir()) == []


def test_a_blob_whose_tree_is_deleted_while_it_is_written_fails_as_storage(
    tmp_path: Path, blobs: LocalBlobs
) -> None:
    writer = blobs.create(NAME)
    blobs.delete_tree("acme")
    with pytest.raises(StorageFull):
        writer.commit()
    assert list((tmp_path / "blobs").rglob("*")) == []


def test_a_file_too_large_for_the_system_leaves_nothing(tmp_path: Path, blobs: LocalBlobs) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        writer = blobs.create(NAME)
        with pytest.raises(StorageFull, match=os.strerror(errno.EFBIG)):
            writer.write(b"x" * 20_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []
    writer.discard()


TRACED = """
import sys
from pathlib import Path
from waybill.blobs.local import LocalBlobs
blobs = LocalBlobs(Path(sys.argv[1]))
for name in sys.argv[3:]:
    writer = blobs.create(name, durable=sys.argv[2] == "durable")
    writer.write(b"abc")
    print("COMMIT", file=sys.stderr, flush=True)
    writer.commit()
    print("DONE", file=sys.stderr, flush=True)
"""


@pytest.mark.strace
def test_a_commit_syncs_file_then_name_then_every_folder(tmp_path: Path) -> None:
    (steps,) = steps_of_commits(tmp_path, "acme/one/input")
    assert steps[0].startswith("fsync")
    assert ".input." in steps[0]
    assert steps[1].startswith("rename")
    assert synced_folders(tmp_path, steps) == ["/blobs/acme/one", "/blobs/acme", "/blobs"]


@pytest.mark.strace
def test_the_root_is_synced_once_for_each_folder_in_it(tmp_path: Path) -> None:
    commits = steps_of_commits(tmp_path, "acme/first", "acme/second", "other/first")
    assert [synced_folders(tmp_path, steps) for steps in commits] == [
        ["/blobs/acme", "/blobs"],
        ["/blobs/acme"],
        ["/blobs/other", "/blobs"],
    ]


def steps_of_commits(tmp_path: Path, *names: str) -> list[list[str]]:
    """The renames and syncs of each commit, as strace shows them."""
    trace = tmp_path / "trace"
    command = ["strace", "-y", "-o", str(trace), "-e", "trace=fsync,rename,write"]
    program = [sys.executable, "-c", TRACED, str(tmp_path / "blobs"), "durable", *names]
    subprocess.run([*command, *program], check=True, capture_output=True)
    parts = [part.split("DONE")[0] for part in trace.read_text().split("COMMIT")[1:]]
    return [
        [line for line in part.splitlines() if line.startswith(("fsync", "rename"))]
        for part in parts
    ]


def synced_folders(tmp_path: Path, steps: list[str]) -> list[str]:
    """The folders that were synced after the rename."""
    return [step.split("<")[1].split(">")[0].removeprefix(str(tmp_path)) for step in steps[2:]]
