"""The edge in a real server process: sockets, signals, TLS."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from waybill.errors import SettingsInvalid
from waybill.http.serve import bind_listener, listener_url
from waybill.system import SystemClock
from waybill.testing.edge import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER = """
import sys
from dataclasses import replace
from pathlib import Path
from waybill.dialects import native
from waybill.engine.insights import ReportFormat
from waybill.http.serve import Tls, inherit_listener, run_web
from waybill.model.job import JobState
from waybill.testing.edge import example_job, make_bench

def endless():
    while True:
        yield b"x" * 65536

def broken():
    yield b"x" * 300_000
    raise OSError("disk")

bench = make_bench({"waybill": native}, rate_per_second=0)
bench.core.jobs_by_id["job-1"] = example_job()
bench.core.jobs_by_id["job-2"] = example_job(id="job-2", state=JobState.SUCCEEDED)
bench.core.downloads[ReportFormat.CSV] = endless()
bench.core.downloads[ReportFormat.XLSX] = broken()
tls = Tls(certificate=Path(sys.argv[2]), key=Path(sys.argv[3])) if len(sys.argv) > 2 else None
run_web(lambda: bench.app, inherit_listener(int(sys.argv[1])), tls=tls,
        on_ready=lambda: print("ready", flush=True), grace_seconds=1.0)
print("stopped", flush=True)
"""
AUTHORIZATION = {"authorization": f"Bearer {TOKEN}"}


@contextmanager
def server(*arguments: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    with bind_listener("127.0.0.1", 0, SystemClock()) as listener:
        port, descriptor = listener.getsockname()[1], listener.fileno()
        command = [sys.executable, "-c", SERVER, str(descriptor), *arguments]
        process = subprocess.Popen(
            command, pass_fds=(descriptor,), stdout=subprocess.PIPE, text=True
        )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield port, process
    finally:
        process.kill()
        process.communicate()


def raw(port: int, request: bytes, *, seconds: float = 5.0) -> bytes:
    """All bytes until the server closes or says no more for a while."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(request)
        return connection.recv(65_536)


def test_a_request_and_an_upload_are_answered() -> None:
    with server() as (port, _), httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        client.headers.update(AUTHORIZATION)
        assert client.get("/v1/jobs/job-1").json()["state"] == "waiting"
        files = {"file": ("a.csv", b"icao\n" * 200_000)}
        answer = client.post("/v1/jobs", data={"entity": "airports"}, files=files)
        assert answer.status_code == 202
        assert client.head("/v1/jobs/job-1").content == b""


def test_no_body_is_invited_that_would_be_refused() -> None:
    head = (
        b"POST /v1/jobs?entity=airports HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer "
        + TOKEN.encode()
        + b"\r\nContent-Type: text/csv\r\nExpect: 100-continue\r\nContent-Length: "
    )
    with server() as (port, _):
        assert raw(port, head + b"99999999999\r\n\r\n").startswith(b"HTTP/1.1 413")
        assert raw(port, head + b"5\r\n\r\n").startswith(b"HTTP/1.1 100")


@pytest.mark.parametrize("length", [b"-1", b"5, 6", b"x"])
def test_broken_lengths_are_refused(length: bytes) -> None:
    request = b"POST /v1/jobs HTTP/1.1\r\nHost: h\r\nContent-Length: " + length + b"\r\n\r\nabcde"
    with server() as (port, _):
        assert raw(port, request).startswith(b"HTTP/1.1 400")


def test_a_broken_stream_is_seen_as_broken() -> None:
    with server() as (port, _):
        target = f"http://127.0.0.1:{port}/v1/jobs/job-2/rejections.xlsx"
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(target, headers=AUTHORIZATION)


def test_a_reader_that_goes_away_ends_its_stream() -> None:
    with server() as (port, process):
        request = b"GET /v1/jobs/job-2/rejections.csv HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer "
        assert raw(port, request + TOKEN.encode() + b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        process.terminate()
        started = time.monotonic()
        process.wait(timeout=5)
        assert time.monotonic() - started < 0.9  # sooner than the grace of an open stream


def test_a_term_signal_answers_what_waits_and_stops() -> None:
    with server() as (port, process):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as waiting:
            request = "GET /v1/jobs/job-1?wait=30 HTTP/1.1\r\nHost: h\r\n"
            waiting.sendall(f"{request}Authorization: Bearer {TOKEN}\r\n\r\n".encode())
            assert httpx.get(f"http://127.0.0.1:{port}/healthz/live").status_code == 200
            process.send_signal(signal.SIGTERM)
            assert waiting.recv(65_536).startswith(b"HTTP/1.1 200")
        assert process.wait(timeout=5) == 0


def test_a_request_that_does_not_end_cannot_hold_the_server() -> None:
    with server() as (port, process):
        stuck = socket.create_connection(("127.0.0.1", port), timeout=5)
        with stuck:
            head = "POST /v1/jobs?entity=airports HTTP/1.1\r\nHost: h\r\nContent-Type: text/csv\r\n"
            length = f"Authorization: Bearer {TOKEN}\r\nContent-Length: 100\r\n\r\nabc"
            stuck.sendall((head + length).encode())
            httpx.get(f"http://127.0.0.1:{port}/healthz/live")
            process.terminate()
            assert process.wait(timeout=5) == 0


def test_a_killed_server_leaves_no_child_and_no_port() -> None:
    with server() as (port, process):
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii")
        assert not children
        process.kill()
        process.wait()
        bind_listener("127.0.0.1", port, SystemClock(), patience_seconds=0.5).close()


def test_a_port_in_use_is_told_after_some_patience() -> None:
    with bind_listener("127.0.0.1", 0, SystemClock()) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(SettingsInvalid, match=f"127.0.0.1:{port}"):
            bind_listener("127.0.0.1", port, SystemClock(), patience_seconds=0.2)
        assert listener_url(listener, tls=True) == f"https://127.0.0.1:{port}"


def test_tls_is_spoken_where_a_certificate_is_given(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    context = ssl.create_default_context(cafile=str(certificate))
    with server(str(certificate), str(key)) as (port, _):
        answer = httpx.get(f"https://127.0.0.1:{port}/healthz/live", verify=context)
        assert answer.json()["status"] == "live"
