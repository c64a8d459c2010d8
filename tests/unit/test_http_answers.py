"""What every answer carries, how streams are sent, and what a bug shows."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from waybill.dialects import native
from waybill.engine.insights import ReportFormat
from waybill.model.job import JobState
from waybill.testing.edge import EdgeBench, example_job, make_bench

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def bench() -> EdgeBench:
    bench = make_bench({"waybill": native})
    bench.core.jobs_by_id["job-1"] = example_job(state=JobState.SUCCEEDED)
    return bench


class Pieces:
    """Bytes that fail at some point, and know whether they were closed."""

    def __init__(self, good: int, failure: Exception | None = None) -> None:
        self._left = good
        self._failure = failure
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._left:
            self._left -= 1
            return b"x" * 100_000
        if self._failure:
            raise self._failure
        raise StopIteration

    def close(self) -> None:
        self.is_closed = True


def test_every_answer_is_private_and_unsniffable(bench: EdgeBench) -> None:
    for target in ("/v1/jobs", "/v1/nothing", "/healthz/live"):
        headers = bench.call("GET", target).headers
        assert headers["cache-control"] == "private, no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-request-id"]


def test_a_stream_is_sent_whole_and_closed(bench: EdgeBench) -> None:
    pieces = Pieces(10)
    bench.core.downloads[ReportFormat.CSV] = pieces
    answer = bench.call("GET", "/v1/jobs/job-1/rejections.csv")
    assert answer.body == b"x" * 1_000_000
    assert pieces.is_closed
    assert answer.headers["content-disposition"] == 'attachment; filename="job-1-rejections.csv"'
    assert "content-length" not in answer.headers


def test_head_sends_headers_only_and_closes_the_stream(bench: EdgeBench) -> None:
    pieces = Pieces(10)
    bench.core.downloads[ReportFormat.CSV] = pieces
    answer = bench.call("HEAD", "/v1/jobs/job-1/rejections.csv")
    assert (answer.status, answer.body) == (200, b"")
    assert pieces.is_closed


def test_a_stream_that_fails_at_its_start_is_an_error_and_not_a_short_file(
    bench: EdgeBench,
) -> None:
    pieces = Pieces(0, OSError("disk"))
    bench.core.downloads[ReportFormat.CSV] = pieces
    answer = bench.call("GET", "/v1/jobs/job-1/rejections.csv")
    assert answer.status == 500
    assert pieces.is_closed


def test_a_stream_that_fails_later_breaks_the_connection(bench: EdgeBench) -> None:
    pieces = Pieces(10, OSError("disk"))
    bench.core.downloads[ReportFormat.CSV] = pieces
    with pytest.raises(OSError, match="disk"):
        bench.call("GET", "/v1/jobs/job-1/rejections.csv")
    assert pieces.is_closed


def test_a_bug_shows_nothing_but_the_request_id(
    bench: EdgeBench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.core.failure = KeyError("SELECT secret FROM credentials")
    answer = bench.call(
        "POST", "/v1/jobs?entity=airports", headers={"content-type": "text/csv"}, body=b"x"
    )
    assert (answer.status, answer.json()["code"]) == (500, "INTERNAL_ERROR")
    assert b"secret" not in answer.body
    assert b"Traceback" not in answer.body
    (record,) = [r for r in caplog.records if r.message == "request_failed"]
    assert record.request_id == answer.headers["x-request-id"] == answer.json()["request_id"]
    assert record.exc_info


def test_each_request_is_logged_once_without_its_query(
    bench: EdgeBench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bench.call("GET", "/v1/jobs?client_ref=private")
    (record,) = [r for r in caplog.records if r.message == "request"]
    assert (record.method, record.path, record.status) == ("GET", "/v1/jobs", 200)
    assert record.credential == "credential-1"


@pytest.mark.parametrize("host", ["evil.example/x", "a b", "x@y", ""])
def test_a_host_that_is_no_host_is_refused(bench: EdgeBench, host: str) -> None:
    answer = bench.call("GET", "/v1/jobs/job-1", headers={"host": host})
    if host:
        assert (answer.status, answer.json()["code"]) == (400, "HOST_INVALID")
    else:
        assert answer.json()["links"]["self"].startswith("http://127.0.0.1:8080/")


def test_links_come_from_the_public_url_where_one_is_set() -> None:
    bench = make_bench({"waybill": native}, public_url="https://waybill.example.org/")
    bench.core.jobs_by_id["job-1"] = example_job()
    headers = {"host": "evil.example", "x-forwarded-host": "evil.example"}
    answer = bench.call("GET", "/v1/jobs/job-1", headers=headers)
    assert answer.json()["links"]["self"] == "https://waybill.example.org/v1/jobs/job-1"


def test_forwarded_headers_count_from_trusted_proxies_only() -> None:
    forwarded = {"x-forwarded-proto": "https", "x-forwarded-host": "public.example"}
    for trusted, expected in ((["192.0.2.0/24"], "https://public.example"), ([], "http://inner")):
        bench = make_bench({"waybill": native}, trusted_proxies=trusted)
        bench.core.jobs_by_id["job-1"] = example_job()
        answer = bench.call("GET", "/v1/jobs/job-1", headers={"host": "inner", **forwarded})
        assert answer.json()["links"]["self"].startswith(f"{expected}/")


def test_a_query_that_is_not_text_is_refused(bench: EdgeBench) -> None:
    assert bench.call("GET", "/v1/jobs?entity=%ff").status == 400
    assert bench.call("GET", "/v1/jobs?" + "entity=a&" * 200).status == 400


def test_unknown_and_repeated_query_parameters_are_refused(bench: EdgeBench) -> None:
    unknown = bench.call("GET", "/v1/jobs?stat=running")
    assert unknown.json()["code"] == "UNKNOWN_PARAMETER"
    assert unknown.json()["errors"][0]["parameter"] == "stat"
    assert bench.call("GET", "/v1/jobs?limit=1&limit=2").json()["code"] == "DUPLICATE_PARAMETER"
