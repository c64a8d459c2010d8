"""Promises about runs: one owner, rising epochs, checkpoints that never go back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from waybill.errors import Fenced
from waybill.model.artifact import Artifact, ArtifactKind
from waybill.model.ids import BlobName
from waybill.model.job import (
    Attempt,
    AttemptEnd,
    Counts,
    JobError,
    JobKind,
    JobState,
    Outcome,
    Phase,
)
from waybill.testing.sample_jobs import (
    DEAD,
    LIVE,
    OTHER_PROJECT,
    PROJECT,
    at,
    make_finish,
    make_lease,
    make_new_job,
    make_progress,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from waybill.model.job import Job
    from waybill.testing.sample_jobs import CompleteJobStore


class RunContract:
    """See ``JobStoreContract``."""

    def test_a_claimed_job_runs_under_a_new_epoch(self, store: CompleteJobStore) -> None:
        job = store.add_job(make_new_job())
        (run,) = store.claim_jobs(make_lease(), at(1), limit=5)
        assert (run.id, run.state, run.epoch) == (job.id, JobState.RUNNING, 1)
        assert (run.started_at, run.phase) == (at(1), Phase.CHECKING)
        assert store.find_job(PROJECT, job.id) == run

    def test_jobs_are_claimed_oldest_first_up_to_the_limit(self, store: CompleteJobStore) -> None:
        added = [store.add_job(make_new_job()).id for _ in range(5)]
        claimed = [
            [run.id for run in store.claim_jobs(make_lease(), at(1), limit=2)] for _ in range(4)
        ]
        assert claimed == [added[:2], added[2:4], added[4:], []]

    def test_jobs_of_all_projects_are_claimed(self, store: CompleteJobStore) -> None:
        store.add_job(make_new_job())
        store.add_job(make_new_job(project=OTHER_PROJECT))
        assert len(store.claim_jobs(make_lease(), at(1), limit=5)) == 2

    def test_a_blocked_job_is_not_claimed(self, store: CompleteJobStore) -> None:
        for _ in range(2):
            store.add_job(make_new_job(lane="lane"))
        assert len(store.claim_jobs(make_lease(), at(1), limit=5)) == 1

    def test_every_claim_is_an_attempt(self, store: CompleteJobStore) -> None:
        run = _start(store)
        assert list(store.attempts(run.id)) == [Attempt(epoch=1, worker=LIVE, started_at=at(1))]

    def test_a_job_that_must_rest_is_claimed_when_its_time_has_come(
        self, store: CompleteJobStore
    ) -> None:
        run = _start(store)
        _release(store, run, not_before=at(100))
        assert list(store.claim_jobs(make_lease(), at(99), limit=1)) == []
        (again,) = store.claim_jobs(make_lease(), at(100), limit=1)
        assert (again.id, again.not_before) == (run.id, None)

    def test_a_resting_job_does_not_hold_up_the_others(self, store: CompleteJobStore) -> None:
        run = _start(store)
        _release(store, run, not_before=at(100))
        other = store.add_job(make_new_job())
        (claimed,) = store.claim_jobs(make_lease(), at(50), limit=1)
        assert claimed.id == other.id

    def test_a_lease_is_renewed_for_the_owner_only(self, store: CompleteJobStore) -> None:
        run, other = _start(store), _start(store)
        renewed = store.renew_leases({run.id: 1, other.id: 9}, make_lease())
        assert dict(renewed) == {run.id: False}
        assert dict(store.renew_leases({}, make_lease())) == {}

    def test_a_renewal_tells_of_a_cancel(self, store: CompleteJobStore) -> None:
        run = _start(store)
        store.request_cancel(PROJECT, run.id, at(2))
        assert store.renew_leases({run.id: 1}, make_lease())[run.id]

    def test_progress_is_stored(self, store: CompleteJobStore) -> None:
        run = _start(store)
        counts = Counts(read=9, created=3, rejected=2, written=1)
        asked = store.save_progress(
            run.id,
            run.epoch,
            make_progress(
                phase=Phase.APPLYING,
                progress=0.5,
                counts=counts,
                rate=123.5,
                eta_seconds=4.25,
                format_facts={"delimiter": ";"},
            ),
        )
        job = _find(store, run)
        assert not asked
        assert (job.phase, job.progress, job.counts) == (Phase.APPLYING, 0.5, counts)
        assert (job.rate, job.eta_seconds) == (123.5, 4.25)
        assert job.format_facts == {"delimiter": ";"}

    def test_progress_never_falls(self, store: CompleteJobStore) -> None:
        run = _start(store)
        for value in (0.5, 0.25):
            store.save_progress(run.id, run.epoch, make_progress(progress=value))
        assert _find(store, run).progress == 0.5

    def test_progress_is_whole_only_at_the_end(self, store: CompleteJobStore) -> None:
        run = _start(store)
        store.save_progress(run.id, run.epoch, make_progress(progress=1.0))
        assert _find(store, run).progress < 1
        store.finish_job(run.id, run.epoch, make_finish())
        assert _find(store, run).progress == 1

    def test_progress_without_facts_keeps_the_known_ones(self, store: CompleteJobStore) -> None:
        run = _start(store)
        store.save_progress(run.id, run.epoch, make_progress(format_facts={"a": [1]}))
        store.save_progress(run.id, run.epoch, make_progress())
        assert _find(store, run).format_facts == {"a": [1]}

    def test_saving_progress_tells_of_a_cancel(self, store: CompleteJobStore) -> None:
        run = _start(store)
        store.request_cancel(PROJECT, run.id, at(2))
        assert store.save_progress(run.id, run.epoch, make_progress())

    def test_a_job_given_back_waits_under_a_higher_epoch(self, store: CompleteJobStore) -> None:
        run = _start(store)
        _release(store, run, end=AttemptEnd.CRASHED, detail="signal 9")
        job = _find(store, run)
        assert (job.state, job.phase, job.epoch) == (JobState.WAITING, Phase.QUEUED, 2)
        (attempt,) = store.attempts(run.id)
        assert (attempt.end, attempt.detail, attempt.ended_at) == (
            AttemptEnd.CRASHED,
            "signal 9",
            at(5),
        )

    def test_a_job_keeps_its_progress_and_start_over_attempts(
        self, store: CompleteJobStore
    ) -> None:
        run = _start(store)
        store.save_progress(run.id, run.epoch, make_progress(progress=0.75))
        _release(store, run)
        (again,) = store.claim_jobs(make_lease(), at(9), limit=1)
        assert (again.progress, again.started_at, again.epoch) == (0.75, at(1), 3)
        assert [attempt.epoch for attempt in store.attempts(run.id)] == [1, 3]

    @pytest.mark.parametrize("write", ["progress", "finish", "release"])
    @pytest.mark.parametrize("meanwhile", ["released", "claimed", "finished"])
    def test_what_another_attempt_owns_cannot_be_written(
        self, store: CompleteJobStore, write: str, meanwhile: str
    ) -> None:
        run = _start(store)
        _overtake(store, run, meanwhile)
        before = (_find(store, run), store.attempts(run.id))
        with pytest.raises(Fenced):
            _WRITES[write](store, run)
        assert (_find(store, run), store.attempts(run.id)) == before
        assert not store.renew_leases({run.id: run.epoch}, make_lease())

    def test_jobs_that_end_are_added_up(self, store: CompleteJobStore) -> None:
        for _ in range(2):
            run = _start(store)
            counts = Counts(read=5, created=2, rejected=1, skipped=2)
            spent = {Phase.CHECKING: 0.25, Phase.APPLYING: 0.5}
            store.finish_job(run.id, run.epoch, make_finish(counts=counts, phase_seconds=spent))
        waiting = store.add_job(make_new_job())
        store.request_cancel(PROJECT, waiting.id, at(2))
        assert store.queue_stats(at(3)).tallies == {
            "records": {"created": 4, "rejected": 2, "skipped": 4},
            "jobs": {"succeeded": 2, "canceled": 1},
            "phase_seconds": {"checking": 0.5, "applying": 1.0},
        }

    def test_what_does_not_end_a_job_is_not_added_up(self, store: CompleteJobStore) -> None:
        run = _start(store)
        with pytest.raises(ValueError, match="conservation_law"):
            store.finish_job(run.id, run.epoch, make_finish(counts=Counts(read=1)))
        _release(store, run)
        with pytest.raises(Fenced):
            store.finish_job(run.id, run.epoch, make_finish())
        assert store.queue_stats(at(3)).tallies == {}

    def test_a_finished_job_has_all_it_ended_with(self, store: CompleteJobStore) -> None:
        run = _start(store)
        counts = Counts(
            read=28,
            created=1,
            updated=2,
            unchanged=3,
            deleted=4,
            removed=5,
            rejected=6,
            skipped=7,
            unprocessed=5,
            written=8,
        )
        warnings = ({"code": "UNKNOWN_COLUMN", "count": 2},)
        store.finish_job(
            run.id,
            run.epoch,
            make_finish(
                outcome=Outcome.PARTIAL,
                counts=counts,
                warnings=warnings,
                format_facts={"encoding": "utf-8"},
            ),
        )
        job = _find(store, run)
        assert (job.state, job.outcome, job.phase) == (
            JobState.SUCCEEDED,
            Outcome.PARTIAL,
            Phase.FINISHED,
        )
        assert (job.counts, job.warnings, job.finished_at) == (counts, warnings, at(60))
        assert job.format_facts == {"encoding": "utf-8"}
        assert (job.error, job.eta_seconds) == (None, None)
        (attempt,) = store.attempts(run.id)
        assert (attempt.end, attempt.ended_at) == (AttemptEnd.FINISHED, at(60))

    def test_a_failed_job_says_why_and_keeps_its_progress(self, store: CompleteJobStore) -> None:
        run = _start(store)
        store.save_progress(run.id, run.epoch, make_progress(progress=0.5))
        error = JobError(code="FILE_REFUSED", message="Broken.", line=3, byte=70, column=9)
        finish = make_finish(
            state=JobState.FAILED,
            outcome=None,
            error=error,
            counts=Counts(),
            end=AttemptEnd.CRASHED,
            detail="three times",
        )
        store.finish_job(run.id, run.epoch, finish)
        job = _find(store, run)
        assert (job.state, job.error, job.progress) == (JobState.FAILED, error, 0.5)
        (attempt,) = store.attempts(run.id)
        assert (attempt.end, attempt.detail) == (AttemptEnd.CRASHED, "three times")

    def test_a_canceled_run_ends_its_attempt_as_canceled(self, store: CompleteJobStore) -> None:
        run = _start(store)
        store.finish_job(run.id, run.epoch, make_finish(state=JobState.CANCELED, outcome=None))
        assert _find(store, run).state is JobState.CANCELED
        assert store.attempts(run.id)[0].end is AttemptEnd.CANCELED

    @pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED])
    def test_an_import_whose_counts_do_not_add_up_does_not_end(
        self, store: CompleteJobStore, state: JobState
    ) -> None:
        run = _start(store)
        finish = make_finish(
            state=state,
            outcome=Outcome.COMPLETE if state is JobState.SUCCEEDED else None,
            error=JobError(code="X", message="X"),
            counts=Counts(read=10, created=9),
        )
        with pytest.raises(ValueError, match="cannot end"):
            store.finish_job(run.id, run.epoch, finish)
        assert _find(store, run).state is JobState.RUNNING

    def test_an_export_counts_what_it_wrote(self, store: CompleteJobStore) -> None:
        run = _start(store, kind=JobKind.EXPORT)
        store.finish_job(run.id, 1, make_finish(counts=Counts(read=10, written=9)))
        assert _find(store, run).counts.written == 9

    def test_a_run_does_not_end_in_a_state_that_is_not_final(self, store: CompleteJobStore) -> None:
        run = _start(store)
        with pytest.raises(ValueError, match="end"):
            store.finish_job(run.id, run.epoch, make_finish(state=JobState.WAITING, outcome=None))

    def test_the_files_of_a_finished_job_are_stored_with_its_end(
        self, store: CompleteJobStore
    ) -> None:
        run = _start(store)
        artifact = Artifact(
            job=run.id,
            project=PROJECT,
            kind=ArtifactKind.REJECTIONS,
            blob=BlobName("rejections"),
            size_bytes=3,
            sha256="2" * 64,
            created_at=at(60),
        )
        store.finish_job(run.id, run.epoch, make_finish(artifacts=(artifact,)))
        kinds = {stored.kind: stored for stored in store.artifacts(run.id)}
        assert kinds[ArtifactKind.REJECTIONS] == artifact
        assert ArtifactKind.INPUT in kinds

    def test_the_end_of_a_job_frees_exactly_the_next_of_its_lane(
        self, store: CompleteJobStore
    ) -> None:
        jobs = [store.add_job(make_new_job(lane="lane")) for _ in range(3)]
        store.add_job(make_new_job(lane="lane", project=OTHER_PROJECT))
        (run, _) = store.claim_jobs(make_lease(), at(1), limit=9)
        freed = store.finish_job(run.id, run.epoch, make_finish())
        assert list(freed) == [jobs[1].id]
        assert [_find(store, job).state for job in jobs[1:]] == [
            JobState.WAITING,
            JobState.BLOCKED,
        ]

    def test_runs_end_together_and_a_lost_one_is_left_out(self, store: CompleteJobStore) -> None:
        kept, lost = _start(store), _start(store)
        freed = store.finish_jobs(
            {kept.id: (kept.epoch, make_finish()), lost.id: (lost.epoch - 1, make_finish())}
        )
        assert freed == {kept.id: []}
        assert _find(store, kept).state is JobState.SUCCEEDED
        assert _find(store, lost).state is JobState.RUNNING

    def test_of_runs_that_end_together_none_does_where_counts_do_not_add_up(
        self, store: CompleteJobStore
    ) -> None:
        good, bad = _start(store), _start(store)
        with pytest.raises(ValueError, match="cannot end"):
            store.finish_jobs(
                {
                    good.id: (good.epoch, make_finish()),
                    bad.id: (bad.epoch, make_finish(counts=Counts(read=1))),
                }
            )
        assert _find(store, good).state is JobState.RUNNING

    def test_a_lane_runs_in_order_of_acceptance(self, store: CompleteJobStore) -> None:
        jobs = [store.add_job(make_new_job(lane="lane")).id for _ in range(3)]
        ran = []
        for _ in jobs:
            (run,) = store.claim_jobs(make_lease(), at(1), limit=9)
            store.finish_job(run.id, run.epoch, make_finish())
            ran.append(run.id)
        assert ran == jobs

    def test_a_job_given_back_keeps_its_place_in_its_lane(self, store: CompleteJobStore) -> None:
        jobs = [store.add_job(make_new_job(lane="lane")).id for _ in range(2)]
        (run,) = store.claim_jobs(make_lease(DEAD), at(1), limit=9)
        _release(store, run)
        (again,) = store.claim_jobs(make_lease(), at(9), limit=9)
        assert again.id == jobs[0]


def _start(store: CompleteJobStore, kind: JobKind = JobKind.IMPORT) -> Job:
    new = make_new_job(kind=kind)
    store.add_job(new)
    (run,) = store.claim_jobs(make_lease(), at(1), limit=1)
    assert run.id == new.id
    return run


def _find(store: CompleteJobStore, job: Job) -> Job:
    found = store.find_job(job.project, job.id)
    assert found is not None
    return found


def _release(
    store: CompleteJobStore,
    run: Job,
    *,
    end: AttemptEnd = AttemptEnd.RELEASED,
    detail: str = "",
    not_before: datetime | None = None,
) -> None:
    store.release_job(run.id, run.epoch, end=end, detail=detail, now=at(5), not_before=not_before)


def _overtake(store: CompleteJobStore, run: Job, meanwhile: str) -> None:
    if meanwhile == "finished":
        store.finish_job(run.id, run.epoch, make_finish())
        return
    _release(store, run)
    if meanwhile == "claimed":
        assert len(store.claim_jobs(make_lease(), at(9), limit=1)) == 1


_WRITES: dict[str, Callable[[CompleteJobStore, Job], object]] = {
    "progress": lambda store, run: store.save_progress(run.id, run.epoch, make_progress()),
    "finish": lambda store, run: store.finish_job(run.id, run.epoch, make_finish()),
    "release": _release,
}
