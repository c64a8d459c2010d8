"""A report goes out whole, whether or not it can be kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from waybill.blobs.local import LocalBlobs
from waybill.engine.report_copy import keeping
from waybill.engine.report_parts import ReportParts
from waybill.errors import StorageFull
from waybill.model.artifact import Artifact, ArtifactKind
from waybill.system import SystemClock, SystemIds
from waybill.testing.sample_jobs import make_new_job

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECES = [b"one\n", b"two\n", b"three\n"]


class KeptArtifacts:
    """The one method of a store that is called."""

    def __init__(self) -> None:
        self.added: list[Artifact] = []

    def add_artifact(self, artifact: Artifact) -> Artifact:
        self.added.append(artifact)
        return artifact


class FullAfter(LocalBlobs):
    """Takes so many writes, then none."""

    writes = 0

    def create(self, name: Any, *, durable: bool = True) -> Any:  # noqa: ANN401
        if self.writes < 0:
            raise StorageFull("the disk is full")
        writer = super().create(name, durable=durable)
        written = writer.write

        def write(data: bytes) -> None:
            if self.writes == 0:
                writer.discard()
                raise StorageFull("the disk is full")
            self.writes -= 1
            written(data)

        writer.write = write
        return writer


def parts(blobs: LocalBlobs, store: KeptArtifacts) -> ReportParts:
    clock: Any = SystemClock()
    return ReportParts(
        store=store,
        blobs=blobs,
        sink_for=lambda _: pytest.fail("no sink is asked"),
        open_reader=lambda *_: pytest.fail("no input is read"),
        clock=clock,
        ids=SystemIds(clock),
        scratch=Path("unused"),
        sandbox=lambda: pytest.fail("no cell is typed"),
    )


def send(tmp_path: Path, writes: int) -> tuple[list[bytes], KeptArtifacts, list[Path]]:
    blobs, store = FullAfter(tmp_path / "blobs"), KeptArtifacts()
    blobs.writes = writes
    job: Any = make_new_job()
    pieces: Iterator[bytes] = keeping(
        parts(blobs, store), job, ArtifactKind.REJECTIONS_CSV, iter(PIECES)
    )
    sent = list(pieces)
    files = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    return sent, store, files


def test_a_report_is_kept_once_it_was_sent_whole(tmp_path: Path) -> None:
    sent, store, files = send(tmp_path, 99)
    assert sent == PIECES
    assert [path.read_bytes() for path in files] == [b"".join(PIECES)]
    assert store.added[0].size_bytes == len(b"".join(PIECES))


@pytest.mark.parametrize("writes", [-1, 0, 1, 2])
def test_a_full_disk_keeps_nothing_and_sends_everything(tmp_path: Path, writes: int) -> None:
    sent, store, files = send(tmp_path, writes)
    assert sent == PIECES
    assert store.added == []
    assert files == []
