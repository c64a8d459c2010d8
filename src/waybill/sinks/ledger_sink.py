"""A base for a team's own sink: it keeps the fence and the marks, the team writes the rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

import apsw

from waybill.errors import JobFailed
from waybill.model.options import Operation
from waybill.ports.parts import join_outcomes, parts_of_chunk
from waybill.ports.sink import (
    ACTION,
    CREATED,
    DELETED,
    RECORD,
    REFUSED,
    UNCHANGED,
    UPDATED,
    ChunkResult,
    Refusal,
)
from waybill.sinks.ledger import entries as ledger
from waybill.sinks.ledger.errors import translated_errors
from waybill.sinks.ledger.queries import LEDGER_TABLES
from waybill.validation.codes import make_finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from waybill.model.ids import JobId
    from waybill.model.job import Counts
    from waybill.ports.sink import SinkJob

_OUTCOMES: Final = frozenset((CREATED, UPDATED, UNCHANGED, DELETED, REFUSED))
_REASONS: Final = {
    Operation.INSERT: "KEY_EXISTS",
    Operation.UPDATE: "KEY_NOT_FOUND",
    Operation.DELETE: "KEY_NOT_FOUND",
}


class LedgerSink(ABC):
    """A ``Sink`` of which a subclass writes only ``write``, and ``publish`` for whole files.

    Fence, marks, outcomes and totals lie in ``<directory>/ledgers/<name of the class>.sqlite``. The
    ledger is locked while rows are written: so no attempt that was taken for dead can write after
    its successor has begun, and the chunks of one sink are written one after the other, by all
    threads and processes of this host.

    Rows and ledger are two stores, and no commit spans both. Rows first: a chunk is given to
    ``write`` at least once, and again where the process died before the ledger's commit.
    """

    def __init__(self, directory: Path, *, busy_timeout_seconds: float = 120.0) -> None:
        self.directory = directory
        self._busy_timeout_seconds = busy_timeout_seconds

    @abstractmethod
    def write(self, job: SinkJob, rows: pa.Table) -> bytes:
        """Write one chunk, ``rows`` as ``Sink`` describes them; gives an outcome byte for each row.

        Must be repeatable: the rows may have been written before, by a process that died since.
        Upserts by key are. An insert or a delete that is repeated finds its own work, and had
        better know it: what is ``REFUSED`` becomes a rejection (``KEY_EXISTS`` for an insert,
        ``KEY_NOT_FOUND`` for an update or a delete). The rows must be durable when it returns.
        With ``job.whole_file`` nobody may see them before ``publish``, but later chunks must.
        Records that are stored in several entities come once for each, with that entity's job.

        Raises:
            StoreUnavailable: the store does not answer; the job is tried again later. So it is
                after an ``OSError``.
        """

    def publish(self, job: SinkJob) -> None:
        """Show what ``write`` hid of a whole file; must be repeatable, too.

        A sink that does not override this takes no whole files.
        """
        raise JobFailed(
            f"the sink of {job.entity.name} takes no whole files; set atomicity to row",
            code="SINK_TAKES_NO_WHOLE_FILE",
        )

    def begin(self, job: SinkJob) -> None:
        """See ``Sink.begin``; raises ``JobFailed`` for a whole file that cannot be published."""
        if job.whole_file and type(self).publish is LedgerSink.publish:
            self.publish(job)
        with self._transaction() as db:
            ledger.raise_fence(db, job)

    def apply(
        self, job: SinkJob, chunk: int, rows: pa.Table, *, seals: bool = False
    ) -> ChunkResult:
        """See ``Sink.apply``."""
        with self._transaction() as db:
            fence = ledger.raise_fence(db, job)
            stored = ledger.find_mark(db, fence.number, chunk)
            if stored is not None:
                return stored
            ledger.check_open(job, fence)
            result = _result(job, chunk, rows, self._write_parts(job, rows))
            ledger.add_mark(db, fence.number, result, rows.column(RECORD).to_numpy())
            if seals and not job.whole_file:
                ledger.seal(db, fence.number)
        return result

    def seal(self, job: SinkJob) -> Counts:
        """See ``Sink.seal``."""
        with self._transaction() as db:
            fence = ledger.raise_fence(db, job)
            if fence.counts is not None:
                return fence.counts
            if job.whole_file:
                self.publish(job)
            return ledger.seal(db, fence.number)

    def results(self, job: JobId) -> Iterator[ChunkResult]:
        """See ``Sink.results``."""
        with translated_errors(), self._connected() as db:
            fence = ledger.find_fence(db, job)
            result = ledger.find_next_mark(db, fence.number, -1) if fence else None
            while fence and result:
                yield result
                result = ledger.find_next_mark(db, fence.number, result.chunk)

    def _write_parts(self, job: SinkJob, rows: pa.Table) -> bytes:
        parts = parts_of_chunk(job, rows)
        return join_outcomes([self._write_checked(part, part_rows) for part, part_rows in parts])

    def _write_checked(self, job: SinkJob, rows: pa.Table) -> bytes:
        outcomes = self.write(job, rows)
        if len(outcomes) != rows.num_rows or not _OUTCOMES.issuperset(outcomes):
            raise JobFailed(
                f"the sink of {job.entity.name} gave {len(outcomes)} outcomes "
                f"for {rows.num_rows} records, or unknown ones",
                code="SINK_BROKEN",
            )
        return outcomes

    @contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        """The ledger, held alone until it is committed, or rolled back on an error."""
        with translated_errors(), self._connected() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")

    @contextmanager
    def _connected(self) -> Iterator[apsw.Connection]:
        folder = self.directory / "ledgers"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{type(self).__name__}.sqlite"
        with closing(apsw.Connection(str(path))) as db:
            db.set_busy_timeout(int(self._busy_timeout_seconds * 1000))
            db.pragma("journal_mode", "wal")
            db.pragma("synchronous", "full")
            db.execute(LEDGER_TABLES)
            yield db


def _result(job: SinkJob, chunk: int, rows: pa.Table, outcomes: bytes) -> ChunkResult:
    records: list[int] = rows.column(RECORD).to_numpy().tolist()
    refused = [place for place, outcome in enumerate(outcomes) if outcome == REFUSED]
    actions = rows.column(ACTION).to_pylist() if ACTION in rows.column_names else []
    return ChunkResult(
        chunk=chunk,
        records=records,
        outcomes=outcomes,
        refusals=tuple(
            _refusal(job, records[place], actions[place] if actions else None) for place in refused
        ),
    )


def _refusal(job: SinkJob, record: int, action: str | None) -> Refusal:
    operation = Operation(action) if action else job.operation
    code = _REASONS.get(operation, "SINK_REFUSED") if job.entity.key else "SINK_REFUSED"
    reason = f"{operation.value} is not possible for this record"
    return Refusal(
        record=record, code=code, field=None, message=make_finding(code, reason=reason).message
    )
