"""The base of a team's own sink: what it does where rows and ledger part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from waybill.errors import JobFailed, StoreUnavailable
from waybill.model.job import Counts
from waybill.model.options import Operation
from waybill.ports.sink import Sink
from waybill.sinks.ledger_sink import LedgerSink
from waybill.testing.sample_chunks import EVENTS, chunk_of, sink_job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa

    from waybill.ports.sink import SinkJob

ROWS = chunk_of(("a", "Apple"), ("b", "Bread"))


class ListSink(LedgerSink):
    """Keeps what it is given in a list, and answers with ``answer``."""

    def __init__(self, directory: Path, answer: Callable[[], bytes]) -> None:
        super().__init__(directory, busy_timeout_seconds=0.05)
        self.answer = answer
        self.given: list[object] = []

    def write(self, job: SinkJob, rows: pa.Table) -> bytes:
        self.given.append((job.epoch, rows.column("_key").to_pylist()))
        return self.answer()


def test_it_is_a_sink(tmp_path: Path) -> None:
    assert isinstance(ListSink(tmp_path, bytes), Sink)


def test_rows_whose_mark_was_lost_are_given_again(tmp_path: Path) -> None:
    answers = iter((OSError("no route"), b"CC"))

    def answer() -> bytes:
        found = next(answers)
        if isinstance(found, OSError):
            raise found
        return found

    sink = ListSink(tmp_path, answer)
    sink.begin(sink_job())
    with pytest.raises(StoreUnavailable):
        sink.apply(sink_job(), 0, ROWS)
    assert list(sink.results(sink_job().id)) == []
    assert sink.apply(sink_job(), 0, ROWS).outcomes == b"CC"
    assert sink.given == [(1, ["a", "b"])] * 2


def test_a_marked_chunk_is_not_given_again(tmp_path: Path) -> None:
    sink = ListSink(tmp_path, lambda: b"CN")
    sink.begin(sink_job())
    for epoch in (1, 2):
        assert sink.apply(sink_job(epoch=epoch), 0, ROWS, seals=True).outcomes == b"CN"
    assert len(sink.given) == 1
    assert sink.seal(sink_job(epoch=2)) == Counts(read=2, created=1, unchanged=1)


def test_no_attempt_begins_while_the_rows_of_an_older_one_are_written(tmp_path: Path) -> None:
    later = ListSink(tmp_path, bytes)

    def answer() -> bytes:
        with pytest.raises(StoreUnavailable):
            later.begin(sink_job(epoch=2))
        return b"CC"

    sink = ListSink(tmp_path, answer)
    sink.begin(sink_job())
    sink.apply(sink_job(), 0, ROWS)
    later.begin(sink_job(epoch=2))


@pytest.mark.parametrize("answer", [b"C", b"CCC", b"CX"])
def test_outcomes_that_do_not_fit_the_rows_stop_the_job(tmp_path: Path, answer: bytes) -> None:
    sink = ListSink(tmp_path, lambda: answer)
    sink.begin(sink_job())
    with pytest.raises(JobFailed):
        sink.apply(sink_job(), 0, ROWS)
    assert list(sink.results(sink_job().id)) == []


def test_a_whole_file_is_refused_by_a_sink_that_cannot_publish_one(tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match="atomicity"):
        ListSink(tmp_path, bytes).begin(sink_job(whole_file=True))


def test_what_is_refused_is_told_by_its_operation(tmp_path: Path) -> None:
    sink = ListSink(tmp_path, lambda: b"RRR")
    sink.begin(sink_job(operation=Operation.DELETE))
    rows = chunk_of(("a", ""), ("b", ""), ("c", ""), actions=["insert", None, "upsert"])
    result = sink.apply(sink_job(operation=Operation.DELETE), 0, rows)
    assert [each.code for each in result.refusals] == [
        "KEY_EXISTS",
        "KEY_NOT_FOUND",
        "SINK_REFUSED",
    ]


def test_what_has_no_key_is_refused_by_the_sink(tmp_path: Path) -> None:
    class Deaf(LedgerSink):
        def write(self, _job: SinkJob, rows: pa.Table) -> bytes:
            return b"R" * rows.num_rows

    sink, job = Deaf(tmp_path), sink_job(entity=EVENTS, operation=Operation.DELETE)
    sink.begin(job)
    rows = chunk_of(("open", 1), fields=("kind", "size"), entity=EVENTS)
    assert [each.code for each in sink.apply(job, 0, rows).refusals] == ["SINK_REFUSED"]
