from __future__ import annotations

from threading import BoundedSemaphore
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

from waybill.blobs.local import LocalBlobs
from waybill.engine import transforms
from waybill.engine.transforming import TransformParts
from waybill.engine.transforms import Transforms
from waybill.errors import ContentInvalid, RateExceeded
from waybill.model.transform import ToolFacts, ToolOptions, TransformTerms
from waybill.testing.edge import CountingIds, StillClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TERMS = TransformTerms(tool="copy", options=ToolOptions())


class Copying:
    """A tool that takes so many seconds."""

    tools = {"copy": ToolFacts(suffixes=(".txt",), output=".txt")}  # noqa: RUF012 - nobody changes it

    def __init__(self, clock: StillClock) -> None:
        self.clock = clock
        self.seconds = 0.0

    def run(
        self,
        _tool: str,
        source: BinaryIO,
        target: BinaryIO,
        _options: ToolOptions,
        while_running: Callable[[int], None],
    ) -> None:
        self.clock.sleep(self.seconds)
        while_running(1)
        target.write(source.read())


@pytest.fixture
def tool() -> Copying:
    return Copying(StillClock())


@pytest.fixture
def made(tool: Copying, tmp_path: Path) -> Transforms:
    blobs = LocalBlobs(tmp_path / "blobs")
    reports: Any = SimpleNamespace(blobs=blobs, ids=CountingIds(), clock=tool.clock)
    transformer: Any = tool
    nobody: Any = None
    return Transforms(
        reports=reports,
        parts=TransformParts(blobs=blobs, transformer=transformer, scratch=tmp_path),
        fetcher=nobody,
        dispatcher=nobody,
        turns=BoundedSemaphore(1),
    )


def test_nobody_waits_longer_than_is_promised(made: Transforms, tool: Copying) -> None:
    tool.seconds = transforms.AT_ONCE_SECONDS - 1
    assert made.run_now(TERMS, b"abc").size_bytes == 3
    tool.seconds = transforms.AT_ONCE_SECONDS + 1
    with pytest.raises(ContentInvalid, match="send it as a file or url") as refused:
        made.run_now(TERMS, b"abc")
    assert refused.value.code == "PAYLOAD_TOO_LARGE"


def test_too_many_at_once_come_again_later(
    made: Transforms, tool: Copying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transforms, "TURN_SECONDS", 0.01)
    with made.turns, pytest.raises(RateExceeded):
        made.run_now(TERMS, b"abc")
    tool.seconds = transforms.AT_ONCE_SECONDS + 1
    with pytest.raises(ContentInvalid):
        made.run_now(TERMS, b"abc")
    tool.seconds = 0
    assert made.run_now(TERMS, b"abc").is_text
