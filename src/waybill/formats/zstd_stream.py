"""zstd data as a stream with limits: frames joined, skippable ones passed over."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from waybill.errors import FileRefused
from waybill.formats.unpacking import check_ratio
from waybill.formats.zstd_frames import FrameWalker
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from waybill.model.limits import Limits

_PIECE_BYTES: Final = 64 * 1024
_OUTPUT_BYTES: Final = 1024 * 1024


class ZstdStream:
    """See ``ByteStream``. A cut frame is an error, never a short file."""

    def __init__(self, path: str, limits: Limits) -> None:
        self._source = _Source(path, limits)
        self._unpacked = pa.CompressedInputStream(pa.PythonFile(self._source, "r"), "zstd")
        self._limits = limits
        self._produced = 0

    @property
    def input_bytes(self) -> int:
        """See ``ByteStream.input_bytes``."""
        return self._source.consumed

    def read(self, size: int) -> bytes:
        """See ``ByteStream.read``.

        Raises:
            FileRefused: ``CORRUPT_ZSTD`` or ``DECOMPRESSION_LIMIT``.
        """
        try:
            piece = self._unpacked.read(min(size, _OUTPUT_BYTES))
        except OSError as error:
            if self._source.refusal is not None:
                raise self._source.refusal from error
            reason = str(error).removeprefix("ZSTD decompress failed: ")
            raise file_refused("CORRUPT_ZSTD", offset=self.input_bytes, reason=reason) from error
        self._produced += len(piece)
        check_ratio(self._limits, consumed=self.input_bytes, produced=self._produced)
        return piece

    def skip(self, size: int) -> None:
        """See ``ByteStream.skip``; raises as ``read`` does."""
        while size > 0 and (piece := self.read(size)):
            size -= len(piece)

    def close(self) -> None:
        """See ``ByteStream.close``."""
        self._source.close()


class _Source(io.RawIOBase):
    """The stored bytes, looked at by the walker on their way to the decompressor."""

    def __init__(self, path: str, limits: Limits) -> None:
        super().__init__()
        self._file = Path(path).open("rb", buffering=0)  # noqa: SIM115 - closed by close()
        self._walker = FrameWalker(limits)
        self.consumed = 0
        self.refusal: FileRefused | None = None

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes; a refusal is kept, for the library in between has its own errors."""
        piece = self._file.read(_PIECE_BYTES if size < 0 else min(size, _PIECE_BYTES))
        try:
            self._walker.feed(piece)
        except FileRefused as refusal:
            self.refusal = refusal
            raise OSError(refusal.message) from refusal
        self.consumed += len(piece)
        return piece

    def close(self) -> None:
        """Close the file; safe to repeat."""
        self._file.close()
        super().close()
