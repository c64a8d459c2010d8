"""Sending answers: headers that every one carries, and bodies streamed from threads."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from waybill.dialect import ServedFile
from waybill.http.body_stream import ClientGone, disconnected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.dialect import Response
    from waybill.http.exchange import Exchange
    from waybill.http.threads import Threads

BATCH_BYTES: Final = 256 * 1024
SEND_TIMEOUT_SECONDS: Final = 300.0
"""How long a reader may stand still in the middle of a download."""
DEFAULT_HEADERS: Final = (
    (b"cache-control", b"private, no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
NO_CONTENT: Final = frozenset({204, 304})


@runtime_checkable
class _Closable(Protocol):
    def close(self) -> None: ...


async def prime(response: Response, threads: Threads) -> Response:
    """The answer with the first batch of its stream read, so that a failure can still be told."""
    if isinstance(response.body, bytes | ServedFile):
        return response
    stream = _Stream(response.body, threads)
    ready = False
    try:
        first = await stream.next_batch()
        ready = True
    finally:
        if not ready:
            await stream.close()
    return replace(response, body=_Primed(first, response.body))


async def deliver(exchange: Exchange, response: Response, threads: Threads) -> None:
    """Send an answer; a streamed body is closed in every case.

    Raises:
        ClientGone: the connection ended first.
    """
    body = response.body
    if isinstance(body, ServedFile):
        raise TypeError("a file is cut into ranges before it is sent")
    if isinstance(body, bytes):
        await _send_whole(exchange, response, body)
        return
    stream = _Stream(body, threads)
    try:
        await _send_stream(exchange, response, stream)
    finally:
        await stream.close()


async def _send_whole(exchange: Exchange, response: Response, body: bytes) -> None:
    headers = encode_headers(exchange, response)
    if response.status not in NO_CONTENT:
        headers.append((b"content-length", str(len(body)).encode()))
    await exchange.send(
        {"type": "http.response.start", "status": response.status, "headers": headers}
    )
    if exchange.method == "HEAD" or response.status in NO_CONTENT:
        body = b""
    await exchange.send({"type": "http.response.body", "body": body})


async def _send_stream(exchange: Exchange, response: Response, stream: _Stream) -> None:
    await exchange.send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": encode_headers(exchange, response),
        }
    )
    gone = asyncio.ensure_future(disconnected(exchange.receive))
    try:
        while exchange.method != "HEAD" and (piece := await stream.next_batch()):
            await _send_piece(exchange, piece, gone)
    finally:
        gone.cancel()
    await exchange.send({"type": "http.response.body", "body": b""})


async def _send_piece(exchange: Exchange, piece: bytes, gone: asyncio.Future[None]) -> None:
    try:
        async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
            await exchange.send({"type": "http.response.body", "body": piece, "more_body": True})
    except TimeoutError as error:
        raise ClientGone from error
    if gone.done():
        raise ClientGone


class _Primed:
    """An iterator with its first piece put back."""

    def __init__(self, first: bytes, rest: Iterator[bytes]) -> None:
        self._first = first
        self._rest = rest

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        return next(self._rest)

    def close(self) -> None:
        if isinstance(self._rest, _Closable):
            self._rest.close()


class _Stream:
    """An iterator of bytes, pulled in threads and handed over in batches."""

    def __init__(self, chunks: Iterator[bytes], threads: Threads) -> None:
        self._chunks = chunks
        self._threads = threads

    async def next_batch(self) -> bytes:
        """At least 256 KiB, less at the end, empty after it."""
        return await self._threads.start(self._pull)

    async def close(self) -> None:
        if isinstance(self._chunks, _Closable):
            await self._threads.start(self._chunks.close)

    def _pull(self) -> bytes:
        batch: list[bytes] = []
        size = 0
        for chunk in self._chunks:
            batch.append(chunk)
            size += len(chunk)
            if size >= BATCH_BYTES:
                break
        return batch[0] if len(batch) == 1 else b"".join(batch)


def encode_headers(exchange: Exchange, response: Response) -> list[tuple[bytes, bytes]]:
    """The headers of an answer: the defaults, then its own, then what the edge notes."""
    own = response.headers
    defaults, names = _frame(tuple(own))
    headers = [
        *defaults,
        (b"x-request-id", exchange.request_id.encode()),
        *zip(names, [value.encode("latin-1") for value in own.values()], strict=True),
    ]
    headers.extend(exchange.notes)
    return headers


@lru_cache(maxsize=256)
def _frame(names: tuple[str, ...]) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
    """The defaults that these headers leave standing, and their names as bytes."""
    own = [name.lower().encode("latin-1") for name in names]
    return [(name, value) for name, value in DEFAULT_HEADERS if name not in own], own
