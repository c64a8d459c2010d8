"""The rules that the database itself keeps, whatever statement comes."""

# ruff: noqa: S608 - statements made of this file's own constants

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import apsw
import pytest

from waybill.model.job import TRANSITIONS, Counts, JobState
from waybill.stores.sqlite.queries import QUERIES
from waybill.stores.sqlite.store import SqliteStore
from waybill.testing.sample_jobs import (
    PROJECT,
    at,
    make_finish,
    make_lease,
    make_new_job,
    make_progress,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from waybill.model.ids import JobId

RUNNING = "holder = 'h', boot_id = 'b', lease_until_seconds = 1"
AT_REST = "holder = NULL, boot_id = NULL, lease_until_seconds = NULL"
FINAL = f"{AT_REST}, finished_at = 5, phase = 'finished'"
FIELDS_OF = {
    JobState.BLOCKED: AT_REST,
    JobState.WAITING: f"{AT_REST}, epoch = epoch + 1",
    JobState.RUNNING: f"{RUNNING}, epoch = epoch + 1",
    JobState.SUCCEEDED: f"{FINAL}, outcome = 'complete', progress = 1",
    JobState.FAILED: f"{FINAL}, error_code = 'X'",
    JobState.CANCELED: FINAL,
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "jobs.db")
    yield made
    made.close()


@pytest.mark.parametrize(("before", "after"), list(product(JobState, JobState)))
def test_only_the_changes_of_state_in_the_table_are_possible(
    store: SqliteStore, before: JobState, after: JobState
) -> None:
    job = _job_in(store, before)
    statement = f"UPDATE jobs SET state = '{after}', {FIELDS_OF[after]} WHERE id = '{job}'"
    if after in TRANSITIONS[before] or (before is after and not before.is_final):
        _run(store, statement)
        assert _state(store, job) is after
    else:
        with pytest.raises(apsw.ConstraintError):
            _run(store, statement)
        assert _state(store, job) is before


@pytest.mark.parametrize("state", [state for state in JobState if not TRANSITIONS[state]])
@pytest.mark.parametrize("column", ["rate = 1", "records_read = 0", "cancel_requested = 1"])
def test_nothing_of_a_final_job_changes(store: SqliteStore, state: JobState, column: str) -> None:
    job = _job_in(store, state)
    with pytest.raises(apsw.ConstraintError):
        _run(store, f"UPDATE jobs SET {column} WHERE id = '{job}'")


@pytest.mark.parametrize(
    "change",
    [
        "progress = 0.1",
        "epoch = 0",
        "cancel_requested = 0",
        "progress = 1",
        "progress = 2",
        "records_read = -1",
        "options = '{}'",
        "descriptor_sha256 = zeroblob(32)",
        "lane = 'other'",
        "state = 'waiting', holder = NULL, boot_id = NULL, lease_until_seconds = NULL",
        "holder = NULL",
        "outcome = 'complete'",
        "finished_at = 5",
        "phase = 'finished'",
        "phase = 'asleep'",
    ],
)
def test_a_running_job_does_not_take_what_would_break_a_rule(
    store: SqliteStore, change: str
) -> None:
    job = _job_in(store, JobState.RUNNING)
    store.save_progress(job, 1, make_progress(progress=0.5))
    store.request_cancel(PROJECT, job, at(2))
    with pytest.raises(apsw.ConstraintError):
        _run(store, f"UPDATE jobs SET {change} WHERE id = '{job}'")


@pytest.mark.parametrize("state", ["running", "succeeded"])
def test_a_job_does_not_begin_in_the_middle(store: SqliteStore, state: str) -> None:
    job = _job_in(store, JobState.WAITING)
    columns = "kind, project, entity, phase, options, descriptor_sha256, dialect, dialect_data"
    with pytest.raises(apsw.ConstraintError):
        _run(
            store,
            f"INSERT INTO jobs (id, external_id, lane, state, credential, created_at, changed_at,"
            f" {columns}, holder, boot_id, lease_until_seconds)"
            f" SELECT 'new', 'new', '', '{state}', '', 1, 1, {columns}, 'h', 'b', 1"
            f" FROM jobs WHERE id = '{job}'",
        )


def test_two_jobs_of_a_lane_are_never_active_together(store: SqliteStore) -> None:
    store.add_job(make_new_job(lane="lane"))
    second = store.add_job(make_new_job(lane="lane"))
    with pytest.raises(apsw.ConstraintError):
        _run(store, f"UPDATE jobs SET state = 'waiting' WHERE id = '{second.id}'")


def test_every_change_of_state_is_an_event_numbered_per_job(store: SqliteStore) -> None:
    first = store.add_job(make_new_job(lane="lane"))
    second = store.add_job(make_new_job(lane="lane"))
    store.claim_jobs(make_lease(), at(1), limit=9)
    store.save_progress(first.id, 1, make_progress())
    store.finish_job(first.id, 1, make_finish(finished_at=at(60)))
    micro = 1_000_000
    start = _run(store, "SELECT created_at FROM jobs LIMIT 1")[0][0]
    assert _events(store, first.id) == [
        (1, start, None, "waiting", 0),
        (2, start + micro, "waiting", "running", 1),
        (3, start + 60 * micro, "running", "succeeded", 1),
    ]
    assert _events(store, second.id) == [
        (1, start, None, "blocked", 0),
        (2, start + 60 * micro, "blocked", "waiting", 0),
    ]


@pytest.mark.parametrize("statement", ["DELETE FROM events", "UPDATE events SET at = 0"])
def test_events_are_never_changed(store: SqliteStore, statement: str) -> None:
    store.add_job(make_new_job())
    with pytest.raises(apsw.ConstraintError):
        _run(store, statement)


def test_a_lane_left_behind_is_freed_by_the_duty(store: SqliteStore) -> None:
    first, second, third = (store.add_job(make_new_job(lane="lane")) for _ in range(3))
    _run(store, f"UPDATE jobs SET state = 'canceled', {FINAL} WHERE id = '{first.id}'")
    assert list(store.free_lanes()) == [second.id]
    assert _state(store, second.id) is JobState.WAITING
    assert _state(store, third.id) is JobState.BLOCKED
    assert list(store.free_lanes()) == []


def test_a_descriptor_is_stored_once(store: SqliteStore) -> None:
    for _ in range(3):
        store.add_job(make_new_job(descriptor='{"name": "same"}'))
    assert _run(store, "SELECT count(*) FROM descriptors") == [(1,)]


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("claim_jobs", "jobs_waiting"),
        ("find_claimable", "jobs_waiting"),
        ("find_oldest_waiting", "jobs_waiting"),
        ("free_lane", "jobs_in_lanes"),
        ("list_jobs", "jobs_by_project"),
        ("list_leases", "jobs_by_state"),
        ("list_purgeable", "artifacts_unpurged"),
        ("count_jobs", "jobs_by_state"),
        ("forget_keys", "keys_by_age"),
    ],
)
def test_a_statement_over_many_jobs_uses_its_index(
    store: SqliteStore, name: str, index: str
) -> None:
    plan = _plan(store, name)
    assert index in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("name", ["find_job", "find_job_by_external_id", "find_principal"])
def test_a_hot_read_is_one_search_by_key(store: SqliteStore, name: str) -> None:
    plan = _plan(store, name)
    assert plan.count("SEARCH") == 1
    assert "SCAN" not in plan


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_every_statement_says_first_what_it_does_and_is_one_that_runs(
    store: SqliteStore, name: str
) -> None:
    assert QUERIES[name].startswith("-- ")
    assert _plan(store, name) or name.startswith(("add_", "answer_"))


def test_the_conservation_law_is_named_where_it_is_broken(store: SqliteStore) -> None:
    job = _job_in(store, JobState.RUNNING)
    with pytest.raises(ValueError, match="conservation_law"):
        store.finish_job(job, 1, make_finish(counts=Counts(read=1)))


def _job_in(store: SqliteStore, state: JobState) -> JobId:
    """A job that came to a state by statements of the store."""
    if state is JobState.BLOCKED:
        first = store.add_job(make_new_job(lane="lane"))
        job = store.add_job(make_new_job(lane="lane")).id
        _run(store, f"UPDATE jobs SET state = 'canceled', {FINAL} WHERE id = '{first.id}'")
        return job
    job = store.add_job(make_new_job(lane="")).id
    if state is JobState.WAITING:
        return job
    store.claim_jobs(make_lease(), at(1), limit=1)
    if state is not JobState.RUNNING:
        _run(store, f"UPDATE jobs SET state = '{state}', {FIELDS_OF[state]} WHERE id = '{job}'")
    return job


def _run(store: SqliteStore, statement: str) -> Sequence[tuple[object, ...]]:
    return store._database.write(lambda writer: writer.execute(statement).fetchall())


def _state(store: SqliteStore, job: JobId) -> JobState | None:
    found = store.find_job(PROJECT, job)
    return found.state if found else None


def _events(store: SqliteStore, job: JobId) -> Sequence[tuple[object, ...]]:
    return _run(
        store,
        f"SELECT number, at, state_before, state, epoch FROM events WHERE job = '{job}'"
        " ORDER BY number",
    )


class _Nulls(dict[str, None]):
    def __missing__(self, name: str) -> None:
        return None


def _plan(store: SqliteStore, name: str) -> str:
    statement = QUERIES[name]
    parameters = (None,) * statement.count("?") or _Nulls()
    explain = f"EXPLAIN QUERY PLAN {statement}"
    rows = store._database.read(lambda reader: reader.execute(explain, parameters).fetchall())
    return " / ".join(row[3] for row in rows)
