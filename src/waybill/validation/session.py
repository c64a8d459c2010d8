"""Connections to the sandbox that keep their prepared statements from chunk to chunk."""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import duckdb
    import pyarrow as pa

    from waybill.validation.sandbox import Sandbox

T = TypeVar("T")

warnings.filterwarnings("ignore", message="Arrow output on a DB-API result")

VIEW = "chunk"
"""The name under which statements see the rows."""


class Source:
    """What the view reads: the table of the moment, by the Arrow stream protocol."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        stream: Callable[[object], object] = self.table.__arrow_c_stream__
        return stream(requested_schema)


class Session:
    """One connection; used by one thread at a time, always with tables of one schema."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, empty: pa.Table) -> None:
        self._connection = connection
        self._empty = empty
        self._source = Source(empty)
        self._prepared: dict[str, str] = {}
        connection.register(VIEW, self._source)

    def table(self, statement: str, rows: pa.Table) -> pa.Table:
        """The result of ``statement`` over ``rows``, which are read by reference."""
        # The way that DuckDB recommends runs two queries instead of one: 1.3 ms against 0.8 for a
        # hundred rows, 17.0 against 15.2 for 32,768.
        result = self._run(statement, rows, lambda done: done.to_arrow_table())
        if result is None:
            raise TypeError("a check returned no rows at all, not even none")
        return result

    def tuples(self, statement: str, rows: pa.Table) -> list[tuple[Any, ...]]:
        """The same as Python objects: for few rows, sooner than a table."""
        return self._run(statement, rows, lambda done: done.fetchall())

    def _run(
        self, statement: str, rows: pa.Table, fetch: Callable[[duckdb.DuckDBPyConnection], T]
    ) -> T:
        name = self._prepared.get(statement)
        if name is None:
            name = f"s{len(self._prepared)}"
            self._connection.execute(f"PREPARE {name} AS {statement}")
            self._prepared[statement] = name
        self._source.table = rows
        try:
            return fetch(self._connection.execute(f"EXECUTE {name}"))
        finally:
            self._source.table = self._empty

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


class SessionPool:
    """Sessions of one checker: as many as there are threads at the same time."""

    def __init__(self, sandbox: Sandbox, empty: pa.Table) -> None:
        self._sandbox = sandbox
        self._empty = empty
        self._idle: list[Session] = []
        self._lock = threading.Lock()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session for this thread; afterwards it is kept for the next."""
        with self._lock:
            session = self._idle.pop() if self._idle else None
        if session is None:
            session = Session(self._sandbox.connect(), self._empty)
        try:
            yield session
        finally:
            with self._lock:
                self._idle.append(session)

    def close(self) -> None:
        """Close the idle sessions."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()
