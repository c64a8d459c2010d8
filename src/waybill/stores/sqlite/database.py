"""The one database file: a writer, and a reading connection for every thread."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, TypeVar

import apsw

from waybill.errors import StoreUnavailable
from waybill.stores.sqlite.connection import (
    open_reader,
    open_writer,
    refuse_old_sqlite,
    translate,
)
from waybill.stores.sqlite.migrations import load_migrations, migrate
from waybill.stores.sqlite.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")


class Database:
    """Opened, migrated, and ready for many threads; one per process, never taken over a fork."""

    def __init__(self, path: Path) -> None:
        """Open or make the file at ``path``.

        Raises:
            StorageFull: no space.
            StoreUnavailable: an old SQLite, a database of a newer version, or none at all.
        """
        refuse_old_sqlite(apsw.sqlite_lib_version())
        self._path = path
        self._local = threading.local()
        self._readers: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()
        self._readers_guard = threading.Lock()
        self._is_closed = False
        # Open from here to the end, so that readers never have to make the log's index themselves.
        self._writer = Writer(path, _open_migrated(path))

    def write(self, work: Callable[[apsw.Connection], T]) -> T:
        """See ``Writer.run``."""
        return self._writer.run(work)

    def read(self, work: Callable[[apsw.Connection], T]) -> T:
        """What ``work`` gives on this thread's reading connection.

        Each statement sees what is committed when it begins.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        try:
            return work(self._reader())
        except apsw.Error as error:
            if translate(error) is None:
                raise
            raise StoreUnavailable(f"the jobs database cannot be read: {error}") from error

    def close(self) -> None:
        """Commit what is at hand and close every connection; safe to repeat."""
        self._writer.close()
        with self._readers_guard:
            self._is_closed = True
            readers = list(self._readers)
            self._readers.clear()
        for connection in readers:
            connection.close(force=True)

    def _reader(self) -> apsw.Connection:
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._open_reader()
            self._local.connection = connection
        return connection

    def _open_reader(self) -> apsw.Connection:
        with self._readers_guard:
            if self._is_closed:
                raise StoreUnavailable("the jobs database is closed")
            connection = open_reader(self._path)
            self._readers.add(connection)
            return connection


def _open_migrated(path: Path) -> apsw.Connection:
    connection = open_writer(path)
    try:
        migrate(connection, load_migrations())
    except BaseException:
        connection.close()
        raise
    return connection
