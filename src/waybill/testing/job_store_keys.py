"""Promises about Idempotency-Keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from waybill.errors import KeyInFlight
from waybill.model.ids import BlobName
from waybill.ports.job_store import KeyClaim
from waybill.testing.sample_jobs import (
    DEAD,
    LIVE,
    OTHER_PROJECT,
    PROJECT,
    START,
    NamedPresence,
    at,
    make_new_job,
)

if TYPE_CHECKING:
    from waybill.model.ids import HolderId, ProjectName
    from waybill.testing.sample_jobs import CompleteJobStore

FIRST_USE = KeyClaim(job=None, fingerprint="")


class KeyContract:
    """See ``JobStoreContract``."""

    def test_a_new_key_belongs_to_its_caller(self, store: CompleteJobStore) -> None:
        assert _claim(store) == FIRST_USE

    def test_a_key_in_use_by_a_living_process_is_in_flight(self, store: CompleteJobStore) -> None:
        _claim(store)
        with pytest.raises(KeyInFlight):
            _claim(store)

    def test_a_key_of_a_dead_process_is_taken_over(self, store: CompleteJobStore) -> None:
        _claim(store, DEAD)
        store.set_key_fingerprint(PROJECT, "key", "of the dead")
        assert _claim(store, LIVE) == FIRST_USE
        with pytest.raises(KeyInFlight):
            _claim(store, LIVE)

    def test_an_answered_key_gives_its_job_and_fingerprint(self, store: CompleteJobStore) -> None:
        _claim(store)
        store.set_key_fingerprint(PROJECT, "key", "abc")
        job = store.add_job(make_new_job(idempotency_key="key"))
        assert _claim(store) == KeyClaim(job=job.id, fingerprint="abc")

    def test_an_answered_key_of_a_dead_process_stays_answered(
        self, store: CompleteJobStore
    ) -> None:
        _claim(store, DEAD)
        job = store.add_job(make_new_job(idempotency_key="key"))
        assert _claim(store).job == job.id

    def test_keys_belong_to_a_project(self, store: CompleteJobStore) -> None:
        _claim(store)
        assert _claim(store, project=OTHER_PROJECT) == FIRST_USE

    def test_a_released_key_is_new_again(self, store: CompleteJobStore) -> None:
        _claim(store)
        store.release_key(PROJECT, "key")
        store.release_key(PROJECT, "key")
        assert _claim(store) == FIRST_USE

    def test_an_answered_key_is_not_released(self, store: CompleteJobStore) -> None:
        _claim(store)
        job = store.add_job(make_new_job(idempotency_key="key"))
        store.release_key(PROJECT, "key")
        assert _claim(store).job == job.id

    def test_a_key_answered_by_another_request_adds_no_second_job(
        self, store: CompleteJobStore
    ) -> None:
        _claim(store)
        first = store.add_job(make_new_job(idempotency_key="key"))
        late = make_new_job(idempotency_key="key")
        with pytest.raises(KeyInFlight):
            store.add_job(late)
        assert store.find_job(PROJECT, late.id) is None
        assert _claim(store).job == first.id

    def test_old_keys_are_forgotten(self, store: CompleteJobStore) -> None:
        _claim(store)
        store.add_job(make_new_job(idempotency_key="key"))
        assert store.forget_keys(START) == 0
        assert store.forget_keys(at(1)) == 1
        assert _claim(store) == FIRST_USE

    def test_every_blob_is_kept_while_a_request_is_about_to_add_its_job(
        self, store: CompleteJobStore
    ) -> None:
        blob = BlobName("some/blob")
        _claim(store)
        assert not store.is_referenced(blob)
        store.set_key_fingerprint(PROJECT, "key", "abc")
        assert store.is_referenced(blob)
        store.add_job(make_new_job(idempotency_key="key"))
        assert not store.is_referenced(blob)


def _claim(
    store: CompleteJobStore, holder: HolderId = LIVE, *, project: ProjectName = PROJECT
) -> KeyClaim:
    return store.claim_key(project, "key", holder, NamedPresence(), START)
