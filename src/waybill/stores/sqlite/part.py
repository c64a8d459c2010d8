"""What every part of the store stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waybill.stores.sqlite.queries import QUERIES
from waybill.stores.sqlite.rows import to_job

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from waybill.model.ids import JobId
    from waybill.model.job import Job
    from waybill.stores.sqlite.database import Database

_MOST_DESCRIPTORS_HELD = 256


class Part:
    """A group of the store's methods over the one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._descriptors: dict[bytes, str] = {}

    def _job(self, connection: apsw.Connection, row: tuple[Any, ...]) -> Job:
        return to_job(row, lambda digest: self._descriptor(connection, digest))

    def _read_job(self, connection: apsw.Connection, job: JobId) -> Job:
        """A job that is known to exist."""
        row: tuple[Any, ...] = one(connection, "read_job", (job,)) or ()
        return self._job(connection, row)

    def _descriptor(self, connection: apsw.Connection, digest: bytes) -> str:
        """A pinned descriptor; by its digest it never means another text, so it may be held."""
        body = self._descriptors.get(digest)
        if body is None:
            body = str(connection.execute(QUERIES["find_descriptor"], (digest,)).get)
            if len(self._descriptors) >= _MOST_DESCRIPTORS_HELD:
                self._descriptors.clear()
            self._descriptors[digest] = body
        return body


Parameters = dict[str, Any] | tuple[Any, ...]


def one(
    connection: apsw.Connection, name: str, parameters: Parameters = ()
) -> tuple[Any, ...] | None:
    """The first row of a statement, ``None`` where it has none; the statement runs to its end."""
    rows = connection.execute(QUERIES[name], parameters).fetchall()
    return rows[0] if rows else None


def every(
    connection: apsw.Connection, name: str, parameters: Parameters = ()
) -> Sequence[tuple[Any, ...]]:
    """All rows of a statement."""
    return connection.execute(QUERIES[name], parameters).fetchall()


def change(connection: apsw.Connection, name: str, parameters: Parameters = ()) -> int:
    """How many rows a statement changed, those of its triggers not counted."""
    connection.execute(QUERIES[name], parameters)
    return connection.changes()
