"""What the background duties ask for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from waybill.stores.sqlite.part import Part, change, every
from waybill.stores.sqlite.rows import to_artifact
from waybill.stores.sqlite.values import to_json, to_microseconds

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    import apsw

    from waybill.model.artifact import Artifact, ArtifactKind
    from waybill.model.ids import BlobName, JobId
    from waybill.model.job import Job
    from waybill.ports.clock import Presence


class Duties(Part):
    """Rescue, lanes, retention."""

    def stale_runs(
        self, presence: Presence, boot_id: str, monotonic_seconds: float
    ) -> Sequence[Job]:
        """See ``DutyStore.stale_runs``."""
        is_gone = cache(presence.is_gone)

        def find(reader: apsw.Connection) -> Sequence[Job]:
            stale = [
                job
                for job, holder, boot, until_seconds in every(reader, "list_leases")
                if boot != boot_id or until_seconds <= monotonic_seconds or is_gone(holder)
            ]
            return [self._read_job(reader, job) for job in stale]

        return self._database.read(find)

    def free_lanes(self) -> Sequence[JobId]:
        """See ``DutyStore.free_lanes``."""
        if not self._database.read(lambda reader: every(reader, "list_blocked_lanes")):
            return []
        return self._database.write(_free_lanes)

    def purgeable(
        self, kinds: Collection[ArtifactKind], finished_before: datetime, *, limit: int
    ) -> Sequence[Artifact]:
        """See ``DutyStore.purgeable``."""
        parameters = {
            "kinds": to_json(sorted(kinds)),
            "finished_before": to_microseconds(finished_before),
            "limit": limit,
        }
        rows = self._database.read(lambda reader: every(reader, "list_purgeable", parameters))
        return [to_artifact(row) for row in rows]

    def mark_purged(self, artifact: Artifact, now: datetime) -> None:
        """See ``DutyStore.mark_purged``."""
        parameters = {
            "job": artifact.job,
            "kind": artifact.kind,
            "now": to_microseconds(now),
        }
        self._database.write(lambda writer: change(writer, "mark_purged", parameters))

    def is_referenced(self, blob: BlobName) -> bool:
        """See ``DutyStore.is_referenced``."""
        rows = self._database.read(lambda reader: every(reader, "find_reference", {"blob": blob}))
        return bool(rows[0][0])

    def forget_keys(self, created_before: datetime) -> int:
        """See ``DutyStore.forget_keys``."""
        parameters = {"created_before": to_microseconds(created_before)}
        return self._database.write(lambda writer: change(writer, "forget_keys", parameters))


def _free_lanes(writer: apsw.Connection) -> Sequence[JobId]:
    freed: list[JobId] = []
    for project, lane, ended_at in every(writer, "list_blocked_lanes"):
        parameters = {"project": project, "lane": lane, "now": ended_at}
        freed += [job for (job,) in every(writer, "free_lane", parameters)]
    return freed
