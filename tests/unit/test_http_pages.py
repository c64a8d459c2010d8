"""Health, metrics, documentation."""

from __future__ import annotations

import re

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from waybill.dialects import native
from waybill.http.metrics import QueueCollector
from waybill.model.job import JobState
from waybill.ports.job_store import QueueStats
from waybill.testing.edge import EdgeBench, make_bench


@pytest.fixture
def bench() -> EdgeBench:
    return make_bench({"waybill": native})


def test_health_needs_no_token(bench: EdgeBench) -> None:
    assert bench.call("GET", "/healthz/live", token=None).json()["status"] == "live"
    assert bench.call("GET", "/healthz/ready", token=None).status == 200


def test_an_unready_server_says_why() -> None:
    bench = make_bench({"waybill": native}, readiness=lambda: ["the disk is full"])
    answer = bench.call("GET", "/healthz/ready", token=None)
    assert (answer.status, answer.json()["problems"]) == (503, ["the disk is full"])


def test_metrics_count_requests_by_route_and_not_by_path(bench: EdgeBench) -> None:
    for number in range(3):
        bench.call("GET", f"/v1/jobs/job-{number}")
    text = bench.call("GET", "/metrics", token=None).body.decode()
    expected = (
        'waybill_http_request_seconds_count{dialect="waybill",method="GET",'
        'route="/v1/jobs/{id}",status="404"} 3.0'
    )
    assert expected in text


def test_metrics_can_be_guarded() -> None:
    bench = make_bench({"waybill": native}, metrics_token="scrape")  # noqa: S106 - a test
    assert bench.call("GET", "/metrics", token="wrong").status == 401  # noqa: S106 - a test
    assert bench.call("GET", "/metrics", token=None).status == 401
    assert bench.call("GET", "/metrics", token="scrape").status == 200  # noqa: S106 - a test


def test_queue_figures_are_read_when_scraped() -> None:
    stats = QueueStats(jobs_by_state={JobState.WAITING: 4}, oldest_waiting_seconds=2.5)
    families = {family.name: family for family in QueueCollector(lambda: stats).collect()}
    assert families["waybill_jobs"].samples[0].value == 4
    assert families["waybill_queue_oldest_seconds"].samples[0].value == 2.5


def test_sums_over_ended_jobs_are_counters_that_show_from_zero() -> None:
    stats = QueueStats(
        jobs_by_state={},
        oldest_waiting_seconds=0.0,
        tallies={"records": {"created": 7.0}, "phase_seconds": {"checking": 1.5}},
    )
    registry = CollectorRegistry()
    registry.register(QueueCollector(lambda: stats))
    text = generate_latest(registry).decode()
    for line in (
        'waybill_records_total{outcome="created"} 7.0',
        'waybill_records_total{outcome="rejected"} 0.0',
        'waybill_jobs_finished_total{state="failed"} 0.0',
        'waybill_phase_seconds_total{phase="checking"} 1.5',
    ):
        assert line in text.splitlines()


def test_openapi_describes_every_route_and_its_references_resolve(bench: EdgeBench) -> None:
    document = bench.call("GET", "/openapi.json", token=None).json()
    assert document["openapi"] == "3.1.0"
    assert {route.path for route in native.ROUTES} <= document["paths"].keys()
    text = bench.call("GET", "/openapi.json").body.decode()
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert names <= document["components"]["schemas"].keys()
    ids = [o["operationId"] for methods in document["paths"].values() for o in methods.values()]
    assert len(ids) == len(set(ids))


def test_the_page_loads_nothing_and_runs_nothing(bench: EdgeBench) -> None:
    answer = bench.call("GET", "/docs", token=None)
    page = answer.body.decode()
    assert answer.headers["content-type"].startswith("text/html")
    assert not re.search(r"<script|<img|<link|\bsrc=|@import|url\(", page)
    assert not re.search(r'href="(?!#|/)', page)
    assert "default-src 'none'; style-src 'sha256-" in answer.headers["content-security-policy"]
    for route in native.ROUTES:
        assert route.path in page


def test_every_link_within_the_page_has_its_target(bench: EdgeBench) -> None:
    page = bench.call("GET", "/docs", token=None).body.decode()
    targets = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= targets


def test_problem_types_point_at_a_page_with_their_code(bench: EdgeBench) -> None:
    kind = bench.call("GET", "/v1/jobs", token=None).json()["type"]
    path, _, anchor = kind.partition("#")
    assert f'id="{anchor}"' in bench.call("GET", path, token=None).body.decode()


def test_the_root_shows_browsers_the_documentation(bench: EdgeBench) -> None:
    assert bench.call("GET", "/", token=None).json()["openapi"] == "/openapi.json"
    browser = bench.call("GET", "/", token=None, headers={"accept": "text/html"})
    assert (browser.status, browser.headers["location"]) == (303, "/docs")
