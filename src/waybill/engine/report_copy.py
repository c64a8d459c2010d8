"""A report kept as it is first sent, so that it is made once."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from waybill.errors import StorageFull, StoreUnavailable
from waybill.model.artifact import Artifact, ArtifactKind
from waybill.model.ids import BlobName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.engine.report_parts import ReportParts
    from waybill.model.job import Job
    from waybill.ports.blobs import BlobWriter


def keeping(
    parts: ReportParts, job: Job, kind: ArtifactKind, pieces: Iterator[bytes]
) -> Iterator[bytes]:
    """The same pieces, kept as an artifact once the last one was made.

    Where they cannot be kept, for want of space, they are sent all the same.
    """
    copy = _ReportCopy(parts, job, kind)
    try:
        for piece in pieces:
            copy.add(piece)
            yield piece
        copy.finish()
    finally:
        copy.discard()


class _ReportCopy:
    """Takes pieces as long as the disk does."""

    def __init__(self, parts: ReportParts, job: Job, kind: ArtifactKind) -> None:
        self._parts, self._job, self._kind = parts, job, kind
        self._digest, self._size = hashlib.sha256(), 0
        self._writer: BlobWriter | None = None
        with suppress(StorageFull):
            name = BlobName(f"reports/{job.id}.{parts.ids.name(kind)}")
            self._writer = parts.blobs.create(name)

    def add(self, piece: bytes) -> None:
        if self._writer is None:
            return
        self._digest.update(piece)
        self._size += len(piece)
        try:
            self._writer.write(piece)
        except StorageFull:
            self.discard()

    def finish(self) -> None:
        if self._writer is None:
            return
        with suppress(StorageFull, StoreUnavailable):
            made = self._artifact(self._writer.commit())
            stored = self._parts.store.add_artifact(made)
            if stored.blob != made.blob:
                self._parts.blobs.delete(made.blob)

    def discard(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.discard()

    def _artifact(self, blob: BlobName) -> Artifact:
        return Artifact(
            job=self._job.id,
            project=self._job.project,
            kind=self._kind,
            blob=blob,
            size_bytes=self._size,
            sha256=self._digest.hexdigest(),
            created_at=self._parts.clock.now(),
        )
