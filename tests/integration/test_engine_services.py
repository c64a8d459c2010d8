"""The heartbeat, the worker's ends and the background duties, over a real store in a file."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from waybill.blobs.local import LocalBlobs
from waybill.engine.heartbeat import Heartbeat
from waybill.engine.runs.control import RunCanceled, RunControl, RunReleased
from waybill.engine.services.base import run_duty
from waybill.engine.services.orphans import Orphans
from waybill.engine.services.reconciler import Reconciler
from waybill.engine.services.retention import Retention
from waybill.engine.services.scratch import Scratch
from waybill.engine.worker import SIZES, Worker, pause_seconds
from waybill.errors import Fenced, NotFound, StorageFull, StoreUnavailable
from waybill.model.artifact import ArtifactKind
from waybill.model.ids import BlobName, HolderId, JobId
from waybill.model.job import AttemptEnd, InputFile, JobKind, JobState
from waybill.model.upload import Upload, UploadUsage
from waybill.stores.sqlite.store import SqliteStore
from waybill.testing.sample_jobs import (
    BOOT,
    DEAD,
    LIVE,
    PROJECT,
    NamedPresence,
    at,
    make_finish,
    make_lease,
    make_new_job,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from waybill.model.entity import Entity
    from waybill.model.job import Job
    from waybill.ports.job_store import Lease
    from waybill.ports.sink import Sink


@dataclass(slots=True)
class OwnedClock:
    """A clock that stands still until it is told."""

    seconds: float = 0.0
    boot_id: str = BOOT

    def now(self) -> datetime:
        return at(self.seconds)

    def monotonic_seconds(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass(slots=True)
class SilentDispatcher:
    """Counts hints; nobody waits."""

    work: int = 0
    changes: list[JobId] = field(default_factory=list)

    def hint_work(self) -> None:
        self.work += 1

    def hint_change(self, *jobs: JobId) -> None:
        self.changes.extend(jobs)

    def wait_for_work(self, timeout_seconds: float) -> None:
        raise AssertionError(timeout_seconds)

    def wait_for_changes(self, timeout_seconds: float) -> list[JobId]:
        raise AssertionError(timeout_seconds)

    def wake(self) -> None:
        self.work += 1

    def close(self) -> None:
        self.work = 0


class LostStore:
    """A database that does not answer."""

    def renew_leases(self, runs: Mapping[JobId, int], lease: Lease) -> Mapping[JobId, bool]:
        raise StoreUnavailable(f"{len(runs)} runs, {lease.holder}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "jobs.sqlite")
    yield made
    made.close()


def started(store: SqliteStore, holder: HolderId = LIVE, **changes: Any) -> JobId:  # noqa: ANN401 - any field of NewJob
    new = make_new_job(**changes)
    store.add_job(new)
    (run,) = store.claim_jobs(make_lease(holder), at(1), limit=1)
    assert run.id == new.id
    return new.id


def job_of(store: SqliteStore, job: JobId) -> Job:
    found = store.find_job(PROJECT, job)
    assert found is not None
    return found


def heartbeat(store: SqliteStore | LostStore, clock: OwnedClock) -> Heartbeat:
    renewing: Any = store
    return Heartbeat(renewing, clock, NamedPresence(), lease_seconds=30, interval_seconds=5)


def test_a_beat_extends_the_lease_and_brings_a_cancel(store: SqliteStore) -> None:
    clock = OwnedClock(10)
    beat = heartbeat(store, clock)
    job = job_of(store, started(store))
    with beat.holding(job, make_lease(until_seconds=30)) as control:
        beat.beat()
        control.check()
        store.request_cancel(PROJECT, job.id, at(2))
        beat.beat()
        with pytest.raises(RunCanceled):
            control.check()
    assert store.stale_runs(NamedPresence(), BOOT, 39) == []
    assert [j.id for j in store.stale_runs(NamedPresence(), BOOT, 41)] == [job.id]


def test_a_run_that_another_attempt_owns_is_told_so(store: SqliteStore) -> None:
    beat = heartbeat(store, OwnedClock())
    job = job_of(store, started(store))
    with beat.holding(job, make_lease()) as control:
        store.release_job(
            job.id, job.epoch, end=AttemptEnd.CRASHED, detail="", now=at(3), not_before=None
        )
        beat.beat()
        with pytest.raises(Fenced):
            control.check()


def test_a_run_stops_before_a_lease_that_cannot_be_renewed_ends(store: SqliteStore) -> None:
    clock = OwnedClock(0)
    beat = heartbeat(LostStore(), clock)
    job = job_of(store, started(store))
    with beat.holding(job, make_lease(until_seconds=30)) as control:
        clock.seconds = 20
        beat.beat()
        control.check()
        clock.seconds = 25
        beat.beat()
        with pytest.raises(Fenced):
            control.check()


def test_a_stop_lets_the_run_give_its_job_back(store: SqliteStore) -> None:
    beat = heartbeat(store, OwnedClock())
    with beat.holding(job_of(store, started(store)), make_lease()) as control:
        beat.request_stop()
        with pytest.raises(RunReleased):
            control.check()


def test_a_cancel_waits_for_rows_that_an_earlier_attempt_applied() -> None:
    control = RunControl()
    control.cancel_requested.set()
    control.check(may_cancel=False)
    with pytest.raises(RunCanceled):
        control.check()


def reconciler(
    store: SqliteStore,
    dispatcher: SilentDispatcher,
    attempts: int,
    serving_since: datetime | None = None,
) -> Reconciler:
    return Reconciler(
        runs=store,
        duties=store,
        presence=NamedPresence(),
        clock=OwnedClock(5),
        dispatcher=dispatcher,
        max_attempts=attempts,
        backoff_seconds=5,
        serving_since=serving_since,
        interval_seconds=2,
    )


def test_the_run_of_a_dead_process_goes_back_to_the_queue_at_once(store: SqliteStore) -> None:
    dispatcher = SilentDispatcher()
    job = started(store, DEAD)
    assert reconciler(store, dispatcher, attempts=5).run_once() == 1
    found = job_of(store, job)
    assert (found.state, found.not_before) == (JobState.WAITING, None)
    assert store.attempts(job)[0].end is AttemptEnd.CRASHED
    assert (dispatcher.work, dispatcher.changes) == (1, [job])
    assert reconciler(store, dispatcher, attempts=5).run_once() == 0


def test_a_later_rescue_waits_and_a_spent_job_fails(store: SqliteStore) -> None:
    dispatcher = SilentDispatcher()
    job = started(store, DEAD)
    duty = reconciler(store, dispatcher, attempts=3)
    duty.run_once()
    store.claim_jobs(make_lease(DEAD), at(6), limit=1)
    duty.run_once()
    assert job_of(store, job).not_before == at(10)
    store.claim_jobs(make_lease(DEAD), at(11), limit=1)
    duty.run_once()
    found = job_of(store, job)
    assert (found.state, found.error and found.error.code) == (JobState.FAILED, "ATTEMPTS_SPENT")


def test_a_run_that_went_down_with_the_whole_server_costs_no_attempt(store: SqliteStore) -> None:
    job = started(store, DEAD)
    for number in range(9):
        duty = reconciler(store, SilentDispatcher(), attempts=2, serving_since=at(number + 5))
        assert duty.run_once() == 1
        found = job_of(store, job)
        assert (found.state, found.not_before) == (JobState.WAITING, None)
        store.claim_jobs(make_lease(DEAD), at(number + 5.5), limit=1)
    alone = reconciler(store, SilentDispatcher(), attempts=2, serving_since=at(5))
    alone.run_once()
    assert store.attempts(job)[-1].end is AttemptEnd.CRASHED


def test_working_files_go_once_nothing_of_their_name_lives(
    store: SqliteStore, tmp_path: Path
) -> None:
    running = started(store)
    scratch = tmp_path / "scratch"
    names = (running, "holder-dead", "job-that-ended", "young")
    for name in names:
        (scratch / name / "1").mkdir(parents=True)
    clock = OwnedClock(7200)
    for path in scratch.iterdir():
        os.utime(path, (at(0).timestamp(), at(0).timestamp()))
    os.utime(scratch / "young", (at(7000).timestamp(), at(7000).timestamp()))
    duty = Scratch(
        duties=store,
        presence=NamedPresence(gone={HolderId(name) for name in names}),
        clock=clock,
        folder=scratch,
        grace_seconds=3600,
        interval_seconds=600,
    )
    assert duty.run_once() == 2
    assert {path.name for path in scratch.iterdir()} == {running, "young"}


def test_a_graceful_stop_is_no_crash(store: SqliteStore) -> None:
    job = started(store)
    for number in range(4):
        run = job_of(store, job)
        store.release_job(
            job, run.epoch, end=AttemptEnd.RELEASED, detail="", now=at(number), not_before=None
        )
        store.claim_jobs(make_lease(DEAD), at(number), limit=1)
    reconciler(store, SilentDispatcher(), attempts=2).run_once()
    assert job_of(store, job).state is JobState.WAITING


def test_pauses_double_after_the_first_crash() -> None:
    assert [pause_seconds(crashes, 5) for crashes in (1, 2, 3, 4)] == [0, 5, 10, 20]


class BrokenParts:
    """Parts whose every use is a bug, but for the store and the clock."""

    def __init__(self, store: SqliteStore, clock: OwnedClock) -> None:
        self.store = store
        self.clock = clock


def broken_worker(store: SqliteStore, attempts: int) -> Worker:
    clock = OwnedClock(5)
    parts: Any = BrokenParts(store, clock)
    return Worker(
        parts, SilentDispatcher(), heartbeat(store, clock), max_attempts=attempts, backoff_seconds=0
    )


def test_a_bug_costs_one_job_its_attempts_and_not_the_worker(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    new = make_new_job()
    store.add_job(new)
    worker = broken_worker(store, attempts=2)
    with caplog.at_level(logging.ERROR):
        assert worker.run_once()
        assert job_of(store, new.id).state is JobState.WAITING
        assert worker.run_once()
    failure = job_of(store, new.id).error
    assert failure is not None
    assert failure.code == "ATTEMPTS_SPENT"
    assert [record.message for record in caplog.records] == ["run_failed", "run_failed"]
    assert not worker.run_once()


class FullParts:
    """Parts over a disk that takes nothing."""

    def __init__(self, store: SqliteStore, clock: OwnedClock) -> None:
        self.store = store
        self.clock = clock

    def sink_for(self, _entity: Entity) -> Sink:
        raise StorageFull("the disk is full")


def test_a_full_disk_puts_a_job_off_longer_each_time(store: SqliteStore) -> None:
    new, clock = make_new_job(descriptor='{"fields": [{"name": "code"}]}'), OwnedClock(5)
    store.add_job(new)
    parts: Any = FullParts(store, clock)
    worker = Worker(
        parts, SilentDispatcher(), heartbeat(store, clock), max_attempts=1, backoff_seconds=5
    )
    pauses = []
    for _ in range(6):
        assert worker.run_once()
        waiting = job_of(store, new.id)
        assert waiting.state is JobState.WAITING
        assert waiting.not_before is not None
        pauses.append((waiting.not_before - clock.now()).total_seconds())
        clock.seconds += pauses[-1]
    assert pauses == [5, 10, 20, 40, 60, 60]


def test_small_jobs_are_claimed_apart_from_large_ones(store: SqliteStore) -> None:
    new = make_new_job()
    store.add_job(new)
    worker = broken_worker(store, attempts=1)
    assert not worker.run_once(SIZES["large"])
    assert worker.run_once(SIZES["small"])


def stored(blobs: LocalBlobs, name: str) -> BlobName:
    writer = blobs.create(BlobName(name))
    writer.write(b"id\n1\n")
    return writer.commit()


def make_retention(store: SqliteStore, blobs: LocalBlobs, clock: OwnedClock) -> Retention:
    return Retention(
        duties=store,
        uploads=store,
        blobs=blobs,
        clock=clock,
        input_days=7,
        report_days=30,
        key_hours=24,
        interval_seconds=600,
    )


def test_an_input_is_purged_when_its_days_are_over(store: SqliteStore, tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "blobs")
    clock = OwnedClock(60)
    job = started(store)
    (artifact,) = store.artifacts(job)
    stored(blobs, artifact.blob)
    store.finish_job(job, 1, make_finish())
    duty = make_retention(store, blobs, clock)
    assert duty.run_once() == 0
    clock.seconds = timedelta(days=7, minutes=2).total_seconds()
    assert duty.run_once() == 1
    (purged,) = store.artifacts(job)
    assert purged.kind is ArtifactKind.INPUT
    assert purged.purged_at is not None
    assert purged.sha256 == artifact.sha256
    assert not is_stored(blobs, artifact.blob)
    assert job_of(store, job).counts.read == 10


@pytest.mark.parametrize("is_taken", [False, True])
def test_an_upload_goes_when_its_time_is_over_and_its_bytes_with_their_last_job(
    store: SqliteStore, tmp_path: Path, *, is_taken: bool
) -> None:
    blobs = LocalBlobs(tmp_path / "blobs")
    clock = OwnedClock(0)
    blob = stored(blobs, "uploads/1")
    file = InputFile(blob=blob, name="a.csv", media_type="", size_bytes=5, sha256="0" * 64)
    upload = Upload(
        id="upl-1", project=PROJECT, name="a.csv", created_at=at(0), expires_at=at(3600)
    )
    store.add_upload(upload, most=UploadUsage(pending=9, stored_bytes=99))
    store.keep_upload(
        PROJECT, upload.id, file, now=at(1), expires_at=at(10 * 86_400), most_bytes=99
    )
    if is_taken:
        new = make_new_job(input=file, kind=JobKind.TRANSFORM)
        store.add_job(new)
        [job] = store.claim_jobs(make_lease(), at(2), limit=1)
        store.finish_job(job.id, job.epoch, make_finish())
    duty = make_retention(store, blobs, clock)
    clock.seconds = timedelta(days=8).total_seconds()
    assert duty.run_once() == 0
    assert is_stored(blobs, blob)
    clock.seconds = timedelta(days=11).total_seconds()
    assert duty.run_once() == 1 + is_taken
    assert store.find_upload(PROJECT, upload.id, at(2)) is None
    assert not is_stored(blobs, blob)


def test_only_files_that_nothing_points_at_are_orphans(store: SqliteStore, tmp_path: Path) -> None:
    ages = [0.0]
    blobs = LocalBlobs(tmp_path / "blobs", now_seconds=lambda: 4_000_000_000.0 + ages[0])
    job = started(store)
    (artifact,) = store.artifacts(job)
    kept = stored(blobs, artifact.blob)
    spool = stored(blobs, f"runs/{job}/1/000000.arrow")
    lost = stored(blobs, "inputs/nobody")
    duty = Orphans(duties=store, blobs=blobs, grace_seconds=3600, interval_seconds=600)
    assert duty.run_once() == 1
    assert [is_stored(blobs, name) for name in (kept, spool, lost)] == [True, True, False]


def is_stored(blobs: LocalBlobs, name: BlobName) -> bool:
    try:
        return blobs.size(name) >= 0
    except NotFound:
        return False


class BrokenDuty:
    """Fails whenever it runs."""

    name = "broken"
    interval_seconds = 1.0

    def run_once(self) -> int:
        raise ValueError(self.name)


def test_a_duty_that_fails_is_logged_and_leaves_the_runner_alive(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run_duty(BrokenDuty())
    assert [record.message for record in caplog.records] == ["duty_failed"]
