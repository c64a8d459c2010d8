"""Promises about accepting, finding, listing and canceling jobs."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from waybill.errors import RequestInvalid, StateConflict
from waybill.model.artifact import Artifact, ArtifactKind
from waybill.model.ids import BlobName, JobId
from waybill.model.job import AttemptEnd, Counts, JobKind, JobState, Phase
from waybill.model.options import ImportOptions, OnDuplicate, Operation
from waybill.ports.job_store import JobFilter
from waybill.testing.sample_jobs import (
    OTHER_PROJECT,
    PROJECT,
    START,
    at,
    make_finish,
    make_lease,
    make_new_job,
)

if TYPE_CHECKING:
    from waybill.testing.sample_jobs import CompleteJobStore


class JobContract:
    """See ``JobStoreContract``."""

    def test_an_accepted_job_is_waiting_and_has_all_it_was_given(
        self, store: CompleteJobStore
    ) -> None:
        options = ImportOptions(
            operation=Operation.UPDATE, on_duplicate=OnDuplicate.LAST, max_error_ratio=0.5
        )
        new = make_new_job(options=options, client_ref="ref", dialect_data='{"a": 1}')
        job = store.add_job(new)
        assert (job.state, job.phase, job.epoch, job.progress) == (
            JobState.WAITING,
            Phase.QUEUED,
            0,
            0,
        )
        assert job.counts == Counts()
        for name in {field.name for field in fields(new)} - {"idempotency_key"}:
            assert getattr(job, name) == getattr(new, name), name
        assert (job.started_at, job.finished_at, job.not_before, job.error) == (None,) * 4
        assert not job.cancel_requested

    def test_a_job_is_found_as_it_was_accepted(self, store: CompleteJobStore) -> None:
        job = store.add_job(make_new_job())
        assert store.find_job(PROJECT, job.id) == job

    def test_whose_transform_an_id_is_can_be_told_to_all(self, store: CompleteJobStore) -> None:
        for kind, name in ((JobKind.TRANSFORM, "4711"), (JobKind.IMPORT, "4712")):
            store.add_job(make_new_job(kind=kind, external_id=name, project=OTHER_PROJECT))
        assert store.find_transform_owner("4711") == OTHER_PROJECT
        assert store.find_transform_owner("4712") is None
        assert store.find_transform_owner("4713") is None

    def test_a_job_is_found_by_its_external_id(self, store: CompleteJobStore) -> None:
        job = store.add_job(make_new_job(external_id="4711"))
        assert store.find_job(PROJECT, "4711") == job

    def test_a_job_of_another_project_is_not_found(self, store: CompleteJobStore) -> None:
        job = store.add_job(make_new_job(external_id="4711"))
        assert store.find_job(OTHER_PROJECT, job.id) is None
        assert store.find_job(OTHER_PROJECT, "4711") is None

    def test_an_unknown_job_is_not_found(self, store: CompleteJobStore) -> None:
        assert store.find_job(PROJECT, "no-such-job") is None

    def test_a_job_without_input_has_no_file(self, store: CompleteJobStore) -> None:
        job = store.add_job(make_new_job(kind=JobKind.EXPORT, input=None))
        assert job.input is None
        assert list(store.artifacts(job.id)) == []

    def test_sequences_rise_in_order_of_acceptance(self, store: CompleteJobStore) -> None:
        sequences = [store.add_job(make_new_job()).sequence for _ in range(3)]
        assert sequences == sorted(set(sequences))

    def test_an_id_is_taken_once(self, store: CompleteJobStore) -> None:
        job = store.add_job(make_new_job())
        with pytest.raises(StateConflict):
            store.add_job(make_new_job(id=job.id))

    def test_an_external_id_is_taken_once_in_a_project(self, store: CompleteJobStore) -> None:
        store.add_job(make_new_job(external_id="1"))
        store.add_job(make_new_job(external_id="1", project=OTHER_PROJECT))
        with pytest.raises(StateConflict):
            store.add_job(make_new_job(external_id="1"))

    def test_the_input_becomes_an_artifact(self, store: CompleteJobStore) -> None:
        new = make_new_job()
        store.add_job(new)
        (artifact,) = store.artifacts(new.id)
        assert new.input is not None
        assert (artifact.kind, artifact.blob) == (ArtifactKind.INPUT, new.input.blob)
        assert (artifact.size_bytes, artifact.sha256) == (42, new.input.sha256)
        assert (artifact.project, artifact.purged_at) == (PROJECT, None)

    def test_a_later_job_of_a_lane_is_blocked(self, store: CompleteJobStore) -> None:
        states = [store.add_job(make_new_job(lane="lane")).state for _ in range(3)]
        assert states == [JobState.WAITING, JobState.BLOCKED, JobState.BLOCKED]

    def test_lanes_of_two_projects_do_not_meet(self, store: CompleteJobStore) -> None:
        store.add_job(make_new_job(lane="lane"))
        other = store.add_job(make_new_job(lane="lane", project=OTHER_PROJECT))
        assert other.state is JobState.WAITING

    def test_an_empty_lane_never_blocks(self, store: CompleteJobStore) -> None:
        states = {store.add_job(make_new_job(lane="")).state for _ in range(2)}
        assert states == {JobState.WAITING}

    def test_a_lane_whose_jobs_are_over_does_not_block(self, store: CompleteJobStore) -> None:
        store.add_job(make_new_job(lane="lane"))
        (run,) = store.claim_jobs(make_lease(), at(1), limit=1)
        store.finish_job(run.id, run.epoch, make_finish())
        assert store.add_job(make_new_job(lane="lane")).state is JobState.WAITING

    def test_jobs_are_listed_newest_first_in_pages(self, store: CompleteJobStore) -> None:
        added = [store.add_job(make_new_job()).id for _ in range(5)]
        first = store.list_jobs(PROJECT, JobFilter(), cursor="", limit=3)
        assert first.next is not None
        second = store.list_jobs(PROJECT, JobFilter(), cursor=first.next, limit=3)
        assert [job.id for job in (*first.jobs, *second.jobs)] == added[::-1]
        assert second.next is None

    def test_a_page_that_is_just_full_is_the_last(self, store: CompleteJobStore) -> None:
        store.add_job(make_new_job())
        assert store.list_jobs(PROJECT, JobFilter(), cursor="", limit=1).next is None

    def test_jobs_accepted_while_paging_do_not_move_the_pages(
        self, store: CompleteJobStore
    ) -> None:
        older = store.add_job(make_new_job()).id
        store.add_job(make_new_job())
        first = store.list_jobs(PROJECT, JobFilter(), cursor="", limit=1)
        store.add_job(make_new_job())
        assert first.next is not None
        second = store.list_jobs(PROJECT, JobFilter(), cursor=first.next, limit=1)
        assert [job.id for job in second.jobs] == [older]

    def test_jobs_of_another_project_are_not_listed(self, store: CompleteJobStore) -> None:
        store.add_job(make_new_job(project=OTHER_PROJECT))
        assert list(store.list_jobs(PROJECT, JobFilter(), cursor="", limit=9).jobs) == []

    @pytest.mark.parametrize("cursor", ["x", "!", "am9iczp4", "am9iczoxCg", "ä", "am9iczotMQ"])
    def test_a_foreign_cursor_is_refused(self, store: CompleteJobStore, cursor: str) -> None:
        with pytest.raises(RequestInvalid):
            store.list_jobs(PROJECT, JobFilter(), cursor=cursor, limit=1)

    @pytest.mark.parametrize(
        "wanted",
        [
            JobFilter(states=frozenset({JobState.WAITING, JobState.FAILED})),
            JobFilter(kind=JobKind.IMPORT),
            JobFilter(entity="airport"),
            JobFilter(client_ref="mine"),
            JobFilter(dialect="tao"),
            JobFilter(credential="cred-2"),
            JobFilter(created_after=START),
            JobFilter(created_before=at(11)),
            JobFilter(entity="airport", client_ref="mine", created_after=START),
        ],
    )
    def test_a_filter_keeps_what_it_names(self, store: CompleteJobStore, wanted: JobFilter) -> None:
        lower = wanted.created_before is None
        unlike = make_new_job(
            kind=JobKind.EXPORT, entity="route", created_at=START if lower else at(11)
        )
        store.add_job(unlike)
        store.request_cancel(PROJECT, unlike.id, at(1))
        mine = {"client_ref": "mine", "dialect": "tao", "credential": "cred-2"}
        kept = store.add_job(make_new_job(**mine, created_at=at(10)))
        page = store.list_jobs(PROJECT, wanted, cursor="", limit=9)
        assert [job.id for job in page.jobs] == [kept.id]

    def test_a_second_artifact_of_a_kind_gives_the_first(self, store: CompleteJobStore) -> None:
        job = store.add_job(make_new_job())
        first = store.add_artifact(_report(job.id, "first"))
        second = store.add_artifact(_report(job.id, "second"))
        assert first == second == _report(job.id, "first")
        assert first in store.artifacts(job.id)

    def test_a_job_that_waits_is_canceled_at_once(self, store: CompleteJobStore) -> None:
        job = store.add_job(make_new_job())
        canceled = store.request_cancel(PROJECT, job.id, at(5))
        assert canceled is not None
        assert (canceled.state, canceled.finished_at) == (JobState.CANCELED, at(5))
        assert canceled.phase is Phase.FINISHED
        assert canceled.error is not None
        assert list(store.claim_jobs(make_lease(), at(6), limit=9)) == []

    def test_a_blocked_job_is_canceled_at_once(self, store: CompleteJobStore) -> None:
        store.add_job(make_new_job(lane="lane"))
        second = store.add_job(make_new_job(lane="lane"))
        third = store.add_job(make_new_job(lane="lane"))
        canceled = store.request_cancel(PROJECT, second.id, at(5))
        assert canceled is not None
        assert canceled.state is JobState.CANCELED
        assert _state(store, third.id) is JobState.BLOCKED

    def test_canceling_the_first_of_a_lane_frees_the_second_only(
        self, store: CompleteJobStore
    ) -> None:
        first, second, third = (store.add_job(make_new_job(lane="lane")) for _ in range(3))
        store.request_cancel(PROJECT, first.id, at(5))
        assert _state(store, second.id) is JobState.WAITING
        assert _state(store, third.id) is JobState.BLOCKED

    def test_a_running_job_is_asked_to_stop(self, store: CompleteJobStore) -> None:
        job = store.add_job(make_new_job())
        store.claim_jobs(make_lease(), at(1), limit=1)
        asked = store.request_cancel(PROJECT, job.id, at(5))
        assert asked is not None
        assert (asked.state, asked.cancel_requested) == (JobState.RUNNING, True)

    def test_a_job_given_back_is_closed_by_a_run_that_may_start_at_once(
        self, store: CompleteJobStore
    ) -> None:
        job = store.add_job(make_new_job())
        store.claim_jobs(make_lease(), at(1), limit=1)
        store.release_job(
            job.id, 1, end=AttemptEnd.STORAGE, detail="", now=at(2), not_before=at(900)
        )
        asked = store.request_cancel(PROJECT, job.id, at(5))
        assert asked is not None
        assert (asked.state, asked.cancel_requested) == (JobState.WAITING, True)
        (run,) = store.claim_jobs(make_lease(), at(6), limit=1)
        assert run.cancel_requested

    def test_canceling_a_final_job_changes_nothing(self, store: CompleteJobStore) -> None:
        job = store.add_job(make_new_job())
        store.claim_jobs(make_lease(), at(1), limit=1)
        store.finish_job(job.id, 1, make_finish())
        final = store.find_job(PROJECT, job.id)
        assert store.request_cancel(PROJECT, job.id, at(70)) == final

    def test_canceling_a_job_of_another_project_gives_none(self, store: CompleteJobStore) -> None:
        job = store.add_job(make_new_job())
        assert store.request_cancel(OTHER_PROJECT, job.id, at(5)) is None
        assert store.request_cancel(PROJECT, JobId("no-such-job"), at(5)) is None
        assert _state(store, job.id) is JobState.WAITING

    def test_the_queue_of_an_empty_store_is_empty(self, store: CompleteJobStore) -> None:
        stats = store.queue_stats(START)
        assert sum(stats.jobs_by_state.values()) == 0
        assert stats.oldest_waiting_seconds == 0

    def test_queue_stats_count_every_project(self, store: CompleteJobStore) -> None:
        store.add_job(make_new_job(created_at=at(10)))
        store.add_job(make_new_job(lane="lane", project=OTHER_PROJECT, created_at=at(4)))
        store.add_job(make_new_job(lane="lane", project=OTHER_PROJECT, created_at=at(5)))
        stats = store.queue_stats(at(14))
        assert stats.jobs_by_state[JobState.WAITING] == 2
        assert stats.jobs_by_state[JobState.BLOCKED] == 1
        assert stats.oldest_waiting_seconds == 10


def _report(job: JobId, blob: str) -> Artifact:
    return Artifact(
        job=job,
        project=PROJECT,
        kind=ArtifactKind.REJECTIONS_CSV,
        blob=BlobName(blob),
        size_bytes=7,
        sha256="1" * 64,
        created_at=at(99),
    )


def _state(store: CompleteJobStore, job: JobId) -> JobState | None:
    found = store.find_job(PROJECT, job)
    return found.state if found else None
