"""Writing an upload to the blob store without holding a thread while bytes are awaited."""

from __future__ import annotations

import asyncio
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from waybill.model.ids import BlobName
from waybill.model.job import InputFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from waybill.http.threads import Threads
    from waybill.ports.blobs import Blobs, BlobWriter
    from waybill.ports.clock import IdSource

PIECE_BYTES: Final = 512 * 1024


class Spool:
    """One file being stored. A full piece is hashed and written while the next one comes in.

    ``create`` makes the writer, in a thread, when the first piece is written.
    """

    def __init__(self, threads: Threads, create: Callable[[], BlobWriter]) -> None:
        self._threads = threads
        self._create = create
        self._writer: BlobWriter | None = None
        self._digest = sha256()
        self._buffer = bytearray()
        self._writing: asyncio.Future[None] | None = None
        self.size_bytes = 0

    async def write(self, data: bytes) -> None:
        """Append.

        Raises:
            StorageFull: as ``BlobWriter.write``.
        """
        self._buffer += data
        self.size_bytes += len(data)
        if len(self._buffer) >= PIECE_BYTES:
            await self._settle()
            piece, self._buffer = self._buffer, bytearray()
            self._writing = self._threads.start(self._write_piece, piece)

    async def commit(self, *, name: str, media_type: str) -> InputFile:
        """Make the file durable and describe it; ends the spool.

        Raises:
            StorageFull: as ``BlobWriter.commit``.
        """
        await self._settle()
        blob = await self._threads.start(self._finish)
        return InputFile(
            blob=blob,
            name=name,
            media_type=media_type,
            size_bytes=self.size_bytes,
            sha256=self._digest.hexdigest(),
        )

    async def discard(self) -> None:
        """Drop what was written; safe to repeat, a no-op after ``commit``."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            await asyncio.wait([writing])
            writing.exception()  # looked at, so that nobody reports it as lost
        if self._writer is not None:
            await self._threads.start(self._writer.discard)

    async def _settle(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            await writing

    def _write_piece(self, piece: bytearray) -> None:
        self._digest.update(piece)
        self._opened().write(memoryview(piece))

    def _finish(self) -> BlobName:
        if self._buffer:
            self._write_piece(self._buffer)
        return self._opened().commit()

    def _opened(self) -> BlobWriter:
        if self._writer is None:
            self._writer = self._create()
        return self._writer


class Spools:
    """Opens spools under new names."""

    def __init__(self, threads: Threads, blobs: Blobs, ids: IdSource) -> None:
        self._threads = threads
        self._blobs = blobs
        self._ids = ids

    def open(self, *, durable: bool = True) -> Spool:
        """A spool for one more file; nothing is on disk before its first piece is."""
        name = BlobName(f"uploads/{self._ids.name('upload-')}")
        return Spool(self._threads, partial(self._blobs.create, name, durable=durable))

    async def drop(self, file: InputFile) -> None:
        """Remove a committed file that nothing points at; a missing one is no error."""
        await self._threads.start(self._blobs.delete, BlobName(file.blob))
