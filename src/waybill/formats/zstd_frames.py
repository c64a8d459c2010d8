"""The frames of zstd data, walked over before anything is decompressed.

Decompressing asks for a window as large as the frame says; here it is known beforehand. Source: RFC
8878, section 3.1 (frames, blocks, skippable frames).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Generator

    from waybill.model.limits import Limits

MAGIC: Final = b"\x28\xb5\x2f\xfd"
_SKIPPABLE: Final = b"\x2a\x4d\x18"
_SKIPPABLE_FIRST: Final = range(0x50, 0x60)
_DICTIONARY_BYTES: Final = (0, 1, 2, 4)
_SIZE_BYTES: Final = (0, 2, 4, 8)
_RLE_BLOCK: Final = 1
_CHECKSUM_BYTES: Final = 4
_LONGEST_HEADER: Final = 8


def is_zstd(head: bytes) -> bool:
    """Whether the bytes begin zstd data."""
    skippable = head[:1] and head[0] in _SKIPPABLE_FIRST and head[1:4] == _SKIPPABLE
    return head.startswith(MAGIC) or bool(skippable)


class FrameWalker:
    """Follows the data piece by piece. Memory is a few bytes."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._frames = 0
        self._held = b""
        self._walk = self._frames_of()
        self._wanted = next(self._walk)

    def feed(self, piece: bytes) -> None:
        """Take the next bytes; those that are no frame are left to the decompressor to refuse.

        Raises:
            FileRefused: ``DECOMPRESSION_LIMIT``: a window or the number of frames is beyond it.
        """
        data, at = self._held + piece, 0
        while 0 <= self._wanted <= len(data) - at:
            taken = data[at : at + self._wanted]
            at += len(taken)
            self._wanted = self._walk.send(taken)
        if self._wanted <= _LONGEST_HEADER:
            self._held = data[at:] if self._wanted >= 0 else b""
        else:  # a block, into which nobody looks
            self._wanted -= len(data) - at
            self._held = b""

    def _frames_of(self) -> Generator[int, bytes]:
        """Asks for so many bytes and is sent them; -1 once it cannot follow any more."""
        while True:
            magic = yield 4
            self._count()
            if magic == MAGIC:
                yield from self._frame()
            elif is_zstd(magic):
                size = yield 4
                yield int.from_bytes(size, "little")
            else:
                while True:
                    yield -1

    def _frame(self) -> Generator[int, bytes]:
        descriptor = (yield 1)[0]
        is_single_segment = bool(descriptor & 0x20)
        size_bytes = _SIZE_BYTES[descriptor >> 6] or int(is_single_segment)
        window = 0 if is_single_segment else _window((yield 1)[0])
        yield _DICTIONARY_BYTES[descriptor & 3]
        content_size = int.from_bytes((yield size_bytes), "little")
        self._check_window(content_size if is_single_segment else window)
        is_last = False
        while not is_last:
            header = int.from_bytes((yield 3), "little")
            is_last = bool(header & 1)
            yield 1 if header >> 1 & 3 == _RLE_BLOCK else header >> 3
        yield _CHECKSUM_BYTES if descriptor & 4 else 0

    def _count(self) -> None:
        self._frames += 1
        allowed = self._limits.compressed_members
        if self._frames > allowed:
            raise file_refused("DECOMPRESSION_LIMIT", limit="compressed_members", allowed=allowed)

    def _check_window(self, window: int) -> None:
        allowed = self._limits.zstd_window_bytes
        if window > allowed:
            raise file_refused("DECOMPRESSION_LIMIT", limit="zstd_window_bytes", allowed=allowed)


def _window(descriptor: int) -> int:
    """The size in bytes that a window descriptor stands for."""
    base = 1 << (10 + (descriptor >> 3))
    return base + (base >> 3) * (descriptor & 7)
