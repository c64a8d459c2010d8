"""The fence of each job and the marks of its chunks, over any connection that has the tables."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from waybill.errors import Fenced
from waybill.model.job import Counts
from waybill.ports.sink import (
    CREATED,
    DELETED,
    REFUSED,
    UNCHANGED,
    UPDATED,
    ChunkResult,
    Refusal,
)
from waybill.sinks.ledger.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from waybill.model.ids import JobId
    from waybill.ports.sink import SinkJob


class Fence(msgspec.Struct, frozen=True, kw_only=True):
    """What is noted of a job; ``counts`` once it is sealed."""

    number: int
    epoch: int
    counts: Counts | None


def find_fence(db: apsw.Connection, job: JobId) -> Fence | None:
    """The fence of a job, ``None`` where nothing of it was ever written."""
    row = db.execute(QUERIES["find_fence"], {"job": job}).fetchone()
    return None if row is None else msgspec.convert(_named(row), Fence)


def check_epoch(job: SinkJob, fence: Fence | None) -> None:
    """Let only the latest attempt pass; raises ``Fenced``."""
    if fence is not None and fence.epoch > job.epoch:
        raise Fenced(f"job {job.id} is owned by epoch {fence.epoch}, not {job.epoch}")


def check_open(job: SinkJob, fence: Fence) -> None:
    """Let a new chunk pass only while the job is not sealed; raises ``Fenced``."""
    if fence.counts is not None:
        raise Fenced(f"job {job.id} is sealed")


def raise_fence(db: apsw.Connection, job: SinkJob) -> Fence:
    """Put the fence at ``job.epoch``, sealed or not; gives what is noted of the job then.

    Raises:
        Fenced: a later attempt has begun.
    """
    facts = {"job": job.id, "entity": job.entity.name, "epoch": job.epoch}
    row = db.execute(QUERIES["raise_fence"], facts).fetchone()
    if row is None:
        check_epoch(job, find_fence(db, job.id))
        raise Fenced(f"job {job.id} is not to be written by epoch {job.epoch}")
    return msgspec.convert(_named(row), Fence)


def seal(db: apsw.Connection, number: int, *, removed: int = 0) -> Counts:
    """Close a job for good; gives the counts of all its chunks, and of what it removed besides."""
    rows = db.execute(QUERIES["list_mark_counts"], {"number": number})
    chunks = (msgspec.json.decode(str(text), type=Counts) for (text,) in rows)
    counts = sum(chunks, Counts(removed=removed))
    text = msgspec.json.encode(counts).decode()
    db.execute(QUERIES["seal_job"], {"number": number, "counts": text})
    return counts


def add_mark(db: apsw.Connection, number: int, result: ChunkResult, records: np.ndarray) -> Counts:
    """Note what became of a chunk; gives its counts."""
    counts = count(result.outcomes) + Counts(removed=result.removed)
    refusals = [(each.record, each.code, each.field, each.message) for each in result.refusals]
    mark = {
        "number": number,
        "chunk": result.chunk,
        "records": _pack_records(records),
        "outcomes": zlib.compress(result.outcomes, 1),
        "refusals": msgspec.json.encode(refusals).decode(),
        "counts": msgspec.json.encode(counts).decode(),
    }
    db.execute(QUERIES["add_mark"], mark)
    return counts


def repeat_marks(db: apsw.Connection, number: int, of: int) -> bool:
    """Note for a job what became of the chunks of another one, as unchanged; whether any did."""
    after, mark = -1, find_next_mark(db, of, -1)
    while mark is not None:
        after = mark.chunk
        unchanged = replace(mark, outcomes=bytes([UNCHANGED]) * len(mark.records), removed=0)
        add_mark(db, number, unchanged, np.asarray(mark.records, dtype=np.int64))
        mark = find_next_mark(db, of, after)
    return after >= 0


def find_mark(db: apsw.Connection, number: int, chunk: int) -> ChunkResult | None:
    """The stored result of a chunk, ``None`` where it was not applied."""
    row = db.execute(QUERIES["find_mark"], {"number": number, "chunk": chunk}).fetchone()
    return None if row is None else _read_mark(row)


def find_next_mark(db: apsw.Connection, number: int, after: int) -> ChunkResult | None:
    """The stored result of the first chunk after that one, ``None`` at the end."""
    row = db.execute(QUERIES["find_next_mark"], {"number": number, "chunk": after}).fetchone()
    return None if row is None else _read_mark(row)


def delete_marks(db: apsw.Connection, number: int) -> None:
    """Forget what became of a job's chunks."""
    db.execute(QUERIES["delete_marks"], {"number": number})


def count(outcomes: bytes) -> Counts:
    """Counts over outcome bytes; what the sink refused counts as rejected."""
    return Counts(
        read=len(outcomes),
        created=outcomes.count(CREATED),
        updated=outcomes.count(UPDATED),
        unchanged=outcomes.count(UNCHANGED),
        deleted=outcomes.count(DELETED),
        rejected=outcomes.count(REFUSED),
    )


def _named(row: Sequence[apsw.SQLiteValue]) -> dict[str, object]:
    number, epoch, counts = row
    stored = None if counts is None else msgspec.json.decode(str(counts))
    return {"number": number, "epoch": epoch, "counts": stored}


def _read_mark(row: Sequence[apsw.SQLiteValue]) -> ChunkResult:
    chunk, records, outcomes, refusals = msgspec.convert(row, tuple[int, bytes, bytes, str])
    stored = msgspec.json.decode(refusals, type=list[tuple[int, str, str | None, str]])
    return ChunkResult(
        chunk=chunk,
        records=_unpack_records(records),
        outcomes=zlib.decompress(outcomes),
        refusals=tuple(
            Refusal(record=record, code=code, field=field, message=message)
            for record, code, field, message in stored
        ),
    )


def _pack_records(records: np.ndarray) -> bytes:
    """Record numbers as runs, since most follow each other: first numbers, then lengths."""
    if len(records) and records[-1] - records[0] == len(records) - 1:
        return zlib.compress(np.array([records[0], len(records)], dtype="<i8").tobytes(), 1)
    starts = np.flatnonzero(np.diff(records, prepend=records[:1] - 2) != 1)
    lengths = np.diff(starts, append=len(records))
    return zlib.compress(np.concatenate([records[starts], lengths]).astype("<i8").tobytes(), 1)


def _unpack_records(packed: bytes) -> list[int]:
    runs = np.frombuffer(zlib.decompress(packed), dtype="<i8")
    firsts, lengths = np.split(runs, 2)
    records: list[int] = np.concatenate(
        [np.arange(first, first + length) for first, length in zip(firsts, lengths, strict=True)]
        or [runs]
    ).tolist()
    return records
