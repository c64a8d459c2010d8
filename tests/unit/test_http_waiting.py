"""Long polls."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from waybill.dialects import native
from waybill.model.ids import JobId
from waybill.model.job import JobState
from waybill.model.limits import Limits
from waybill.testing.edge import (
    TOKEN,
    Answer,
    EdgeBench,
    example_job,
    exchange,
    make_bench,
    make_scope,
)

HEADERS = {"host": "h", "authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def bench() -> EdgeBench:
    bench = make_bench({"waybill": native})
    bench.core.jobs_by_id["job-1"] = example_job()
    return bench


def finish(bench: EdgeBench) -> None:
    job = bench.core.jobs_by_id["job-1"]
    bench.core.jobs_by_id["job-1"] = replace(job, state=JobState.SUCCEEDED)
    bench.dispatcher.hint_change(JobId("job-1"))


async def held(bench: EdgeBench) -> None:
    """Return once a request waits for the job."""
    while not bench.app._waits._waiting:  # noqa: ASYNC110 - the edge announces this to nobody
        await asyncio.sleep(0)


async def poll(bench: EdgeBench, *, is_cut: bool = False) -> Answer:
    scope = make_scope("GET", "/v1/jobs/job-1?wait=30", HEADERS)
    return await exchange(bench.app, scope, [], is_cut=is_cut)


def test_a_wait_ends_when_the_job_does(bench: EdgeBench) -> None:
    async def scene() -> Answer:
        waiting = asyncio.create_task(poll(bench))
        await held(bench)
        assert not waiting.done()
        finish(bench)
        answer = await waiting
        bench.app.stop_waiting()
        return answer

    assert asyncio.run(scene()).json()["state"] == "succeeded"
    assert bench.app._waits._waiting == {}


def test_a_wait_for_a_finished_job_is_no_wait(bench: EdgeBench) -> None:
    finish(bench)
    assert bench.call("GET", "/v1/jobs/job-1?wait=30").json()["state"] == "succeeded"


def test_a_wait_ends_with_its_time() -> None:
    bench = make_bench({"waybill": native}, limits=Limits(wait_seconds=0))
    bench.core.jobs_by_id["job-1"] = example_job()
    assert bench.call("GET", "/v1/jobs/job-1?wait=0").json()["state"] == "waiting"


def test_a_wait_longer_than_published_is_refused(bench: EdgeBench) -> None:
    assert bench.call("GET", "/v1/jobs/job-1?wait=61").status == 400
    assert bench.call("GET", "/v1/jobs/job-1?wait=-1").status == 400


def test_a_stopping_server_answers_its_waits_at_once(bench: EdgeBench) -> None:
    async def scene() -> Answer:
        waiting = asyncio.create_task(poll(bench))
        await held(bench)
        bench.app.stop_waiting()
        return await waiting

    assert asyncio.run(scene()).json()["state"] == "waiting"


def test_a_client_that_goes_away_ends_its_wait(bench: EdgeBench) -> None:
    async def scene() -> Answer:
        answer = await poll(bench, is_cut=True)
        bench.app.stop_waiting()
        return answer

    assert asyncio.run(scene()).status == 0
    assert bench.app._waits._waiting == {}


def test_a_submission_may_wait_for_its_end(bench: EdgeBench) -> None:
    headers = {**HEADERS, "content-type": "text/csv", "prefer": "wait=20"}

    async def scene() -> Answer:
        scope = make_scope("POST", "/v1/jobs?entity=airports", headers)
        waiting = asyncio.create_task(exchange(bench.app, scope, [b"icao\n"]))
        await held(bench)
        finish(bench)
        answer = await waiting
        bench.app.stop_waiting()
        return answer

    answer = asyncio.run(scene())
    assert (answer.status, answer.json()["state"]) == (200, "succeeded")
    assert answer.headers["preference-applied"] == "wait=20"
