"""The sink itself: fence, rows, marks and outcomes of a chunk in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw
import msgspec

from waybill.errors import JobFailed
from waybill.ports.parts import join_outcomes, parts_of_chunk, stored_in
from waybill.ports.sink import RECORD, ChunkResult, Preview, RecordPage, RecordSlice
from waybill.sinks.ledger import entries as ledger
from waybill.sinks.sqlite import reading, staging
from waybill.sinks.sqlite.incoming import prepare
from waybill.sinks.sqlite.layout import find_layout, make_layout
from waybill.sinks.sqlite.previewing import preview
from waybill.sinks.sqlite.projects import Projects
from waybill.sinks.sqlite.queries import CATALOGUE, QUERIES
from waybill.sinks.sqlite.staging import Stage
from waybill.sinks.sqlite.target import Target
from waybill.sinks.sqlite.writing import write_chunk

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from waybill.model.entity import Entity
    from waybill.model.ids import JobId, ProjectName
    from waybill.model.job import Counts
    from waybill.ports.sink import Receipt, SinkJob
    from waybill.sinks.sqlite.incoming import Incoming
    from waybill.sinks.sqlite.layout import Layout
    from waybill.sinks.sqlite.outcomes import Verdicts
    from waybill.sinks.sqlite.project import ProjectDatabase


def open_sink(settings: Mapping[str, object], directory: Path) -> SqliteSink:
    """The embedded sink under ``directory``; it takes no settings. See the how-to on sinks."""
    del settings
    return SqliteSink(directory)


class SqliteSink:
    """Records in ``<directory>/<project>.sqlite``, one table per entity.

    Safe to use from several threads and processes. Memory is one chunk and the page cache. Every
    method raises ``StorageFull`` where the disk is full and ``StoreUnavailable`` where the
    database does not answer; nothing was written then.
    """

    def __init__(self, directory: Path, *, busy_timeout_seconds: float = 30.0) -> None:
        self._projects = Projects(directory, busy_timeout_seconds)
        self._new_share: dict[JobId, float] = {}

    def begin(self, job: SinkJob) -> None:
        """See ``Sink.begin``; raises ``SchemaInvalid`` where the entity cannot be stored.

        The first attempt at a job has nobody to fence: it writes only what is not there yet.
        """
        database = self._projects.of(job.project)
        self._projects.remember(job.id, job.project)
        self._new_share.pop(job.id, None)
        is_ready = all(map(database.is_ready, stored_in(job.entity)))
        if job.epoch <= 1 and is_ready and not job.whole_file:
            ledger.check_epoch(job, _find_fence(database, job))
            return
        with database.transaction() as db:
            fence = ledger.raise_fence(db, job)
            layouts = [database.layout(db, entity) for entity in stored_in(job.entity)]
            if job.whole_file and fence.counts is None:
                _stage(job, db, layouts[0], fence.number).prepare()

    def apply(
        self, job: SinkJob, chunk: int, rows: pa.Table, *, seals: bool = False
    ) -> ChunkResult:
        """See ``Sink.apply``; ``seals`` saves a small job its second commit."""
        parts = _prepare_parts(job, rows)
        database = self._projects.of(job.project)
        with database.transaction() as db:
            fence = ledger.raise_fence(db, job)
            stored = ledger.find_mark(db, fence.number, chunk)
            if stored is not None:
                return stored
            ledger.check_open(job, fence)
            db.execute(QUERIES["note_change"], {"number": fence.number})
            verdicts = []
            for part, incoming in parts:
                layout = database.layout(db, part.entity)
                verdicts.append(self._write(part, db, layout, fence.number, incoming))
            result = _result(chunk, rows, verdicts)
            counts = ledger.add_mark(db, fence.number, result, rows.column(RECORD).to_numpy())
            if counts.changed and not job.whole_file:
                _raise_versions(db, job)
            if seals and not job.whole_file:
                ledger.seal(db, fence.number)
        self._new_share[job.id] = counts.created / max(1, counts.read)
        return result

    def seal(self, job: SinkJob) -> Counts:
        """See ``Sink.seal``. ``read`` of the counts is what reached the sink."""
        database = self._projects.of(job.project)
        known = _find_fence(database, job)
        if known is not None and known.counts is not None:
            ledger.check_epoch(job, known)
            self._new_share.pop(job.id, None)
            return known.counts
        with database.transaction() as db:
            fence = ledger.raise_fence(db, job)
            if fence.counts is not None:
                return fence.counts
            removed = self._publish(job, db, fence.number)
            counts = ledger.seal(db, fence.number, removed=removed)
            _save_receipt(db, job, fence.number)
        self._new_share.pop(job.id, None)
        return counts

    def results(self, job: JobId) -> Iterator[ChunkResult]:
        """See ``Sink.results``; no lock is held between two chunks."""
        database = self._projects.of_job(job)
        after = -1
        while database is not None:
            with database.reading() as db:
                fence = ledger.find_fence(db, job)
                result = ledger.find_next_mark(db, fence.number, after) if fence else None
            if result is None:
                return
            yield result
            after = result.chunk

    def plan(self, job: SinkJob, rows: pa.Table) -> ChunkResult:
        """See ``QueryableSink.plan``: the writes of ``apply``, rolled back."""
        database = self._projects.of(job.project)
        if not database.exists:
            return self._plan_in(_empty_database(), job, rows)
        with database.transaction(keep=False) as db:
            return self._plan_in(db, job, rows)

    def missing(
        self, project: ProjectName, entity: str, fields: Sequence[str], values: pa.Table
    ) -> Sequence[bool]:
        """See ``QueryableSink.missing``; one pass over the entity, whatever ``values`` holds."""
        database = self._projects.of(project)
        if not database.exists:
            return [True] * values.num_rows
        with database.reading() as db:
            return reading.find_missing(db, entity, fields, values)

    def values(
        self, project: ProjectName, entity: str, field: str, keys: pa.Table
    ) -> Sequence[object]:
        """See ``QueryableSink.values``."""
        database = self._projects.of(project)
        if not database.exists:
            return [None] * keys.num_rows
        with database.reading() as db:
            return reading.find_values(db, entity, field, keys)

    def records(
        self, project: ProjectName, entity: Entity, *, after: str, limit: int
    ) -> RecordPage:
        """See ``QueryableSink.records``; raises ``RequestInvalid`` for a foreign cursor.

        Booleans are ``bool``; numbers that were exact decimals are ``Decimal``; fields of the
        open part follow the declared ones.
        """
        database = self._projects.of(project)
        if not database.exists:
            return RecordPage(records=(), next=None)
        with database.reading() as db:
            layout = find_layout(db, entity)
            if layout is None:
                return RecordPage(records=(), next=None)
            return reading.read_page(db, layout, after=after, limit=limit)

    def record_slice(
        self, project: ProjectName, entity: Entity, *, sort: str, offset: int, limit: int
    ) -> RecordSlice:
        """See ``QueryableSink.record_slice``; values as ``records`` gives them."""
        database = self._projects.of(project)
        if not database.exists:
            return RecordSlice(records=(), changed_at=(), total=0)
        with database.reading() as db:
            layout = find_layout(db, entity)
            if layout is None:
                return RecordSlice(records=(), changed_at=(), total=0)
            return reading.read_slice(db, layout, sort=sort, offset=offset, limit=limit)

    def abandon(self, job: JobId) -> None:
        """See ``QueryableSink.abandon``; the marks of what was staged go with it."""
        database = self._projects.of_job(job)
        if database is None:
            return
        with database.transaction() as db:
            fence = ledger.find_fence(db, job)
            if fence is not None and staging.is_staged(db, fence.number):
                staging.drop_stage(db, fence.number)
                ledger.delete_marks(db, fence.number)

    def forget(self, job: JobId) -> None:
        """See ``QueryableSink.forget``; the fence stays, so that nothing old can write again."""
        database = self._projects.of_job(job)
        if database is None:
            return
        with database.transaction() as db:
            fence = ledger.find_fence(db, job)
            if fence is not None:
                ledger.delete_marks(db, fence.number)

    def close(self) -> None:
        """Close all files; the next use opens them again."""
        self._projects.close()

    def scan(
        self, project: ProjectName, entity: Entity, passes: Sequence[frozenset[str]]
    ) -> Generator[tuple[int, Mapping[str, object]], None, None]:
        """See ``QueryableSink.scan``; the moment has a connection of its own."""
        database = self._projects.of(project)
        if not database.exists:
            return
        with database.moment() as db:
            layout = find_layout(db, entity)
            for number, kinds in enumerate(passes if layout is not None else ()):
                if layout is not None:
                    for record in reading.scan(db, layout, kinds):
                        yield number, record

    def version(self, project: ProjectName, entity: Entity) -> str:
        """See ``QueryableSink.version``."""
        database = self._projects.of(project)
        if not database.exists:
            return "0"
        with database.reading() as db:
            return _version(db, entity)

    def preview(self, job: SinkJob, *, samples: int) -> Preview:
        """See ``QueryableSink.preview``."""
        database = self._projects.of(job.project)
        if not database.exists:
            return Preview()
        with database.transaction(keep=False) as db:  # all see the same records
            fence, layout = ledger.find_fence(db, job.id), find_layout(db, job.entity)
            if fence is None or layout is None or not staging.is_staged(db, fence.number):
                return Preview()
            return preview(_stage(job, db, layout, fence.number), samples=samples)

    def receipt_note(self, project: ProjectName, entity: Entity, fingerprint: str) -> str | None:
        """See ``RepeatingSink.receipt_note``."""
        database = self._projects.of(project)
        if not database.exists:
            return None
        with database.reading() as db:
            found = _receipt(db, entity, fingerprint)
            return None if found is None else found[1]

    def repeat(self, job: SinkJob, receipt: Receipt) -> bool:
        """See ``RepeatingSink.repeat``."""
        database = self._projects.of(job.project)
        with database.transaction() as db:
            fence = ledger.raise_fence(db, job)
            ledger.check_open(job, fence)
            number, note = _receipt(db, job.entity, receipt.fingerprint) or (0, None)
            return note == receipt.note and ledger.repeat_marks(db, fence.number, number)

    def _write(
        self, job: SinkJob, db: apsw.Connection, layout: Layout, number: int, incoming: Incoming
    ) -> Verdicts:
        if job.whole_file:
            return _stage(job, db, layout, number).write(incoming)
        target = _entity_table(db, layout, number)
        return write_chunk(target, incoming, expect_new=self._expects_new(job, target))

    def _publish(self, job: SinkJob, db: apsw.Connection, number: int) -> int:
        """Show what was staged, if anything; gives how many records were missing in the file."""
        if not staging.is_staged(db, number):
            return 0
        if job.expects_version not in {"", _version(db, job.entity)}:
            raise JobFailed(
                f"records of {job.entity.name} have changed since the plan was made; "
                "make a new one",
                code="PLAN_OUTDATED",
            )
        before = db.total_changes()
        removed = _stage(job, db, make_layout(db, job.entity), number).publish()
        if db.total_changes() > before:
            _raise_versions(db, job)
        return removed

    def _plan_in(self, db: apsw.Connection, job: SinkJob, rows: pa.Table) -> ChunkResult:
        verdicts = []
        for part, incoming in _prepare_parts(job, rows):
            target = _entity_table(db, make_layout(db, part.entity), 0)
            verdicts.append(write_chunk(target, incoming, expect_new=_is_empty(target)))
        return _result(0, rows, verdicts)

    def _expects_new(self, job: SinkJob, target: Target) -> bool:
        share = None if job.entity.parts else self._new_share.get(job.id)
        return _is_empty(target) if share is None else share > 0.5  # noqa: PLR2004 - one half


def _find_fence(database: ProjectDatabase, job: SinkJob) -> ledger.Fence | None:
    if not database.exists:
        return None
    with database.reading() as db:
        return ledger.find_fence(db, job.id)


def _stage(job: SinkJob, db: apsw.Connection, layout: Layout, number: int) -> Stage:
    return Stage(db=db, layout=layout, number=number, removal=job.removal)


def _version(db: apsw.Connection, entity: Entity) -> str:
    return str(db.execute(QUERIES["find_version"], {"entity": entity.name}).get or 0)


def _raise_versions(db: apsw.Connection, job: SinkJob) -> None:
    for entity in stored_in(job.entity):
        db.execute(QUERIES["raise_version"], {"entity": entity.name})


def _receipt(db: apsw.Connection, entity: Entity, fingerprint: str) -> tuple[int, str] | None:
    """The number of the job that left a receipt, and its note."""
    wanted = {"entity": entity.name, "version": _version(db, entity), "fingerprint": fingerprint}
    row = db.execute(QUERIES["find_receipt"], wanted).fetchone()
    return None if row is None else msgspec.convert(row, tuple[int, str])


def _save_receipt(db: apsw.Connection, job: SinkJob, number: int) -> None:
    if job.receipt is not None:
        receipt = {
            "entity": job.entity.name,
            "version": _version(db, job.entity),
            "number": number,
            "fingerprint": job.receipt.fingerprint,
            "note": job.receipt.note,
        }
        db.execute(QUERIES["save_receipt"], receipt)


def _entity_table(db: apsw.Connection, layout: Layout, number: int) -> Target:
    return Target(db=db, layout=layout, table=layout.table, job=number)


def _is_empty(target: Target) -> bool:
    probe = f"SELECT 1 FROM {target.name} LIMIT 1"  # noqa: S608 - quoted name
    return target.db.execute(probe).fetchone() is None


def _prepare_parts(job: SinkJob, rows: pa.Table) -> list[tuple[SinkJob, Incoming]]:
    return [
        (part, prepare(part.entity, part.operation, part_rows))
        for part, part_rows in parts_of_chunk(job, rows)
    ]


def _result(chunk: int, rows: pa.Table, verdicts: Sequence[Verdicts]) -> ChunkResult:
    """What became of a chunk; ``verdicts``: of each of its parts."""
    return ChunkResult(
        chunk=chunk,
        records=rows.column(RECORD).to_numpy().tolist(),
        outcomes=join_outcomes([each.outcomes.tobytes() for each in verdicts]),
        refusals=tuple(refusal for each in verdicts for refusal in each.refusals),
        removed=sum(each.removed for each in verdicts),
    )


def _empty_database() -> apsw.Connection:
    db = apsw.Connection(":memory:")
    db.execute(CATALOGUE)
    return db
