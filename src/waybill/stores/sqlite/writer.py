"""The one writer of a process: many callers' writes in one durable transaction."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

import apsw

from waybill.errors import StoreUnavailable
from waybill.stores.sqlite.connection import open_writer, translate
from waybill.stores.sqlite.turnstile import Turnstile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

T = TypeVar("T")

_MOST_WRITES_PER_TRANSACTION: Final = 200
"""Bounds how long one process holds the write lock that all share."""


@dataclass(slots=True)
class _Write:
    """One caller's statements, and where it waits for their commit."""

    work: Callable[[apsw.Connection], None]
    committed: Future[None] = field(default_factory=Future)
    error: Exception | None = None

    def settle(self) -> None:
        """Let the caller go on."""
        if self.error is None:
            self.committed.set_result(None)
        else:
            self.committed.set_exception(self.error)


@dataclass(slots=True)
class Writer:
    """A thread that owns the process's only writing connection.

    Writes that arrive while another transaction is being synced share the next one, each in a
    savepoint of its own, so that one caller's failure undoes nothing of its neighbours'.
    ``connection``: one already open, which becomes the writer's; else the first write opens it.
    """

    path: Path
    connection: apsw.Connection | None = None
    _turnstile: Turnstile = field(init=False)
    _writes: queue.SimpleQueue[_Write | None] = field(default_factory=queue.SimpleQueue)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None
    _is_closed: bool = False

    def __post_init__(self) -> None:
        """Stand beside the other processes' writers."""
        self._turnstile = Turnstile(self.path)

    def run(self, work: Callable[[apsw.Connection], T]) -> T:
        """What ``work`` gives, once it is committed and synced.

        ``work`` runs on the writer's thread inside a transaction and must begin or end none. What
        it raises is raised here, and nothing of it is stored.

        Raises:
            StorageFull: the database cannot be written; nothing of ``work`` is stored.
            StoreUnavailable: it does not answer, or the writer is closed.
        """
        results: list[T] = []
        write = _Write(lambda connection: results.append(work(connection)))
        self._put(write)
        write.committed.result()
        return results[-1]

    def close(self) -> None:
        """Finish the writes at hand and end the thread; safe to repeat."""
        with self._guard:
            self._is_closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            self._writes.put(None)
            thread.join()
        self._drop_connection()
        self._turnstile.close()

    def _put(self, write: _Write) -> None:
        with self._guard:
            if self._is_closed:
                raise StoreUnavailable("the jobs database is closed")
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._serve, name="waybill-store-writer", daemon=True
                )
                self._thread.start()
            self._writes.put(write)

    def _serve(self) -> None:
        while batch := self._next_batch():
            with self._turnstile.turn():
                error = self._commit(batch)
            for write in batch:
                write.error = error or write.error
                write.settle()

    def _next_batch(self) -> Sequence[_Write]:
        """The writes at hand, at least one; none when the writer is closed.

        The mark of the end is the last thing in the queue, so nothing can follow it.
        """
        first = self._writes.get()
        if first is None:
            return ()
        batch = [first]
        while len(batch) < _MOST_WRITES_PER_TRANSACTION:
            try:
                write = self._writes.get_nowait()
            except queue.Empty:
                break
            if write is None:
                self._writes.put(None)
                break
            batch.append(write)
        return batch

    def _commit(self, batch: Sequence[_Write]) -> Exception | None:
        """Run a batch; gives the error of all its writes where the whole transaction failed."""
        try:
            connection = self._connect()
            connection.execute("BEGIN IMMEDIATE")
            for write in batch:
                _run_in_savepoint(connection, write)
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - carried to every caller, who waits for it
            self._roll_back()
            return translate(error) or error
        return None

    def _connect(self) -> apsw.Connection:
        if self.connection is None:
            self.connection = open_writer(self.path)
        return self.connection

    def _roll_back(self) -> None:
        """Undo a batch, on the same connection where that is possible.

        To open the file anew would bring a commit back whose sync failed: its pages are in the
        log, and only the living connections know that they do not count.
        """
        if self.connection is None:
            return
        try:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        except apsw.Error:
            self._drop_connection()

    def _drop_connection(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            # Closing tries a checkpoint; on a full disk it fails too, and is made up for later.
            with suppress(apsw.Error):
                connection.close(force=True)


def _run_in_savepoint(connection: apsw.Connection, write: _Write) -> None:
    """Run one write; its own error undoes only itself, one that ended the transaction is raised."""
    connection.execute("SAVEPOINT write")
    try:
        write.work(connection)
    except Exception as error:
        if not connection.in_transaction or translate(error) is not None:
            raise
        write.error = error
        connection.execute("ROLLBACK TO write")
    connection.execute("RELEASE write")
