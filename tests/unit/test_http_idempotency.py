"""Idempotency-Key through the edge (security.md S49)."""

from __future__ import annotations

import pytest

from waybill.dialects import native
from waybill.testing.edge import OTHER_TOKEN, TOKEN, Answer, EdgeBench, make_bench


@pytest.fixture
def bench() -> EdgeBench:
    return make_bench({"waybill": native})


def post(
    bench: EdgeBench,
    *,
    key: str = "k",
    body: bytes = b"icao\nLOWW\n",
    query: str = "entity=airports&dry_run=true",
    token: str = TOKEN,
) -> Answer:
    headers = {"content-type": "text/csv", "idempotency-key": key}
    return bench.call("POST", f"/v1/jobs?{query}", headers=headers, body=body, token=token)


def test_the_same_request_gives_the_same_job_and_stores_its_file_once(bench: EdgeBench) -> None:
    first, second = post(bench), post(bench)
    assert (first.status, second.status) == (202, 202)
    assert first.headers["location"] == second.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert len(bench.core.submissions) == len(bench.blobs.stored) == 1


def test_the_order_of_query_parameters_makes_no_difference(bench: EdgeBench) -> None:
    post(bench)
    assert post(bench, query="dry_run=true&entity=airports").status == 202


def test_another_body_or_query_under_the_same_key_is_refused(bench: EdgeBench) -> None:
    post(bench)
    for changed in (post(bench, body=b"other"), post(bench, query="entity=airports")):
        assert (changed.status, changed.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert len(bench.blobs.stored) == 1


def test_another_project_may_use_the_same_key(bench: EdgeBench) -> None:
    first, other = post(bench), post(bench, token=OTHER_TOKEN)
    assert other.status == 202
    assert first.headers["location"] != other.headers["location"]


def test_a_key_in_flight_is_told_before_the_body_is_read(bench: EdgeBench) -> None:
    bench.core.keys["one/k"] = ("claimed", None)
    answer = post(bench)
    assert (answer.status, answer.json()["code"]) == (409, "IDEMPOTENCY_KEY_IN_FLIGHT")
    assert answer.headers["retry-after"] == "1"
    assert bench.core.keys["one/k"] == ("claimed", None)


def test_a_refused_request_gives_its_key_back(bench: EdgeBench) -> None:
    assert post(bench, query="entity=unknown").status == 404
    assert bench.core.keys == {}
    assert post(bench).status == 202


def test_a_client_that_goes_away_gives_its_key_back(bench: EdgeBench) -> None:
    headers = {"content-type": "text/csv", "idempotency-key": "k"}
    bench.call("POST", "/v1/jobs?entity=airports", headers=headers, body=b"x", is_cut=True)
    assert bench.core.keys == {}


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_a_malformed_key_is_refused(bench: EdgeBench, key: str) -> None:
    answer = post(bench, key=key)
    assert (answer.status, answer.json()["code"]) == (400, "IDEMPOTENCY_KEY_INVALID")
