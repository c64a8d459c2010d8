"""A stored file, looked into once: what it is packed in, how it begins, its unpacked bytes."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from waybill.formats.byte_stream import GzipStream, HeldStream, PlainStream
from waybill.formats.magic import is_gzip
from waybill.formats.zstd_frames import is_zstd
from waybill.formats.zstd_stream import ZstdStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from waybill.formats.byte_stream import ByteStream
    from waybill.formats.text_stream import TextStream
    from waybill.model.limits import Limits

HEAD_BYTES: Final = 1024 * 1024
_MAGIC_BYTES: Final = 16


class Packing(StrEnum):
    """What a file is packed in."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"
    ZIP = "zip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The unpacked bytes of the file at ``path``, ``stored_bytes`` long as it lies there.

    ``stream``: opens them at their beginning. ``head``: the first mebibyte of them, or all where
    ``is_whole``.
    """

    path: str
    limits: Limits
    packing: Packing
    stored_bytes: int
    stream: Callable[[], ByteStream]
    head: bytes = b""
    is_whole: bool = False

    def open(self) -> ByteStream:
        """The bytes from their beginning; those of a small file are not read again."""
        if self.is_whole:
            return HeldStream(self.head, self.stored_bytes)
        return self.stream()

    def with_head(self) -> Content:
        """The same with its head read."""
        with closing(self.open()) as source:
            head, is_whole = read_up_to(source, HEAD_BYTES)
        return replace(self, head=head, is_whole=is_whole)


def look_into(path: str, limits: Limits) -> Content:
    """The content of a stored file.

    Raises:
        FileRefused: it cannot be unpacked, or a limit was met within the first mebibyte.
    """
    file = Path(path)
    with file.open("rb") as stored:
        packing = _packing_of(stored.read(_MAGIC_BYTES))
    return Content(
        path=path,
        limits=limits,
        packing=packing,
        stored_bytes=file.stat().st_size,
        stream=partial(_open, path, packing, limits),
    ).with_head()


def _open(path: str, packing: Packing, limits: Limits) -> ByteStream:
    match packing:
        case Packing.GZIP:
            return GzipStream(path, limits)
        case Packing.ZSTD:
            return ZstdStream(path, limits)
        case _:
            return PlainStream(path)


def _packing_of(head: bytes) -> Packing:
    if is_gzip(head):
        return Packing.GZIP
    return Packing.ZSTD if is_zstd(head) else Packing.NONE


def read_up_to(source: ByteStream | TextStream, size: int) -> tuple[bytes, bool]:
    """About the first ``size`` bytes, and whether that is all."""
    parts: list[bytes] = []
    held = 0
    while held <= size:
        part = source.read(size - held + 1)
        if not part:
            return b"".join(parts), True
        parts.append(part)
        held += len(part)
    return b"".join(parts), False
