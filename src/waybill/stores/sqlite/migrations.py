"""Brings a database to the schema of this version; forward only."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from waybill.errors import StoreUnavailable
from waybill.stores.sqlite.connection import translated_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step; its number becomes the database's ``user_version``."""

    number: int
    name: str
    script: str


def load_migrations() -> Sequence[Migration]:
    """The steps in order, from ``migrations/NNNN_pre_NAME.sql`` or ``NNNN_post_NAME.sql``."""
    folder = files(__package__) / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [
        Migration(
            number=int(name.split("_", 1)[0]),
            name=name,
            script=(folder / name).read_text(encoding="utf-8"),
        )
        for name in names
    ]


def migrate(connection: apsw.Connection, migrations: Sequence[Migration]) -> None:
    """Run what the database lacks, each step in a transaction; safe to run in many processes.

    Raises:
        StorageFull: no space; the database is as before the failed step.
        StoreUnavailable: the database is from a newer version of this program.
    """
    with translated_errors():
        newest = migrations[-1].number
        version = _version(connection)
        if version > newest:
            raise StoreUnavailable(
                f"the jobs database has schema {version}, this program knows {newest}; "
                "run the version that wrote it, or a later one",
                code="DATABASE_TOO_NEW",
            )
        for migration in migrations:
            _run(connection, migration)


def _run(connection: apsw.Connection, migration: Migration) -> None:
    if _version(connection) >= migration.number:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have run it while this one waited for the lock.
        if _version(connection) < migration.number:
            connection.execute(migration.script)
            connection.execute(f"PRAGMA user_version = {migration.number}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _version(connection: apsw.Connection) -> int:
    return int(connection.pragma("user_version"))
