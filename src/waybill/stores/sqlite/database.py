"""The one database file: a writer, and a reading connection for every thread."""

from __future__ import annotations

import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import apsw

from waybill.errors import StoreUnavailable
from waybill.stores.sqlite.change_mark import ChangeMark
from waybill.stores.sqlite.connection import (
    open_reader,
    open_writer,
    refuse_old_sqlite,
    translate,
    translated_errors,
)
from waybill.stores.sqlite.migrations import load_migrations, migrate
from waybill.stores.sqlite.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

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
        self._writer = Writer(path, _open_migrated(path))
        # Open from here to the end, so that the log and its index stay in their place.
        self._anchor = self._open_reader()
        self._mark = _open_mark(self._anchor)

    def current_mark(self) -> bytes | None:
        """What stays the same until the next commit of any process; ``None`` where unknown."""
        return self._mark.current()

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
        self._mark.hide()
        with self._readers_guard:
            self._is_closed = True
            readers = list(self._readers)
            self._readers.clear()
        for connection in readers:
            connection.close(force=True)
        # The last one of all processes tidies up the log, which a reader could not.
        self._writer.close()
        self._mark.close()

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


def _open_mark(anchor: apsw.Connection) -> ChangeMark:
    with translated_errors():
        anchor.pragma("user_version")
    mark = ChangeMark(Path(f"{anchor.filename}-shm"))
    mark.open()
    return mark


def _open_migrated(path: Path) -> apsw.Connection:
    connection = open_writer(path)
    try:
        migrate(connection, load_migrations())
    except BaseException:
        connection.close()
        raise
    return connection
