"""The database of one project: who writes it, who reads it, and when it is checkpointed."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from threading import RLock
from typing import TYPE_CHECKING, Final

import apsw

from waybill.sinks.ledger.errors import translated_errors
from waybill.sinks.sqlite.layout import Layout, make_layout
from waybill.sinks.sqlite.queries import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from waybill.model.entity import Entity

PAGE_BYTES: Final = 8_192
_WRITER_CACHE_KIBIBYTES: Final = 32_000
_READER_CACHE_KIBIBYTES: Final = 8_000
_CHECKPOINT_BYTES: Final = 48 * 1024 * 1024


class ProjectDatabase:
    """One database file; safe to use from several threads and processes.

    Writing and reading have a connection each, so that a reader never waits for a chunk.
    """

    def __init__(self, path: Path, busy_timeout_seconds: float) -> None:
        self._path = path
        self._busy_timeout_seconds = busy_timeout_seconds
        self._writer: apsw.Connection | None = None
        self._reader: apsw.Connection | None = None
        self._writing = RLock()
        self._reading = RLock()
        self._wal_pages = 0
        self._layouts: dict[str, tuple[int, Layout]] = {}

    @property
    def exists(self) -> bool:
        """Whether anything was ever stored."""
        return self._path.exists()

    @contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[apsw.Connection]:
        """A connection inside one durable transaction; rolled back on an error or ``keep=False``.

        Raises:
            StorageFull: no space, or a write failed.
            StoreUnavailable: another process holds the database, or it cannot be opened.
        """
        with self._writing, translated_errors():
            db = self._open_writer()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT" if keep else "ROLLBACK")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                    self._layouts.clear()
            if not keep:
                self._layouts.clear()
            self._checkpoint(db)

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """A connection for short reads; the database must exist. Raises as ``transaction``."""
        with self._reading, translated_errors():
            if self._reader is None:
                self._reader = self._connect(_READER_CACHE_KIBIBYTES)
            yield self._reader

    @contextmanager
    def moment(self) -> Iterator[apsw.Connection]:
        """A connection that sees the database as it is now until it is closed; it must exist.

        The log cannot be emptied meanwhile.
        """
        with translated_errors():
            db = self._connect(_READER_CACHE_KIBIBYTES)
            try:
                db.execute("BEGIN")
                yield db
            finally:
                db.close()

    def layout(self, db: apsw.Connection, entity: Entity) -> Layout:
        """The layout of an entity, made if need be; call inside ``transaction``.

        Raises:
            SchemaInvalid: the stored records cannot be kept under this version of the entity.
        """
        known = self._known_layout(db, entity)
        if known is None:
            known = make_layout(db, entity)
            self._layouts[entity.name] = (_schema_version(db), known)
        return known

    def is_ready(self, entity: Entity) -> bool:
        """Whether nothing has to be made before chunks of this entity can be written."""
        with self._writing, translated_errors():
            writer = self._writer
            return writer is not None and self._known_layout(writer, entity) is not None

    def close(self) -> None:
        """Close both connections; safe to repeat, the next use opens them again."""
        with self._writing, self._reading:
            for connection in (self._reader, self._writer):
                if connection is not None:
                    connection.close()
            self._reader = self._writer = None
            self._layouts.clear()

    def _known_layout(self, db: apsw.Connection, entity: Entity) -> Layout | None:
        version, layout = self._layouts.get(entity.name, (-1, None))
        if layout is None or layout.entity != entity or version != _schema_version(db):
            return None
        return layout

    def _open_writer(self) -> apsw.Connection:
        if self._writer is None:
            _create_private(self._path)
            db = self._connect(_WRITER_CACHE_KIBIBYTES)
            db.pragma("journal_mode", "wal")
            db.execute(CATALOGUE)
            db.set_wal_hook(self._note_commit)
            self._writer = db
        return self._writer

    def _connect(self, cache_kibibytes: int) -> apsw.Connection:
        db = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READWRITE)
        db.set_busy_timeout(int(self._busy_timeout_seconds * 1000))
        # First: SQLite counts its cache in pages of the size that it knows at that moment.
        db.pragma("page_size", PAGE_BYTES)
        db.pragma("synchronous", "full")
        db.pragma("cache_size", -cache_kibibytes)
        db.pragma("wal_autocheckpoint", 0)
        db.pragma("journal_size_limit", _CHECKPOINT_BYTES)
        return db

    def _note_commit(self, _db: apsw.Connection, _name: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _checkpoint(self, db: apsw.Connection) -> None:
        """Move the log into the database once it is large, after a commit and never inside one."""
        if self._wal_pages * PAGE_BYTES > _CHECKPOINT_BYTES:
            self._wal_pages = 0
            with suppress(apsw.BusyError):
                db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)


def _create_private(path: Path) -> None:
    """Make the file for its owner only, and its name durable."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileExistsError):
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
        os.close(os.open(path, flags, 0o600))
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _schema_version(db: apsw.Connection) -> int:
    version = db.pragma("schema_version")
    return version if isinstance(version, int) else -1
