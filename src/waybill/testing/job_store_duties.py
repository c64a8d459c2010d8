"""Promises about rescue, lanes and retention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.model.artifact import ArtifactKind
from waybill.model.ids import BlobName
from waybill.model.job import AttemptEnd
from waybill.testing.sample_jobs import (
    BOOT,
    DEAD,
    PROJECT,
    NamedPresence,
    at,
    make_finish,
    make_lease,
    make_new_job,
)

if TYPE_CHECKING:
    from waybill.model.ids import JobId
    from waybill.testing.sample_jobs import CompleteJobStore


class DutyContract:
    """See ``JobStoreContract``."""

    def test_a_run_with_a_living_lease_is_not_stale(self, store: CompleteJobStore) -> None:
        _start(store)
        assert _stale(store) == []

    def test_a_run_whose_lease_is_over_is_stale(self, store: CompleteJobStore) -> None:
        job = _start(store)
        assert _stale(store, monotonic_seconds=1_000.0) == [job]

    def test_a_renewed_lease_is_not_stale(self, store: CompleteJobStore) -> None:
        job = _start(store)
        store.renew_leases({job: 1}, make_lease(until_seconds=2_000.0))
        assert _stale(store, monotonic_seconds=1_999.0) == []

    def test_a_run_of_another_boot_is_stale(self, store: CompleteJobStore) -> None:
        job = _start(store)
        assert _stale(store, boot_id="boot-2") == [job]

    def test_a_run_of_a_dead_process_is_stale_at_once(self, store: CompleteJobStore) -> None:
        store.add_job(make_new_job())
        (run,) = store.claim_jobs(make_lease(DEAD), at(1), limit=1)
        assert _stale(store) == [run.id]

    def test_a_stale_run_given_back_is_no_longer_stale(self, store: CompleteJobStore) -> None:
        job = _start(store)
        store.release_job(
            job, 1, end=AttemptEnd.LEASE_EXPIRED, detail="", now=at(2), not_before=None
        )
        assert _stale(store, monotonic_seconds=9_999.0) == []

    def test_jobs_that_do_not_run_are_not_stale(self, store: CompleteJobStore) -> None:
        job = _start(store)
        store.finish_job(job, 1, make_finish())
        store.add_job(make_new_job())
        assert _stale(store, boot_id="boot-2") == []

    def test_lanes_in_order_free_nothing(self, store: CompleteJobStore) -> None:
        for _ in range(2):
            store.add_job(make_new_job(lane="lane"))
        assert list(store.free_lanes()) == []

    def test_a_file_is_purgeable_once_its_job_is_old_enough(self, store: CompleteJobStore) -> None:
        job = _start(store)
        store.finish_job(job, 1, make_finish(finished_at=at(60)))
        kinds = [ArtifactKind.INPUT]
        assert list(store.purgeable(kinds, at(60), limit=9)) == []
        assert list(store.purgeable(kinds, at(61), limit=9)) == list(store.artifacts(job))
        assert list(store.purgeable(kinds, at(61), limit=0)) == []

    def test_a_file_of_another_kind_is_not_purgeable(self, store: CompleteJobStore) -> None:
        job = _start(store)
        store.finish_job(job, 1, make_finish())
        assert list(store.purgeable([ArtifactKind.SPOOL], at(99), limit=9)) == []

    def test_a_file_of_an_unfinished_job_is_not_purgeable(self, store: CompleteJobStore) -> None:
        _start(store)
        assert list(store.purgeable(list(ArtifactKind), at(9_999), limit=9)) == []

    def test_a_purged_file_keeps_its_size_and_hash(self, store: CompleteJobStore) -> None:
        job = _start(store)
        store.finish_job(job, 1, make_finish())
        (artifact,) = store.artifacts(job)
        store.mark_purged(artifact, at(100))
        store.mark_purged(artifact, at(200))
        (purged,) = store.artifacts(job)
        assert purged.purged_at == at(100)
        assert (purged.size_bytes, purged.sha256) == (artifact.size_bytes, artifact.sha256)
        assert list(store.purgeable([ArtifactKind.INPUT], at(999), limit=9)) == []

    def test_the_blob_of_an_input_is_referenced(self, store: CompleteJobStore) -> None:
        job = _start(store)
        (artifact,) = store.artifacts(job)
        assert store.is_referenced(artifact.blob)

    def test_an_unknown_blob_and_a_purged_one_are_not_referenced(
        self, store: CompleteJobStore
    ) -> None:
        job = _start(store)
        (artifact,) = store.artifacts(job)
        store.mark_purged(artifact, at(100))
        assert not store.is_referenced(artifact.blob)
        assert not store.is_referenced(BlobName("unknown"))

    def test_the_files_of_a_run_are_referenced_while_it_runs(self, store: CompleteJobStore) -> None:
        job = _start(store)
        spool = BlobName(f"runs/{job}/1/000000.arrow")
        report = BlobName(f"reports/{job}.1.ndjson")
        assert store.is_referenced(spool)
        assert store.is_referenced(report)
        store.finish_job(job, 1, make_finish())
        assert not store.is_referenced(spool)

    def test_an_empty_blob_name_refers_to_nothing(self, store: CompleteJobStore) -> None:
        _start(store)
        assert not store.is_referenced(BlobName(""))


def _start(store: CompleteJobStore) -> JobId:
    new = make_new_job()
    store.add_job(new)
    runs = store.claim_jobs(make_lease(), at(1), limit=9)
    assert new.id in {run.id for run in runs}
    assert store.find_job(PROJECT, new.id) in runs
    return new.id


def _stale(
    store: CompleteJobStore, *, boot_id: str = BOOT, monotonic_seconds: float = 1.0
) -> list[JobId]:
    runs = store.stale_runs(NamedPresence(), boot_id, monotonic_seconds)
    return [run.id for run in runs]
