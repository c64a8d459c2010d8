"""What a sink that recognises a file must do besides; see ``queryable_sink_contract``."""

from __future__ import annotations

from dataclasses import replace

import pytest

from waybill.errors import Fenced
from waybill.model.ids import ProjectName
from waybill.model.job import Counts
from waybill.ports.sink import Receipt, RepeatingSink
from waybill.testing.queryable_sink_contract import QueryableSinkContract
from waybill.testing.sample_chunks import ITEMS, PROJECT, TAGGED, chunk_of, sink_job
from waybill.testing.sink_contract import OpenSink  # noqa: TC001 - pytest reads it

_RECEIPT = Receipt(fingerprint="this file", note="what to say of it")


class RepeatingSinkContract(QueryableSinkContract):
    """The promises of ``RepeatingSink``."""

    @pytest.fixture
    def stocked(self, open_sink: OpenSink) -> RepeatingSink:
        """A sink with two records of a whole file in two chunks."""
        sink = open_sink()
        assert isinstance(sink, RepeatingSink)
        job = replace(sink_job("first", whole_file=True), receipt=_RECEIPT)
        sink.begin(job)
        sink.apply(job, 0, chunk_of(("a", "Apple")))
        sink.apply(job, 1, chunk_of(("b", "Bread")))
        sink.seal(job)
        return sink

    def test_a_file_that_is_stored_is_repeated_as_unchanged(self, stocked: RepeatingSink) -> None:
        version = stocked.version(PROJECT, ITEMS)
        job = sink_job("second", whole_file=True)
        stocked.begin(job)
        assert stocked.receipt_note(PROJECT, ITEMS, _RECEIPT.fingerprint) == _RECEIPT.note
        assert stocked.repeat(job, _RECEIPT)
        read = [(each.chunk, list(each.records)) for each in stocked.results(sink_job("first").id)]
        repeated = list(stocked.results(job.id))
        assert [(each.chunk, list(each.records)) for each in repeated] == read
        assert {each.outcomes for each in repeated} == {b"N"}
        assert stocked.seal(job) == Counts(read=2, unchanged=2)
        assert len(self.stored(stocked)) == 2
        assert stocked.version(PROJECT, ITEMS) == version

    def test_a_repeated_file_is_recognised_once_its_first_job_is_forgotten(
        self, stocked: RepeatingSink
    ) -> None:
        job = replace(sink_job("second", whole_file=True), receipt=_RECEIPT)
        stocked.begin(job)
        stocked.repeat(job, _RECEIPT)
        stocked.seal(job)
        stocked.forget(sink_job("first").id)
        assert _repeats(stocked)

    def test_what_was_abandoned_can_be_read_after_all(self, stocked: RepeatingSink) -> None:
        job = sink_job("second", whole_file=True)
        stocked.begin(job)
        stocked.repeat(job, _RECEIPT)
        stocked.abandon(job.id)
        stocked.begin(job)
        assert stocked.apply(job, 0, chunk_of(("c", "Corn"))).outcomes == b"C"
        assert stocked.seal(job) == Counts(read=1, created=1)

    def test_only_the_very_file_is_recognised(self, stocked: RepeatingSink) -> None:
        other = ProjectName("other")
        assert not _repeats(stocked, replace(_RECEIPT, fingerprint="another file"))
        assert not _repeats(stocked, replace(_RECEIPT, note="what another one has left since"))
        for stranger in (sink_job("x", entity=TAGGED), sink_job("y", project=other)):
            stocked.begin(replace(stranger, whole_file=True))
            assert not stocked.repeat(stranger, _RECEIPT)
            note = stocked.receipt_note(stranger.project, stranger.entity, _RECEIPT.fingerprint)
            assert note is None
        assert _repeats(stocked)

    @pytest.mark.parametrize("whole_file", [False, True])
    def test_nothing_is_recognised_once_a_record_has_changed(
        self, stocked: RepeatingSink, *, whole_file: bool
    ) -> None:
        job = sink_job("second", whole_file=whole_file)
        stocked.begin(job)
        stocked.apply(job, 0, chunk_of(("a", "Ale")))
        stocked.seal(job)
        assert not _repeats(stocked)

    def test_nothing_is_recognised_once_its_outcomes_are_forgotten(
        self, stocked: RepeatingSink
    ) -> None:
        stocked.forget(sink_job("first").id)
        assert not _repeats(stocked)

    def test_a_job_that_is_sealed_or_taken_over_repeats_nothing(
        self, stocked: RepeatingSink
    ) -> None:
        with pytest.raises(Fenced):
            stocked.repeat(sink_job("first", whole_file=True), _RECEIPT)
        stocked.begin(sink_job("second", whole_file=True, epoch=2))
        with pytest.raises(Fenced):
            stocked.repeat(sink_job("second", whole_file=True), _RECEIPT)


def _repeats(sink: RepeatingSink, receipt: Receipt = _RECEIPT) -> bool:
    """Whether one more job of the file is recognised; it changes nothing."""
    job = sink_job(f"asking for {receipt.fingerprint}, {receipt.note}", whole_file=True)
    sink.begin(job)
    is_repeated = sink.repeat(job, receipt)
    sink.abandon(job.id)
    return is_repeated
