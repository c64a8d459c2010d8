"""The one file of a zip archive, unpacked by a child and handed on as a stream of bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from waybill.formats.contained.launcher import Frames
from waybill.formats.contained.protocol import (
    Archive,
    FrameKind,
    Job,
    Task,
    broken_protocol,
    decoded,
    split_data,
)
from waybill.formats.unpacking import check_ratio

if TYPE_CHECKING:
    from collections.abc import Callable


def inspect_archive(task: Task, while_waiting: Callable[[], None]) -> Archive:
    """What a zip file is.

    Raises:
        FileRefused: it is none, or holds none or several files.
    """
    frames = Frames(msgspec.structs.replace(task, job=Job.INSPECT), while_waiting)
    try:
        frame = next(frames, None)
        if frame is None or frame.kind is not FrameKind.HEADER:
            raise broken_protocol()
        return decoded(frame.payload, Archive)
    finally:
        frames.close()


class ArchivedStream:
    """See ``ByteStream``."""

    def __init__(self, task: Task, while_waiting: Callable[[], None]) -> None:
        self._task = msgspec.structs.replace(task, job=Job.UNPACK)
        self._frames = Frames(self._task, while_waiting)
        self._piece = b""
        self._produced = 0
        self._packed_bytes = 0

    @property
    def input_bytes(self) -> int:
        """See ``ByteStream.input_bytes``."""
        return self._packed_bytes

    def read(self, size: int) -> bytes:
        """See ``ByteStream.read``; raises as ``waybill.formats.contained.launcher.Frames``."""
        while not self._piece:
            frame = next(self._frames, None)
            if frame is None:
                return b""
            if frame.kind is not FrameKind.DATA:
                raise broken_protocol()
            self._take(frame.payload)
        piece, self._piece = self._piece[:size], self._piece[size:]
        return piece

    def _take(self, payload: bytes) -> None:
        self._packed_bytes, self._piece = split_data(payload)
        self._produced += len(self._piece)
        check_ratio(self._task.limits, consumed=self._packed_bytes, produced=self._produced)

    def skip(self, size: int) -> None:
        """See ``ByteStream.skip``; raises as ``read`` does."""
        while size > 0 and (piece := self.read(size)):
            size -= len(piece)

    def close(self) -> None:
        """See ``ByteStream.close``: ends the child."""
        self._frames.close()
