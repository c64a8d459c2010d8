"""Fetches files over HTTP, from where the guard lets it. See ``Fetcher``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import urljoin

import httpcore

from waybill import __version__
from waybill.errors import JobFailed, StorageFull
from waybill.outbound.guard import Guard, NotAllowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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
        deadline = time.monotonic() + self._fetch_seconds
        try:
            with httpcore.ConnectionPool(network_backend=_Guarded(self._guard)) as pool:
                for piece in self._pieces(pool, url):
                    _write(target, piece)
                    while_running(target.tell())
                    if target.tell() > most_bytes:
                        raise _failed(f"it is larger than {most_bytes} bytes")
                    if time.monotonic() > deadline:
                        raise _failed(f"it took longer than {self._fetch_seconds:g} seconds")
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
                if got.status == _OK:
                    yield from got.iter_stream()
                    return
                place = dict(got.headers).get(b"Location") or dict(got.headers).get(b"location")
            if got.status not in _REDIRECTING or place is None:
                raise _failed(f"the server answered {got.status}")
            url = urljoin(url, place.decode("latin-1"))
        raise _failed(f"it redirects more than {REDIRECTS} times")


class _Guarded(httpcore.NetworkBackend):
    """Connects to addresses that the guard has let pass, and to nothing else."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
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
                return self._plain.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("no address")


def _write(target: BinaryIO, piece: bytes) -> None:
    try:
        target.write(piece)
    except OSError as error:
        raise StorageFull(f"a fetched file cannot be written: {error}") from error


def _failed(reason: str) -> JobFailed:
    return JobFailed(f"The url could not be fetched: {reason}.", code="URL_FETCH_FAILED")
