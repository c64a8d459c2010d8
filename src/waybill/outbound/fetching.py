"""Fetches files over HTTP, from where the guard lets it. See ``Fetcher``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import urljoin

import httpcore

from waybill import __version__
from waybill.errors import JobFailed, StorageFull
from waybill.outbound.guard import Guard, NotAllowed

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator, Mapping

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 30.0
REDIRECTS: Final = 5
_REDIRECTING: Final = frozenset({301, 302, 303, 307, 308})
_OK: Final = 200
_HEADERS: Final = [
    (b"User-Agent", f"waybill/{__version__}".encode()),
    (b"Accept", b"*/*"),
    (b"Accept-Encoding", b"identity"),
]


class HttpFetcher:
    """See ``Fetcher``. Each fetch has connections of its own, to addresses that were checked.

    A name is looked up once: the connection goes to an address that the guard has seen, under the
    name's own certificate.
    """

    def __init__(self, guard: Guard, *, fetch_seconds: float) -> None:
        self._guard = guard
        self._fetch_seconds = fetch_seconds

    def check(self, url: str) -> None:
        """See ``Fetcher.check``."""
        self._guard.check_url(url)

    def fetch(
        self, url: str, target: BinaryIO, *, most_bytes: int, while_running: Callable[[int], None]
    ) -> None:
        """See ``Fetcher.fetch``."""
        patience = _Patience(self._fetch_seconds, lambda: while_running(target.tell()))
        try:
            backend = _Guarded(self._guard, patience)
            with httpcore.ConnectionPool(network_backend=backend) as pool:
                for piece in self._pieces(pool, url):
                    _write(target, piece)
                    if target.tell() > most_bytes:
                        raise _failed(f"it is larger than {most_bytes} bytes")
        except NotAllowed as refusal:
            raise JobFailed(refusal.message, code=refusal.code) from refusal
        except (httpcore.TimeoutException, TimeoutError) as error:
            raise _failed("the server did not answer in time") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise _failed(f"the server did not answer ({type(error).__name__})") from error

    def _pieces(self, pool: httpcore.ConnectionPool, url: str) -> Iterator[bytes]:
        timeouts = {"connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS}
        for _ in range(REDIRECTS + 1):
            self._guard.check_url(url)
            with pool.stream("GET", url, headers=_HEADERS, extensions={"timeout": timeouts}) as got:
                headers = {name.lower(): value for name, value in got.headers}
                if got.status == _OK:
                    _check_plain(headers)
                    yield from got.iter_stream()
                    return
            place = headers.get(b"location")
            if got.status not in _REDIRECTING or place is None:
                raise _failed(f"the server answered {got.status}")
            url = _joined(url, place.decode("latin-1"))
        raise _failed(f"it redirects more than {REDIRECTS} times")


class _Patience:
    """How long a fetch may take; ``look``: raises where nobody wants it any more."""

    def __init__(self, seconds: float, look: Callable[[], None]) -> None:
        self._deadline = time.monotonic() + seconds
        self._seconds = seconds
        self._look = look

    def left(self, most: float | None) -> float:
        """Seconds for the next step, at most so many."""
        self._look()
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise _failed(f"it took longer than {self._seconds:g} seconds")
        return left if most is None else min(left, most)


class _Patient(httpcore.NetworkStream):
    """A connection of which each step, however small, is within the time of the whole fetch."""

    def __init__(self, stream: httpcore.NetworkStream, patience: _Patience) -> None:
        self._stream = stream
        self._patience = patience

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Receive some bytes."""
        return self._stream.read(max_bytes, self._patience.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all bytes."""
        self._stream.write(buffer, self._patience.left(timeout))

    def close(self) -> None:
        """End the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted."""
        left = self._patience.left(timeout)
        return _Patient(self._stream.start_tls(ssl_context, server_hostname, left), self._patience)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as its base says
        """What is known of the connection."""
        return self._stream.get_extra_info(info)


class _Guarded(httpcore.NetworkBackend):
    """Connects to addresses that the guard has let pass, and to nothing else."""

    def __init__(self, guard: Guard, patience: _Patience) -> None:
        self._guard = guard
        self._patience = patience
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the host's addresses that answers."""
        failure: Exception | None = None
        for address in self._guard.addresses(host, port):
            try:
                left = self._patience.left(timeout)
                stream = self._plain.connect_tcp(address, port, left, local_address, socket_options)
                return _Patient(stream, self._patience)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("no address")


def _check_plain(headers: Mapping[bytes, bytes]) -> None:
    """Refuse what is packed though it was asked for as it is."""
    encoding = headers.get(b"content-encoding", b"identity").decode("latin-1").strip().lower()
    if encoding not in {"", "identity"}:
        raise _failed("the server sent it packed, with a Content-Encoding")


def _joined(url: str, place: str) -> str:
    try:
        return urljoin(url, place)
    except ValueError:
        raise NotAllowed("The url is not allowed: it redirects to what is no URL.") from None


def _write(target: BinaryIO, piece: bytes) -> None:
    try:
        target.write(piece)
    except OSError as error:
        raise StorageFull(f"a fetched file cannot be written: {error}") from error


def _failed(reason: str) -> JobFailed:
    return JobFailed(f"The url could not be fetched: {reason}.", code="URL_FETCH_FAILED")
