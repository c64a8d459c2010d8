"""Connections to the one database file, and what their errors mean to the core."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import apsw

from waybill.errors import StorageFull, StoreUnavailable, WaybillError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_TIMEOUT_SECONDS: Final = 10
OLDEST_SQLITE: Final = (3, 51, 3)
_WAL_PAGES_BEFORE_CHECKPOINT: Final = 4_000


def refuse_old_sqlite(version: str) -> None:
    """Let only a library pass that is free of the WAL-reset race.

    Raises:
        StoreUnavailable: the library is older than 3.51.3.
    """
    if tuple(int(part) for part in version.split(".")) < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise StoreUnavailable(
            f"SQLite {version} can lose commits; install apsw with SQLite {oldest} or later",
            code="SQLITE_TOO_OLD",
        )


def open_writer(path: Path) -> apsw.Connection:
    """A connection that writes durably; it makes the file, readable by its owner only.

    It opens no transaction by itself. Every commit is synced before it returns.

    Raises:
        StorageFull: no space for the file.
        StoreUnavailable: the file cannot be opened, or is no database.
    """
    with translated_errors():
        _create_private(path)
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        connection.set_busy_timeout(BUSY_TIMEOUT_SECONDS * 1000)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES_BEFORE_CHECKPOINT}")
        return connection


def open_reader(path: Path) -> apsw.Connection:
    """A connection that can only read.

    Raises:
        StoreUnavailable: the file cannot be opened.
    """
    with translated_errors():
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(BUSY_TIMEOUT_SECONDS * 1000)
        connection.execute("PRAGMA query_only = ON")
        return connection


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn errors of the database or the disk that no caller can mend into those of the core."""
    try:
        yield
    except (apsw.Error, OSError) as error:
        known = translate(error)
        if known is None:
            raise
        raise known from error


def translate(error: Exception) -> WaybillError | None:
    """The core's error for one of the database or the disk; ``None`` for a bug of ours.

    A full disk comes as ``FullError`` or ``IOError`` by the file that it meets, a limit on the
    size of files as ``IOError``.
    """
    match error:
        case apsw.FullError() | apsw.IOError():
            return StorageFull(f"the jobs database cannot be written: {error}")
        case (
            apsw.BusyError()
            | apsw.LockedError()
            | apsw.CantOpenError()
            | apsw.ReadOnlyError()
            | apsw.PermissionsError()
            | apsw.ProtocolError()
            | apsw.NotADBError()
            | apsw.CorruptError()
            | apsw.ConnectionClosedError()
        ):
            return StoreUnavailable(f"the jobs database does not answer: {error}")
        case OSError():
            return StoreUnavailable(f"the jobs database cannot be opened: {error}")
        case _:
            return None


def _create_private(path: Path) -> None:
    # Only ever a file of our own making: closing one that SQLite has open drops its locks.
    with suppress(FileExistsError):
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
        os.close(os.open(path, flags, 0o600))
