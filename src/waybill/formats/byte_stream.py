"""The stored bytes, unpacked: plain files and gzip, as streams with limits."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from waybill.formats.magic import GZIP
from waybill.formats.unpacking import check_ratio
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from waybill.errors import FileRefused
    from waybill.model.limits import Limits

_PIECE_BYTES: Final = 256 * 1024
_OUTPUT_BYTES: Final = 1024 * 1024
_GZIP_WINDOW: Final = 31  # zlib: largest window, with gzip header and trailer checked


class ByteStream(Protocol):
    """Unpacked bytes, read forward once. Memory is a few hundred kilobytes."""

    @property
    def input_bytes(self) -> int:
        """Bytes of the stored file consumed so far."""

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes, at least one; empty at the end."""

    def skip(self, size: int) -> None:
        """Pass over that many bytes, or to the end where fewer are left."""

    def close(self) -> None:
        """Close the file; safe to repeat."""


class PlainStream:
    """A file as it is; skipping costs nothing."""

    def __init__(self, path: str) -> None:
        self._file = Path(path).open("rb", buffering=0)  # noqa: SIM115 - closed by close()

    @property
    def input_bytes(self) -> int:
        """See ``ByteStream.input_bytes``."""
        return self._file.tell()

    def read(self, size: int) -> bytes:
        """See ``ByteStream.read``."""
        return self._file.read(size)

    def skip(self, size: int) -> None:
        """See ``ByteStream.skip``."""
        self._file.seek(size, 1)

    def close(self) -> None:
        """See ``ByteStream.close``."""
        self._file.close()


class HeldStream:
    """Bytes in memory, of a file that took ``stored_bytes`` as it lies there."""

    def __init__(self, data: bytes, stored_bytes: int) -> None:
        self._data = data
        self._stored_bytes = stored_bytes
        self._at = 0

    @property
    def input_bytes(self) -> int:
        """See ``ByteStream.input_bytes``: all of it, for all of it was read to have it here."""
        return self._stored_bytes

    def read(self, size: int) -> bytes:
        """See ``ByteStream.read``."""
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def skip(self, size: int) -> None:
        """See ``ByteStream.skip``."""
        self._at += size

    def close(self) -> None:
        """See ``ByteStream.close``."""


class GzipStream:
    """The members of a gzip file, joined; zeros after the last one are padding.

    Every error names the offset in the compressed file. The ratio is checked once
    ``limits.inflate_ratio_after_bytes`` have come out.
    """

    def __init__(self, path: str, limits: Limits) -> None:
        self._file = Path(path).open("rb", buffering=0)  # noqa: SIM115 - closed by close()
        self._limits = limits
        self._inflater = zlib.decompressobj(wbits=_GZIP_WINDOW)
        self._pending = b""
        self._consumed = 0
        self._produced = 0
        self._members = 1

    @property
    def input_bytes(self) -> int:
        """See ``ByteStream.input_bytes``."""
        return self._consumed

    def read(self, size: int) -> bytes:
        """See ``ByteStream.read``.

        Raises:
            FileRefused: ``CORRUPT_GZIP`` or ``DECOMPRESSION_LIMIT``.
        """
        while not self._inflater.eof or self._begin_member():
            out = self._inflate(min(size, _OUTPUT_BYTES))
            if out:
                return out
        return b""

    def skip(self, size: int) -> None:
        """See ``ByteStream.skip``; raises as ``read`` does."""
        while size > 0 and (out := self.read(size)):
            size -= len(out)

    def close(self) -> None:
        """See ``ByteStream.close``."""
        self._file.close()

    def _inflate(self, size: int) -> bytes:
        exhausted = not self._refill()
        before = self._inflater.copy()
        try:
            out = self._inflater.decompress(self._pending, size)
        except zlib.error as error:
            raise self._corrupt(_reason(error), _fault_offset(before, self._pending)) from error
        rest = self._inflater.unused_data or self._inflater.unconsumed_tail
        self._consumed += len(self._pending) - len(rest)
        self._pending = rest
        if exhausted and not out and not self._inflater.eof:
            raise self._corrupt("the file ends too early")
        self._produced += len(out)
        check_ratio(self._limits, consumed=self._consumed, produced=self._produced)
        return out

    def _begin_member(self) -> bool:
        """Start on the next member; ``False`` at the end of the file."""
        while self._refill() and self._pending[0] == 0:
            self._take(len(self._pending) - len(self._pending.lstrip(b"\0")))
        if not self._pending:
            return False
        if len(self._pending) < len(GZIP):
            self._pending += self._file.read(_PIECE_BYTES)
        if not self._pending.startswith(GZIP):
            raise self._corrupt("other data follows the end")
        self._members += 1
        if self._members > self._limits.compressed_members:
            raise self._beyond("compressed_members", self._limits.compressed_members)
        self._inflater = zlib.decompressobj(wbits=_GZIP_WINDOW)
        return True

    def _refill(self) -> bool:
        """Read on when nothing is pending; whether anything is."""
        if not self._pending:
            self._pending = self._file.read(_PIECE_BYTES)
        return bool(self._pending)

    def _take(self, size: int) -> None:
        self._pending = self._pending[size:]
        self._consumed += size

    def _beyond(self, limit: str, allowed: int) -> FileRefused:
        return file_refused("DECOMPRESSION_LIMIT", limit=limit, allowed=allowed)

    def _corrupt(self, reason: str, further: int = 0) -> FileRefused:
        return file_refused("CORRUPT_GZIP", offset=self._consumed + further, reason=reason)


def _reason(error: zlib.error) -> str:
    """What the library says, without its number."""
    return str(error).rpartition(": ")[2]


def _fault_offset(inflater: zlib._Decompress, piece: bytes) -> int:
    """How many bytes of a faulty piece are taken before the fault shows."""
    for offset in range(len(piece)):
        try:
            inflater.decompress(piece[offset : offset + 1])
        except zlib.error:
            return offset
    return len(piece)
