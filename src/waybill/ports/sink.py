"""Where accepted records go. Implementations pass ``waybill.testing.SinkContract``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from waybill.model.entity import Entity
    from waybill.model.ids import JobId, ProjectName
    from waybill.model.job import Counts
    from waybill.model.options import Operation
    from waybill.model.plan import Effect, KindShare, PlannedChange

RECORD: Final = "_record"
"""Column of every chunk: record number in the file, int64, rising."""
KEY: Final = "_key"
"""Column of every chunk of a keyed entity: the key as one text, the same for equal keys."""
KEY_SEPARATOR: Final = "\x1f"
"""What stands between the values of a key of several fields, and inside of none."""
HASH: Final = "_hash"
"""Column of every chunk: int64 digest over all values, equal for equal records.

What a record lacks (``ABSENT``) is part of it: equal digests mean the same fields, too.
"""
ACTION: Final = "_action"
"""Column only where the entity has an action column: the operation of this record, text."""
EXTRA: Final = "_extra"
"""Column only where undeclared columns are kept: one JSON object, in file order."""

ABSENT: Final = "_absent"
"""Column only where records keep what they lack: the fields that this record lacks, list<string>.

Their columns hold what a new record gets; a record that is stored keeps its values of them.
"""

CREATED: Final = ord("C")
UPDATED: Final = ord("U")
UNCHANGED: Final = ord("N")
DELETED: Final = ord("D")
REFUSED: Final = ord("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Which stored records go unless the job's file has them.

    ``kinds``: those of these kinds of the entity's partition; ``None``: all of the entity.
    """

    kinds: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Of a whole file: what the same file under the same terms can be recognised by later.

    ``fingerprint``: of all that its outcome depends on besides the stored records. ``note``: what
    is to be said of the file then.
    """

    fingerprint: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkJob:
    """What a sink knows of a job: enough to fence, and to tell jobs apart.

    ``removal``: with ``whole_file`` only. What it names is gone before the first record comes, but
    an upsert of the same key finds it, so that what is as it was is unchanged.
    ``expects_version``: with ``whole_file``, the data as ``QueryableSink.version`` gave it; empty:
    any. ``receipt``: with ``whole_file``, for ``RepeatingSink.repeat``, where the job leaves every
    one of its records as the file has it.
    """

    id: JobId
    epoch: int
    project: ProjectName
    entity: Entity
    operation: Operation
    whole_file: bool = False
    removal: Removal | None = None
    expects_version: str = ""
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A record that the sink itself refused; a code of the catalogue, and what it said."""

    record: int
    code: str
    field: str | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkResult:
    """What became of one chunk.

    ``records`` and ``outcomes`` run in parallel, in file order: record numbers, and one of the
    outcome bytes above for each. Every record of the chunk appears once. ``removed``: how many
    records went with their owners.
    """

    chunk: int
    records: Sequence[int]
    outcomes: bytes
    refusals: tuple[Refusal, ...] = ()
    removed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What publishing a whole file would do.

    ``removed``: records that go though no record of the file says so. The rest is as in ``Plan``.
    """

    removed: int = 0
    shares: Sequence[KindShare] = ()
    samples: Mapping[Effect, Sequence[PlannedChange]] = field(default_factory=dict)


@runtime_checkable
class Sink(Protocol):
    """A keyed store that takes chunks at least once and applies each exactly once.

    A chunk is a ``pa.Table``: the columns named above, then one column per declared field that
    the file has, typed, under the field's name. A field without a column keeps its stored value
    (``None`` for a new record); so does one that ``ABSENT`` names, in its record. Columns of secret
    fields hold hashes. A field with a ``column_prefix`` is one JSON object as text, which changes
    the stored one member by member: a member that it lacks keeps its value, ``null`` removes one
    (RFC 7396); ``ABSENT`` never names it. An ``update``, but nothing else, changes a field that is
    ``patched`` in the same way.

    What a deleted record owns by the entity's partition is deleted with it.

    Records of an entity with parts are stored in other entities: ``ports/parts.py`` takes a chunk
    apart and joins the outcomes. Such a job only upserts, and is never a whole file.
    """

    def begin(self, job: SinkJob) -> None:
        """Raise the fence of the job to ``job.epoch``; make ready what the entity needs.

        A sealed job may begin again: a run that died between ``seal`` and its end is repeated.

        Raises:
            Fenced: a later attempt has begun.
        """

    def apply(
        self, job: SinkJob, chunk: int, rows: pa.Table, *, seals: bool = False
    ) -> ChunkResult:
        """Apply one chunk in one transaction, with its mark and its outcomes.

        A chunk already applied, by this or an earlier attempt, changes nothing and gives the
        stored result. With ``job.whole_file`` the rows are staged: readers see nothing of them
        before ``seal``; outcomes are final then already. ``seals``: this is the job's last chunk,
        so the sink may seal the job in the same transaction, and ``seal``, which is called all
        the same, then only reads; a sink may ignore it. It is never given with ``job.whole_file``.

        Raises:
            Fenced: a later attempt has begun, or the job is sealed and this chunk is new.
        """

    def seal(self, job: SinkJob) -> Counts:
        """Close the job for good, publish staged rows in one transaction, give its counts.

        Repeating it gives the same counts.

        Raises:
            Fenced: a later attempt has begun.
            JobFailed: ``PLAN_OUTDATED``: the data is not as the job expects it.
        """

    def results(self, job: JobId) -> Iterator[ChunkResult]:
        """The stored result of every applied chunk, by rising number."""


@runtime_checkable
class QueryableSink(Sink, Protocol):
    """A sink that can also be asked; the embedded one is. Needed for plans, references, reads."""

    def plan(self, job: SinkJob, rows: pa.Table) -> ChunkResult:
        """What ``apply`` would do with this chunk; writes nothing, needs no ``begin``."""

    def missing(
        self, project: ProjectName, entity: str, fields: Sequence[str], values: pa.Table
    ) -> Sequence[bool]:
        """For each row of ``values`` (columns named as ``fields``) whether no record has it.

        ``fields`` may be ``KEY`` alone: keys as chunks have them, as many as a chunk.
        """

    def values(
        self, project: ProjectName, entity: str, field: str, keys: pa.Table
    ) -> Sequence[object]:
        """What the records with these keys have in ``field``; ``None`` where there is nothing.

        ``keys``: one column ``KEY``, as chunks have it, of different keys; as many as a chunk.
        """

    def records(
        self, project: ProjectName, entity: Entity, *, after: str, limit: int
    ) -> RecordPage:
        """A page of stored records in key order, after the cursor ``after`` (empty: the first)."""

    def record_slice(
        self, project: ProjectName, entity: Entity, *, sort: str, offset: int, limit: int
    ) -> RecordSlice:
        """Some of all records in the order of a declared field, then of keys; empty: of keys."""

    def scan(
        self, project: ProjectName, entity: Entity, passes: Sequence[frozenset[str]]
    ) -> Generator[tuple[int, Mapping[str, object]], None, None]:
        """All records as of one moment, in key order, as often as there are passes.

        Each comes with the number of its pass, from 0. A pass holds those of some kinds of the
        entity's partition; of all, where it names none. Close it to give the moment up.
        """

    def version(self, project: ProjectName, entity: Entity) -> str:
        """Another text after every change of the entity's records."""

    def preview(self, job: SinkJob, *, samples: int) -> Preview:
        """What ``seal`` would publish of a whole file, with so many samples of each effect."""

    def abandon(self, job: JobId) -> None:
        """Drop what a job staged and did not publish; safe to repeat."""

    def forget(self, job: JobId) -> None:
        """Drop the marks and outcomes of a job whose retention is over; rows stay."""


@runtime_checkable
class RepeatingSink(QueryableSink, Protocol):
    """A sink that knows which whole file its records are from; the embedded one does."""

    def receipt_note(self, project: ProjectName, entity: Entity, fingerprint: str) -> str | None:
        """The note of the receipt with this fingerprint, if no record has changed since."""

    def repeat(self, job: SinkJob, receipt: Receipt) -> bool:
        """Take every chunk of a job for applied, and unchanged, where its file is stored already.

        That is so where a job with this very receipt was sealed, no record of the entity has
        changed since, and what became of its chunks is still known. Such a job is to be sealed
        without a removal. Tells whether anything was done.

        Raises:
            Fenced: a later attempt has begun, or the job is sealed.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """Stored records by field name, and the cursor of the next page (``None`` at the end)."""

    records: Sequence[Mapping[str, object]]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSlice:
    """Stored records by field name, and how many there are in all.

    ``changed_at``: of each record when the job that changed it last began to, where that is known.
    """

    records: Sequence[Mapping[str, object]]
    changed_at: Sequence[datetime | None]
    total: int
