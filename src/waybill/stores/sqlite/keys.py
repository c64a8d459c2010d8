"""Idempotency-Keys: decided before anything else is done for a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.errors import KeyInFlight
from waybill.ports.job_store import KeyClaim
from waybill.stores.sqlite.part import Part, change, one
from waybill.stores.sqlite.values import to_microseconds

if TYPE_CHECKING:
    from datetime import datetime

    import apsw

    from waybill.model.ids import HolderId, JobId, ProjectName
    from waybill.ports.clock import Presence
    from waybill.ports.job_store import NewJob


class Keys(Part):
    """The use of Idempotency-Keys."""

    def claim_key(
        self, project: ProjectName, key: str, holder: HolderId, presence: Presence, now: datetime
    ) -> KeyClaim:
        """See ``JobStore.claim_key``."""
        parameters: dict[str, str | int] = {
            "project": project,
            "key": key,
            "holder": holder,
            "now": to_microseconds(now),
        }
        answered = self._database.read(lambda reader: _answer(reader, parameters))
        if answered is not None:
            return answered
        return self._database.write(lambda writer: _claim(writer, parameters, presence))

    def set_key_fingerprint(self, project: ProjectName, key: str, fingerprint: str) -> None:
        """See ``JobStore.set_key_fingerprint``."""
        parameters = {"project": project, "key": key, "fingerprint": fingerprint}
        self._database.write(lambda writer: change(writer, "set_key_fingerprint", parameters))

    def release_key(self, project: ProjectName, key: str) -> None:
        """See ``JobStore.release_key``."""
        parameters = {"project": project, "key": key}
        self._database.write(lambda writer: change(writer, "release_key", parameters))


def answer_key(writer: apsw.Connection, new: NewJob) -> None:
    """Tie a new job to its key, in the transaction that adds it.

    Raises:
        KeyInFlight: another request took the key over and has answered it.
    """
    parameters = {
        "project": new.project,
        "key": new.idempotency_key,
        "job": new.id,
        "now": to_microseconds(new.created_at),
    }
    if not change(writer, "answer_key", parameters):
        raise _in_flight()


def _answer(connection: apsw.Connection, parameters: dict[str, str | int]) -> KeyClaim | None:
    row = one(connection, "find_key", parameters)
    if row is None or row[2] is None:
        return None
    job: JobId = row[2]
    return KeyClaim(job=job, fingerprint=row[1])


def _claim(
    writer: apsw.Connection, parameters: dict[str, str | int], presence: Presence
) -> KeyClaim:
    row = one(writer, "find_key", parameters)
    if row is None:
        change(writer, "add_key", parameters)
        return KeyClaim(job=None, fingerprint="")
    holder, fingerprint, job = row
    if job is not None:
        return KeyClaim(job=job, fingerprint=fingerprint)
    if not presence.is_gone(holder):
        raise _in_flight()
    change(writer, "take_key", parameters)
    return KeyClaim(job=None, fingerprint="")


def _in_flight() -> KeyInFlight:
    return KeyInFlight(
        "the first request with this Idempotency-Key is not answered yet; try again shortly"
    )
