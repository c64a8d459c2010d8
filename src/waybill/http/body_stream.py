"""The bytes of a request body as they come: counted, limited, and not awaited for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from waybill.errors import BodyInvalid, BodyTooSlow, LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Message, Receive

PROGRESS_BYTES: Final = 16 * 1024
"""So many bytes must come within each timeout; a byte a second is no progress."""


class ClientGone(Exception):
    """The client closed the connection before its body was complete."""


class BodyStream:
    """One body, piece by piece."""

    def __init__(
        self,
        receive: Receive,
        headers: Mapping[str, str],
        *,
        allowed_bytes: int,
        limit_name: str,
        timeout_seconds: float,
    ) -> None:
        """Begin, without reading; a declared length over the limit is refused here.

        Raises:
            LimitExceeded: the declared length is over ``allowed_bytes``.
        """
        self._receive = receive
        self._allowed_bytes = allowed_bytes
        self._limit_name = limit_name
        self._timeout_seconds = timeout_seconds
        self._deadline = asyncio.get_running_loop().time() + timeout_seconds
        self._progress_at = PROGRESS_BYTES
        self._ended = False
        self.read_bytes = 0
        declared = declared_length(headers)
        if declared is not None and declared > allowed_bytes:
            raise self._too_large()

    async def next_piece(self) -> bytes:
        """The next bytes, empty at the end of the body.

        Raises:
            LimitExceeded: the body is longer than allowed.
            BodyTooSlow: nothing, or next to nothing, came in time.
            ClientGone: the connection ended first.
        """
        while not self._ended:
            message = await self._next_message()
            if message["type"] != "http.request":
                raise ClientGone
            self._ended = not message.get("more_body", False)
            piece: bytes = message.get("body", b"")
            if piece:
                self._count(len(piece))
                return piece
        return b""

    async def read_whole(self) -> bytes:
        """All of it; only for small bodies. Raises as ``next_piece``."""
        pieces = []
        while piece := await self.next_piece():
            pieces.append(piece)
        return b"".join(pieces)

    async def _next_message(self) -> Message:
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._receive()
        except TimeoutError as error:
            raise BodyTooSlow(
                f"The body stood still for {self._timeout_seconds:g} s; send it again."
            ) from error

    def _count(self, size: int) -> None:
        self.read_bytes += size
        if self.read_bytes > self._allowed_bytes:
            raise self._too_large()
        if self.read_bytes >= self._progress_at:
            self._progress_at = self.read_bytes + PROGRESS_BYTES
            self._deadline = asyncio.get_running_loop().time() + self._timeout_seconds

    def _too_large(self) -> LimitExceeded:
        return LimitExceeded(
            f"The request body is larger than {self._allowed_bytes} bytes.",
            limit=self._limit_name,
            allowed=self._allowed_bytes,
            code="REQUEST_TOO_LARGE",
        )


def declared_length(headers: Mapping[str, str]) -> int | None:
    """The declared length of a body, ``None`` where none is declared.

    Raises:
        BodyInvalid: the header is not one number.
    """
    text = headers.get("content-length")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise BodyInvalid("Content-Length is not a number.", code="CONTENT_LENGTH_INVALID")
    return int(text)


def has_body(headers: Mapping[str, str]) -> bool:
    """Whether a request announces a body."""
    return "transfer-encoding" in headers or (declared_length(headers) or 0) > 0


async def disconnected(receive: Receive) -> None:
    """Return when the client is gone; only after its body was read."""
    while (await receive())["type"] != "http.disconnect":
        pass
