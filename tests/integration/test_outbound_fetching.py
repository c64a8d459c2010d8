"""Fetching from a real server on loopback, which a setting allows."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import httpcore
import pytest

from waybill.errors import JobFailed, StorageFull
from waybill.outbound import fetching
from waybill.outbound.fetching import HttpFetcher
from waybill.outbound.guard import Guard
from waybill.testing.server import pause

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 100_000


class Handler(BaseHTTPRequestHandler):
    """Answers by the first word of the path."""

    seen: ClassVar[list[dict[str, str]]] = []

    def do_GET(self) -> None:
        self.seen.append({name.lower(): value for name, value in self.headers.items()})
        word, _, rest = self.path[1:].partition("/")
        getattr(self, word)(rest)

    def file(self, size: str) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * int(size))

    def status(self, code: str) -> None:
        self.send_response(int(code))
        self.end_headers()

    def to(self, place: str) -> None:
        self.send_response(302)
        self.send_header("Location", place.replace("|", "/"))
        self.end_headers()

    def loop(self, _: str) -> None:
        self.to("|loop|x")

    def cut(self, _: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 10)

    def drip(self, _: str) -> None:
        """Headers that never end, a byte now and then."""
        with contextlib.suppress(OSError):
            for byte in b"HTTP/1.0 200 OK\r\nX: " + b"x" * 1000:
                self.connection.sendall(bytes([byte]))
                pause()

    def packed(self, _: str) -> None:
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.end_headers()

    def nowhere(self, _: str) -> None:
        self.send_response(302)
        self.send_header("LOCATION", "http://[::1")
        self.end_headers()

    def slow(self, _: str) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x")
        self.wfile.flush()
        self.connection.settimeout(10)
        self.rfile.read(1)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(url: str, *, allowed: str = "127.0.0.0/8", seconds: float = 60.0) -> bytes:
    target = io.BytesIO()
    fetcher = HttpFetcher(Guard.of([allowed], [80, 443]), fetch_seconds=seconds)
    fetcher.fetch(url, target, most_bytes=MOST, while_running=lambda _: None)
    return target.getvalue()


def failure(url: str, **options: float) -> JobFailed:
    with pytest.raises(JobFailed) as failed:
        fetch(url, seconds=options.get("seconds", 60.0))
    return failed.value


def test_a_file_is_fetched_as_it_is(address: str) -> None:
    Handler.seen.clear()
    assert fetch(f"{address}/file/{MOST}") == b"x" * MOST
    [asked] = Handler.seen
    assert asked["host"] == address.removeprefix("http://")
    assert asked["accept-encoding"] == "identity"
    assert asked["user-agent"].startswith("waybill/")
    assert not {"authorization", "cookie", "x-api-key"} & asked.keys()


def test_redirects_are_followed(address: str) -> None:
    assert fetch(f"{address}/to/|file|7") == b"x" * 7


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("status/404", "answered 404"),
        ("status/500", "answered 500"),
        ("status/304", "answered 304"),
        ("loop/x", "redirects more than 5 times"),
        (f"file/{MOST + 1}", f"larger than {MOST} bytes"),
        ("cut/x", "did not answer"),
        ("packed/x", "packed"),
    ],
)
def test_what_cannot_be_fetched_says_why(address: str, path: str, reason: str) -> None:
    failed = failure(f"{address}/{path}")
    assert failed.code == "URL_FETCH_FAILED"
    assert reason in failed.message
    assert address not in failed.message


def test_no_step_outlasts_the_whole(address: str) -> None:
    failed = failure(f"{address}/drip/x", seconds=0.5)
    assert failed.code == "URL_FETCH_FAILED"
    assert "took longer than 0.5" in failed.message or "in time" in failed.message


def test_nobody_waits_for_what_nobody_wants(address: str) -> None:
    class Unwanted(Exception):
        pass

    def look(_read_bytes: int) -> None:
        raise Unwanted

    fetcher = HttpFetcher(Guard.of(["127.0.0.0/8"], [80]), fetch_seconds=60)
    with pytest.raises(Unwanted):
        fetcher.fetch(f"{address}/drip/x", io.BytesIO(), most_bytes=MOST, while_running=look)


def test_a_redirect_to_what_is_no_url_is_refused(address: str) -> None:
    assert failure(f"{address}/nowhere/x").code == "URL_NOT_ALLOWED"


@pytest.mark.parametrize("place", ["http:||10.0.0.1|a", "http:||169.254.169.254|", "file:|||etc"])
def test_a_redirect_passes_the_same_guard(address: str, place: str) -> None:
    assert failure(f"{address}/to/{place}").code == "URL_NOT_ALLOWED"


def test_a_private_address_is_never_connected_to(address: str) -> None:
    Handler.seen.clear()
    for url in (address, address.replace("127.0.0.1", "localhost")):
        with pytest.raises(JobFailed) as failed:
            fetch(f"{url}/file/1", allowed="10.9.9.9")
        assert failed.value.code == "URL_NOT_ALLOWED"
    assert not Handler.seen


def test_a_name_is_looked_up_once_and_its_address_connected_to(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    plain = socket.getaddrinfo

    def answer(host: str, port: int, family: int = 0, type: int = 0) -> object:  # noqa: A002 - the library's name
        asked.append(host)
        return plain("127.0.0.1" if host == "once.example" else host, port, family, type)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    port = address.rpartition(":")[2]
    assert fetch(f"http://once.example:{port}/file/3") == b"xxx"
    assert asked.count("once.example") == 1
    assert Handler.seen[-1]["host"] == f"once.example:{port}"


def test_a_server_that_stands_still_is_left(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "READ_SECONDS", 0.2)
    assert "in time" in failure(f"{address}/slow/x").message


def test_a_file_that_takes_too_long_is_left(address: str) -> None:
    assert "longer than 0 seconds" in failure(f"{address}/file/10", seconds=0.0).message


def test_a_server_that_is_not_there_says_so() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        failed = failure(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert "did not answer" in failed.message


def test_a_full_disk_is_no_fault_of_the_url(address: str) -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    fetcher = HttpFetcher(Guard.of(["127.0.0.0/8"], [80]), fetch_seconds=60)
    with pytest.raises(StorageFull):
        fetcher.fetch(f"{address}/file/9", Full(), most_bytes=MOST, while_running=lambda _: None)


def test_what_waits_can_be_stopped(address: str) -> None:
    class Stop(Exception):
        pass

    def stop(_: int) -> None:
        raise Stop

    fetcher = HttpFetcher(Guard.of(["127.0.0.0/8"], [80]), fetch_seconds=60)
    with pytest.raises(Stop):
        fetcher.fetch(f"{address}/file/9", io.BytesIO(), most_bytes=MOST, while_running=stop)


def test_the_guarded_backend_has_no_other_door() -> None:
    backend = fetching._Guarded(Guard.of([], [80]), fetching._Patience(60, lambda: None))
    with pytest.raises(NotImplementedError):
        backend.connect_unix_socket("/run/docker.sock")
    assert isinstance(backend, httpcore.NetworkBackend)
