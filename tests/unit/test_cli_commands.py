"""The commands that speak to a server, against one that gives canned answers over HTTP."""

from __future__ import annotations

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from waybill.cli.main import run_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Answers = dict[str, tuple[int, object]]


class Canned(ThreadingHTTPServer):
    """Answers by ``METHOD path``; bytes as they are, anything else as JSON."""

    daemon_threads = True
    answers: Answers
    seen: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Canned

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(f"{self.command} {self.path} {body.decode(errors='replace')}")
        missing = (404, {"code": "NOT_FOUND", "detail": "There is no such job."})
        key = f"{self.command} {self.path.split('?')[0]}"
        status, document = self.server.answers.get(key, missing)
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names that the library calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Canned]:
    canned = Canned(("127.0.0.1", 0), Handler)
    canned.answers, canned.seen = {}, []
    monkeypatch.setenv("WAYBILL_URL", canned.url)
    monkeypatch.setenv("WAYBILL_TOKEN", "t0ken")
    thread = threading.Thread(target=canned.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield canned
    canned.shutdown()
    thread.join()
    canned.server_close()


def job(**changes: object) -> dict[str, object]:
    counts = {"read": 1200, "created": 1000, "rejected": 200}
    base = {"id": "j1", "state": "succeeded", "outcome": "partial", "entity": "airports"}
    return {**base, "progress": 1.0, "counts": counts, **changes}


def test_submit_prints_the_id_of_the_job(
    server: Canned, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a\n1\n")
    server.answers["POST /v1/jobs"] = (202, job(state="waiting", outcome=None))
    arguments = ["submit", str(file), "--entity", "airports", "--delimiter", "tab", "--dry-run"]
    assert run_command([*arguments, "--no-header", "--max-errors", "3"]) == 0
    assert capsys.readouterr().out == "j1\n"
    options = '{"max_errors":3,"dry_run":true,"delimiter":"\\t","header":"absent"}'
    assert options in server.seen[0]


def test_submit_with_watch_follows_the_job_and_tells_of_rejections_by_its_exit_code(
    server: Canned, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a\n1\n")
    server.answers["POST /v1/jobs"] = (202, job(state="waiting", outcome=None))
    server.answers["GET /v1/jobs/j1"] = (200, job())
    assert run_command(["submit", str(file), "-e", "airports", "--watch"]) == 3
    printed = capsys.readouterr()
    assert "100%  succeeded" in printed.err
    assert "1,200 read, 1,000 created, 200 rejected" in printed.out


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"outcome": "complete"}, 0),
        ({"outcome": "partial"}, 3),
        ({"outcome": "none"}, 3),
        ({"state": "failed", "outcome": None}, 1),
        ({"state": "canceled", "outcome": None}, 1),
        ({"state": "running", "outcome": None}, 0),
    ],
)
def test_status_tells_the_job_s_end_by_its_exit_code(
    server: Canned, changes: dict[str, object], code: int
) -> None:
    server.answers["GET /v1/jobs/j1"] = (200, job(**changes))
    assert run_command(["status", "j1"]) == code


def test_status_as_json_is_the_server_s_answer(
    server: Canned, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers["GET /v1/jobs/j1"] = (200, job(novelty=1))
    run_command(["status", "j1", "--json"])
    assert json.loads(capsys.readouterr().out) == job(novelty=1)


def test_status_shows_why_a_job_failed_and_no_control_characters(
    server: Canned, capsys: pytest.CaptureFixture[str]
) -> None:
    error = {"code": "QUOTE_UNCLOSED", "message": "a \x1b[31mquote", "line": 2}
    server.answers["GET /v1/jobs/j1"] = (200, job(state="failed", outcome=None, error=error))
    run_command(["status", "j1"])
    assert "error     QUOTE_UNCLOSED: a \\x1b[31mquote" in capsys.readouterr().out


def test_watch_ends_with_the_job(server: Canned, capsys: pytest.CaptureFixture[str]) -> None:
    server.answers["GET /v1/jobs/j1"] = (200, job(outcome="complete"))
    assert run_command(["watch", "j1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "complete"


def test_jobs_are_listed_with_their_filter_and_the_next_page(
    server: Canned, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers["GET /v1/jobs"] = (200, {"jobs": [job()], "next": "c2"})
    assert run_command(["jobs", "--state", "running", "--limit", "5"]) == 0
    printed = capsys.readouterr().out
    assert "state=running&limit=5" in server.seen[0]
    assert "airports" in printed
    assert "waybill jobs --cursor c2" in printed


def test_cancel_asks_the_server(server: Canned, capsys: pytest.CaptureFixture[str]) -> None:
    server.answers["DELETE /v1/jobs/j1"] = (200, job(state="canceled", outcome=None))
    assert run_command(["cancel", "j1"]) == 0
    assert "canceled" in capsys.readouterr().out


REJECTED = {
    "record": 3,
    "line": 4,
    "byte": 30,
    "data": {"iata": "x"},
    "findings": [{"code": "PATTERN", "field": "iata", "message": "'x' does not match ^[A-Z]{3}$"}],
}


def test_rejections_are_shown_as_a_table_with_their_reasons(
    server: Canned, capsys: pytest.CaptureFixture[str]
) -> None:
    page = {"rejections": [REJECTED], "total": 200, "next": "c"}
    server.answers["GET /v1/jobs/j1/rejections"] = (200, page)
    assert run_command(["rejections", "j1"]) == 0
    printed = capsys.readouterr().out
    assert "'x' does not match ^[A-Z]{3}$" in printed
    assert "1 of 200 rejected records shown" in printed


@pytest.mark.parametrize("suffix", ["csv", "ndjson", "xlsx", "parquet"])
def test_rejections_are_saved_in_the_format_that_the_file_s_name_says(
    server: Canned, tmp_path: Path, suffix: str
) -> None:
    server.answers[f"GET /v1/jobs/j1/rejections.{suffix}"] = (200, b"a,_record\nx,1\n")
    target = tmp_path / f"rejected.{suffix}"
    assert run_command(["rejections", "j1", "--output", str(target)]) == 0
    assert target.read_bytes() == b"a,_record\nx,1\n"
    assert list(tmp_path.iterdir()) == [target]


def test_a_suffix_that_no_report_has_is_refused_with_those_that_are(
    server: Canned, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["rejections", "j1", "-o", str(tmp_path / "rejected.doc")]) == 2
    assert "give one of json, ndjson, csv, xlsx, parquet" in capsys.readouterr().err
    assert server.seen == []


def test_a_refused_download_leaves_no_file(server: Canned, tmp_path: Path) -> None:
    assert server.answers == {}
    assert run_command(["rejections", "j1", "-o", str(tmp_path / "rejected.xlsx")]) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("a.xlsx", [], b"PK"),
        ("a.csv", [], b"icao\n"),
        ("a.dat", ["--format", "xlsx"], b"PK"),
    ],
)
def test_a_template_is_saved_in_the_format_that_is_asked_for_or_named(
    server: Canned, tmp_path: Path, name: str, options: list[str], expected: bytes
) -> None:
    server.answers["GET /v1/entities/airports/template.csv"] = (200, b"icao\n")
    server.answers["GET /v1/entities/airports/template.xlsx"] = (200, b"PK")
    target = tmp_path / name
    assert run_command(["template", "airports", *options, "--output", str(target)]) == 0
    assert target.read_bytes() == expected


def test_a_template_goes_to_standard_output_as_csv(
    server: Canned, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    server.answers["GET /v1/entities/airports/template.csv"] = (200, b"icao\n")
    assert run_command(["template", "airports"]) == 0
    assert capfdbinary.readouterr().out == b"icao\n"


def test_a_failure_is_one_line_on_standard_error(
    server: Canned, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers["GET /v1/jobs/j1"] = (401, {"code": "NOT_AUTHENTICATED", "detail": "No."})
    assert run_command(["status", "j1"]) == 1
    expected = "waybill: No. (NOT_AUTHENTICATED); set --token or WAYBILL_TOKEN\n"
    assert capsys.readouterr().err == expected


def test_no_server_is_one_line_that_says_where_it_was_looked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command(["status", "j1", "--server", "http://127.0.0.1:9"]) == 1
    assert "no answer from http://127.0.0.1:9" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "method"),
    [(["status", "j1"], "GET"), (["watch", "j1"], "GET"), (["cancel", "j1"], "DELETE")],
)
def test_a_job_for_people_and_as_json_is_the_same_job(
    server: Canned, capsys: pytest.CaptureFixture[str], arguments: list[str], method: str
) -> None:
    server.answers[f"{method} /v1/jobs/j1"] = (200, job(outcome="complete"))
    assert run_command(arguments) == 0
    assert "state     succeeded (complete)" in capsys.readouterr().out
    assert run_command([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == job(outcome="complete")


def test_jobs_as_json_are_the_server_s_page(
    server: Canned, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers["GET /v1/jobs"] = (200, {"jobs": [job()], "next": None})
    assert run_command(["jobs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"jobs": [job()], "next": None}


def test_submit_as_json_prints_the_job(
    server: Canned, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a\n1\n")
    server.answers["POST /v1/jobs"] = (202, job(state="waiting", outcome=None))
    assert run_command(["submit", str(file), "-e", "airports", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "j1"


def test_rejections_as_json_go_to_standard_output(
    server: Canned, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    page = {"rejections": [REJECTED], "total": 1, "next": None}
    server.answers["GET /v1/jobs/j1/rejections"] = (200, page)
    assert run_command(["rejections", "j1", "--json"]) == 0
    assert json.loads(capfdbinary.readouterr().out) == page


def test_a_file_that_cannot_be_written_is_a_failure_in_one_line(
    server: Canned, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers["GET /v1/jobs/j1/rejections.csv"] = (200, b"a\n")
    target = tmp_path / "missing" / "x.csv"
    assert run_command(["rejections", "j1", "-o", str(target)]) == 1
    assert f"there is no folder {target.parent}" in capsys.readouterr().err


def test_an_output_that_is_a_device_or_a_link_stays_one(server: Canned, tmp_path: Path) -> None:
    server.answers["GET /v1/jobs/j1/rejections.csv"] = (200, b"a\n")
    pipe, target, link = tmp_path / "pipe", tmp_path / "target.csv", tmp_path / "link.csv"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    target.write_text("old")
    link.symlink_to(target)
    for path in (pipe, link):
        assert run_command(["rejections", "j1", "-f", "csv", "-o", str(path)]) == 0
    assert os.read(reader, 10) == b"a\n"
    os.close(reader)
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert target.read_bytes() == b"a\n"
