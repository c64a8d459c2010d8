"""The client: what it sends, what it makes of answers, how it waits."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

from waybill import client as client_library
from waybill.client import (
    AnswerNotUnderstood,
    Client,
    NotAuthenticated,
    NotFound,
    RequestFailed,
    ServerFailed,
    ServerUnreachable,
)

if TYPE_CHECKING:
    from pathlib import Path

Handler = "Callable[[httpx.Request], httpx.Response]"


def calling(handler: Handler, **arguments: object) -> Client:
    transport = httpx.MockTransport(handler)
    return Client("http://server", "t0ken", transport=transport, **arguments)


def answering(document: object, status: int = 200, **headers: str) -> Handler:
    return lambda _: httpx.Response(status, json=document, headers=headers)


def job(**changes: object) -> dict[str, object]:
    return {"id": "j1", "state": "running", "progress": 0.5, **changes}


class Recorder:
    """A server that gives its answers one after the other and keeps the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


def test_a_submission_is_multipart_with_entity_options_and_file(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"a,b\n1,2\n")
    server = Recorder(httpx.Response(202, json=job(state="waiting")))
    made = calling(server).submit(
        file, "airports", options={"dry_run": True}, client_ref="r1", idempotency_key="k1"
    )
    request = server.requests[0]
    assert (made.id, made.state) == ("j1", "waiting")
    assert request.headers["Authorization"] == "Bearer t0ken"
    assert request.headers["Idempotency-Key"] == "k1"
    for part in (b'name="entity"', b"airports", b'{"dry_run":true}', b'name="client_ref"'):
        assert part in request.content
    assert b'name="file"; filename="a.csv"' in request.content
    assert b"a,b\n1,2\n" in request.content


def test_a_job_keeps_what_this_version_does_not_know() -> None:
    found = calling(answering(job(counts={"read": 3, "rejected": 1}, novelty=[1]))).status("j1")
    assert found.counts.rejected == 1
    assert found.raw["novelty"] == [1]


def test_a_job_id_never_leaves_its_place_in_the_path() -> None:
    server = Recorder(httpx.Response(200, json=job()))
    calling(server).status("../x?y#z")
    assert server.requests[0].url.raw_path == b"/v1/jobs/..%2Fx%3Fy%23z"


def test_watching_gives_every_update_and_ends_with_the_final_one() -> None:
    states = [job(), job(progress=0.9), job(state="succeeded", outcome="complete", progress=1.0)]
    server = Recorder(*(httpx.Response(200, json=state) for state in states))
    time = Time()
    with calling(server, sleep=time.sleep, monotonic_seconds=time.monotonic) as client:
        seen = [update.progress for update in client.watch("j1")]
    assert seen == [0.5, 0.9, 1.0]
    assert str(server.requests[0].url).endswith("?wait=1")


def test_watching_does_not_ask_more_than_once_a_second() -> None:
    server = Recorder(*(httpx.Response(200, json=job()) for _ in range(3)))
    server.answers.append(httpx.Response(200, json=job(state="failed")))
    time = Time()
    list(calling(server, sleep=time.sleep, monotonic_seconds=time.monotonic).watch("j1"))
    assert time.slept == [1.0, 1.0, 1.0]


def test_watching_outlives_a_restart_of_the_server() -> None:
    server = Recorder(
        httpx.ConnectError("refused"),
        httpx.Response(503, json={"code": "STORE_UNAVAILABLE"}, headers={"Retry-After": "4"}),
        httpx.Response(429, json={"code": "RATE_LIMITED"}, headers={"Retry-After": "2"}),
        httpx.Response(200, json=job(state="succeeded")),
    )
    time = Time()
    client = calling(server, sleep=time.sleep, monotonic_seconds=time.monotonic)
    assert [update.state for update in client.watch("j1")] == ["succeeded"]
    assert time.slept == [1, 4.0, 2.0]


def test_watching_gives_up_when_the_server_stays_away() -> None:
    server = Recorder(*(httpx.ConnectError("refused") for _ in range(9)))
    time = Time()
    client = calling(server, sleep=time.sleep, monotonic_seconds=time.monotonic)
    with pytest.raises(ServerUnreachable):
        list(client.watch("j1", patience_seconds=5))
    assert 5 <= time.now <= 7


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, NotAuthenticated), (404, NotFound), (422, RequestFailed), (507, ServerFailed)],
)
def test_a_problem_becomes_an_error_with_its_code(status: int, kind: type[RequestFailed]) -> None:
    problem = {"code": "SOME_CODE", "detail": "Do this.", "errors": [{"parameter": "x"}]}
    with pytest.raises(kind) as failed:
        calling(answering(problem, status)).status("j1")
    assert (failed.value.code, failed.value.status) == ("SOME_CODE", status)
    assert str(failed.value) == "Do this. (SOME_CODE)"
    assert failed.value.errors == ({"parameter": "x"},)


def test_an_error_that_is_no_problem_is_told_by_its_status() -> None:
    with pytest.raises(ServerFailed, match="HTTP 502 Bad Gateway"):
        calling(lambda _: httpx.Response(502, text="<html>")).status("j1")


def test_an_answer_of_another_kind_of_server_is_not_understood() -> None:
    for answer in ({"hello": 1}, [1]):
        with pytest.raises(AnswerNotUnderstood):
            calling(answering(answer)).status("j1")


def test_an_address_that_is_none_is_said_to_be_unreachable() -> None:
    with pytest.raises(ServerUnreachable, match="'http://x:port' is not an address"):
        Client("http://x:port", "t")
    with pytest.raises(ServerUnreachable):
        Client("http://[", "t").status("j1")
    with pytest.raises(ServerUnreachable), Client("ftp://x", "t") as client:
        client.status("j1")


def test_lists_are_paged_and_filtered() -> None:
    server = Recorder(httpx.Response(200, json={"jobs": [job()], "next": "c2"}))
    page = calling(server).jobs(cursor="c1", limit=5, state="running")
    assert (page.jobs[0].id, page.next) == ("j1", "c2")
    assert dict(server.requests[0].url.params) == {
        "state": "running",
        "cursor": "c1",
        "limit": "5",
    }


def test_cancel_is_a_delete() -> None:
    server = Recorder(httpx.Response(200, json=job(state="canceled")))
    assert calling(server).cancel("j1").is_final
    assert server.requests[0].method == "DELETE"


def test_all_pages_of_rejections_make_one_json_document() -> None:
    def page(record: int, cursor: str | None) -> httpx.Response:
        one = {"record": record, "line": record + 1, "byte": 0, "data": {}, "findings": []}
        return httpx.Response(200, json={"rejections": [one], "total": 2, "next": cursor})

    server = Recorder(page(1, "c2"), page(2, None))
    stream = io.BytesIO()
    size = calling(server).rejections_file("j1", "json", stream)
    document = msgspec.json.decode(stream.getvalue())
    assert [one["record"] for one in document["rejections"]] == [1, 2]
    assert (document["total"], document["next"], size) == (2, None, len(stream.getvalue()))


def test_files_are_streamed_as_they_come() -> None:
    stream = io.BytesIO()
    server = Recorder(httpx.Response(200, content=b"a,b\n" * 1000))
    assert calling(server).rejections_file("j1", "csv", stream) == 4000
    assert server.requests[0].url.path == "/v1/jobs/j1/rejections.csv"
    assert stream.getvalue() == b"a,b\n" * 1000


@pytest.mark.parametrize("form", ["ndjson", "xlsx", "parquet"])
def test_reports_of_any_form_lie_under_its_name(form: str) -> None:
    server = Recorder(httpx.Response(200, content=b"x"), httpx.Response(200, content=b"x"))
    client = calling(server)
    client.rejections_file("j1", form, io.BytesIO())
    client.accepted_file("j1", form, io.BytesIO())
    paths = [request.url.path for request in server.requests]
    assert paths == [f"/v1/jobs/j1/rejections.{form}", f"/v1/jobs/j1/accepted.{form}"]


def test_a_report_that_is_made_first_is_waited_for() -> None:
    server = Recorder(httpx.Response(200, content=b"x"))
    calling(server).download("/v1/jobs/j1/accepted.xlsx", io.BytesIO())
    assert server.requests[0].extensions["timeout"]["read"] >= 1800


def test_a_refused_download_writes_nothing() -> None:
    stream = io.BytesIO()
    with pytest.raises(RequestFailed, match="retention"):
        calling(answering({"detail": "retention is over", "code": "GONE"}, 410)).download(
            "/v1/jobs/j1/input", stream
        )
    assert stream.getvalue() == b""


def test_the_library_imports_nothing_of_the_server() -> None:
    code = (
        "import sys, waybill.client; "
        "print([m for m in sys.modules if m.startswith('waybill.') and "
        "not m.startswith('waybill.client')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_public_names_are_those_documented() -> None:
    assert "Client" in client_library.__all__
    assert all(hasattr(client_library, name) for name in client_library.__all__)
