"""Removes the bytes of artifacts and uploads whose time is over; counts and hashes stay."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from waybill.model.artifact import ArtifactKind
from waybill.model.ids import BlobName

if TYPE_CHECKING:
    from collections.abc import Collection

    from waybill.model.artifact import Artifact
    from waybill.ports.blobs import Blobs
    from waybill.ports.clock import Clock
    from waybill.ports.job_store import DutyStore
    from waybill.ports.upload_store import UploadStore

logger = logging.getLogger(__name__)

INPUTS: Final = frozenset({ArtifactKind.INPUT})
REPORTS: Final = frozenset(ArtifactKind) - INPUTS
BATCH: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Inputs and reports have a retention each, counted from the end of their job."""

    duties: DutyStore
    uploads: UploadStore
    blobs: Blobs
    clock: Clock
    input_days: float
    report_days: float
    key_hours: float
    interval_seconds: float
    name: str = "retention"

    def run_once(self) -> int:
        """Purge what is due; gives how many files went."""
        self.duties.forget_keys(self.clock.now() - timedelta(hours=self.key_hours))
        forgotten = self._forget_uploads()
        return (
            forgotten
            + self._purge(INPUTS, self.input_days)
            + self._purge(REPORTS, self.report_days)
        )

    def _forget_uploads(self) -> int:
        """Forget what has expired; bytes that a job has stay until its own time is over."""
        forgotten = 0
        while due := self.uploads.expired_uploads(self.clock.now(), limit=BATCH):
            for upload in due:
                self.uploads.forget_upload(upload)
                if upload.file is not None:
                    blob = BlobName(upload.file.blob)
                    if not self.duties.is_referenced(blob):
                        self.blobs.delete(blob)
            forgotten += len(due)
        return forgotten

    def _purge(self, kinds: Collection[ArtifactKind], days: float) -> int:
        before = self.clock.now() - timedelta(days=days)
        purged = 0
        while due := self.duties.purgeable(kinds, before, limit=BATCH):
            for artifact in due:
                self._purge_one(artifact)
            purged += len(due)
        return purged

    def _purge_one(self, artifact: Artifact) -> None:
        """Delete first, then note it: a crash between the two only repeats the delete."""
        self.blobs.delete(artifact.blob)
        self.duties.mark_purged(artifact, self.clock.now())
        logger.info(
            "artifact_purged",
            extra={
                "job": artifact.job,
                "kind": artifact.kind,
                "size_bytes": artifact.size_bytes,
            },
        )
