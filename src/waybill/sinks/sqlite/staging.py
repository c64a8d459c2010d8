"""Rows of a job that publishes all or nothing: they wait in tables that no reader looks at.

The staging table is a copy, made as needed, of those stored records that the job's rows change; the
rows are written into it as they would be into the entity's own. ``_live`` is the ``_id`` of the
record that a staged one was copied from. Two more tables hold only an ``_id`` each: ``copied``, of
every copied record, so that one that was deleted in the copy is not copied again; and ``met``, of
every record whose key the file has, where the job removes what the file does not have. A record
that is in the file as it is stored is not copied.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

import apsw
import numpy as np

from waybill.errors import JobFailed
from waybill.model.options import Operation
from waybill.ports.sink import UNCHANGED
from waybill.sinks.sqlite.incoming import DELETES, OPERATIONS
from waybill.sinks.sqlite.layout import (
    OWN_COLUMNS,
    column_definitions,
    create_key_index,
    create_unique_index,
    unique_index_name,
)
from waybill.sinks.sqlite.names import quote, quote_all
from waybill.sinks.sqlite.outcomes import Verdicts
from waybill.sinks.sqlite.owning import find_owned, takes_what_it_has
from waybill.sinks.sqlite.queries import QUERIES
from waybill.sinks.sqlite.target import Target
from waybill.sinks.sqlite.writing import ABSENT_ID, find_stored, write_chunk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from waybill.ports.sink import Removal
    from waybill.sinks.sqlite.incoming import Incoming
    from waybill.sinks.sqlite.layout import Layout

_MAY_BE_UNCHANGED: Final = tuple(map(OPERATIONS.index, (Operation.UPSERT, Operation.UPDATE)))
_UPSERT: Final = OPERATIONS.index(Operation.UPSERT)
_INSERT: Final = OPERATIONS.index(Operation.INSERT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What one job stages. ``number``: of the job; ``removal``: what goes unless the job has it."""

    db: apsw.Connection
    layout: Layout
    number: int
    removal: Removal | None = None

    @property
    def target(self) -> Target:
        """The staging table."""
        return Target(db=self.db, layout=self.layout, table=_stage(self.number), job=self.number)

    @property
    def live(self) -> Target:
        """The entity's own table."""
        table = self.layout.table
        return Target(db=self.db, layout=self.layout, table=table, job=self.number)

    @property
    def copied(self) -> str:
        """The table of what was copied, quoted."""
        return quote(_copied(self.number))

    @property
    def met(self) -> str:
        """The table of what the file has, quoted."""
        return quote(_met(self.number))

    def prepare(self) -> None:
        """Make the tables where they are missing."""
        if is_staged(self.db, self.number):
            return
        columns = ", ".join([*column_definitions(self.layout), "_live INTEGER"])
        self.db.execute(f"CREATE TABLE {self.target.name} ({columns})")
        for table in (self.copied, self.met):
            self.db.execute(f"CREATE TABLE {table} (_id INTEGER PRIMARY KEY)")
        create_key_index(self.db, self.layout, _stage(self.number))
        for fields in self.layout.unique:
            name = unique_index_name(_stage(self.number), fields)
            create_unique_index(self.db, self.layout, _stage(self.number), name)

    def write(self, incoming: Incoming) -> Verdicts:
        """Stage a chunk; tells what became of each record."""
        self.prepare()
        if self.removal is None or _is_alike(incoming.operations):
            return self._write(incoming)
        outcomes = np.zeros(len(incoming.records), dtype=np.uint8)
        verdicts = Verdicts(outcomes=outcomes)
        for run in _alike(incoming.operations):  # for an upsert shows to others what it has met
            written = self._write(incoming.only(run))
            outcomes[run] = written.outcomes
            verdicts.refusals += written.refusals
            verdicts.removed += written.removed
        return verdicts

    def _write(self, incoming: Incoming) -> Verdicts:
        ids, hashes = self._find(incoming)
        is_same = self._are_same(incoming, ids, hashes)
        self._note_met(ids[is_same])
        changing = np.flatnonzero(~is_same)
        verdicts = Verdicts(outcomes=np.full(len(is_same), UNCHANGED, dtype=np.uint8))
        if len(changing):
            rest = incoming.only(changing)
            here = ids[changing]
            is_seen = self._are_seen(rest, here)
            is_hidden = ~is_seen & (here != ABSENT_ID)
            found, deletes = here[is_seen], np.isin(rest.operations, DELETES)
            self._give_way(here[is_hidden & (rest.operations == _INSERT)])
            self._note_met(found)
            owned = find_owned(self.live, rest.only(np.flatnonzero(deletes & ~is_hidden)))
            by_value = _met_by_value(self.live, rest)
            self._copy({*found.tolist()} | self._without_missing(owned) | by_value)
            written = write_chunk(self.target, rest, expect_new=not len(found))
            verdicts.outcomes[changing] = written.outcomes
            verdicts.refusals, verdicts.removed = written.refusals, written.removed
        return verdicts

    def _find(self, incoming: Incoming) -> tuple[np.ndarray, np.ndarray]:
        """``_id`` and hash of what is stored under each key, ``ABSENT_ID`` where nothing is."""
        if incoming.is_keyed:
            return find_stored(self.live, incoming.keys)
        none = np.full(len(incoming.records), ABSENT_ID, dtype=np.int64)
        return none, none

    def _are_same(self, incoming: Incoming, ids: np.ndarray, hashes: np.ndarray) -> np.ndarray:
        """Whether a row is as it is stored, and nothing of this file touched its key before."""
        is_same: np.ndarray = (ids != ABSENT_ID) & (hashes == incoming.hashes)
        is_same &= np.isin(incoming.operations, _MAY_BE_UNCHANGED)
        if not is_same.any() or takes_what_it_has(self.layout.entity, incoming):
            return np.zeros_like(is_same)
        is_same &= self._are_seen(incoming, ids)
        numbers, counts = np.unique(ids[ids != ABSENT_ID], return_counts=True)
        is_same &= ~np.isin(ids, numbers[counts > 1])
        is_same &= ~self._are_in(self.copied, ids)
        return is_same

    def _are_seen(self, incoming: Incoming, ids: np.ndarray) -> np.ndarray:
        """Whether the job finds what is stored: not what it removes, but for an upsert."""
        is_there: np.ndarray = ids != ABSENT_ID
        if self.removal is None:
            return is_there
        hidden = is_there & (incoming.operations != _UPSERT)
        if self.removal.kinds is not None and self.layout.entity.partition is not None:
            kinds = incoming.text_of(self.layout.entity.partition.field).to_pylist()
            hidden &= np.array([kind in self.removal.kinds for kind in kinds], dtype=bool)
        if hidden.any():
            hidden &= ~self._are_in(self.met, ids) & ~self._are_in(self.copied, ids)
        is_there &= ~hidden
        return is_there

    def _without_missing(self, ids: set[int]) -> set[int]:
        """Those of these records that the job does not remove, as far as is known by now."""
        if self.removal is None or not ids:
            return ids
        condition, values = self.missing()
        kept = self.db.execute(
            f"SELECT _id FROM {self.live.name} "  # noqa: S608 - quoted names
            f"WHERE _id IN (SELECT value FROM carray(?)) AND NOT ({condition})",
            (apsw.carray(array("q", sorted(ids))), *values),
        )
        return {number for (number,) in kept if isinstance(number, int)}

    def _are_in(self, table: str, ids: np.ndarray) -> np.ndarray:
        """Which of these numbers a table holds."""
        find = f"SELECT _id FROM {table} WHERE _id IN (SELECT value FROM carray(?))"  # noqa: S608 - quoted name
        rows = self.db.execute(find, (apsw.carray(array("q", ids.tolist())),))
        there: np.ndarray = np.isin(ids, np.fromiter(chain.from_iterable(rows), dtype=np.int64))
        return there

    def _give_way(self, ids: np.ndarray) -> None:
        """Let records that the job removes go now, so that new ones can have their keys."""
        if len(ids):
            self._note(self.copied, ids.tolist())
            self._note(self.met, ids.tolist())

    def _note_met(self, ids: np.ndarray) -> None:
        if self.removal is not None and len(ids):
            self._note(self.met, ids.tolist())

    def _note(self, table: str, ids: Iterable[int]) -> None:
        numbers = apsw.carray(array("q", sorted(ids)))
        self.db.execute(f"INSERT OR IGNORE INTO {table} SELECT value FROM carray(?)", (numbers,))  # noqa: S608 - quoted name

    def _copy(self, ids: set[int]) -> None:
        if not ids:
            return
        columns = stored_columns(self.layout)
        self.db.execute(
            f"INSERT INTO {self.target.name} (_live, {columns}) "  # noqa: S608 - quoted names
            f"SELECT _id, {columns} FROM {self.live.name} "
            f"WHERE _id IN (SELECT value FROM carray(?)) "
            f"AND _id NOT IN (SELECT _id FROM {self.copied})",
            (apsw.carray(array("q", sorted(ids))),),
        )
        self._note(self.copied, ids)

    def publish(self) -> int:
        """Put what is staged in the place of what was copied; gives how many records are missing.

        Those are gone then: the ones that the job removes and the file does not have.

        Raises:
            JobFailed: another job took a unique value meanwhile, which lanes do not allow.
        """
        may_miss = self.may_miss
        try:
            self._delete_changed()
            removed = self._remove() if may_miss else 0
            self._insert_changed()
        except apsw.ConstraintError as error:
            raise JobFailed(
                f"records of {self.layout.entity.name} were changed while the whole file was "
                "staged, and one of them has a unique value of the file; submit it again",
                code="STAGE_CONFLICT",
            ) from error
        drop_stage(self.db, self.number)
        return removed

    def missing(self) -> tuple[str, tuple[apsw.SQLiteValue, ...]]:
        """SQL, and its values: a stored record that the job removes, for the file has it not."""
        if self.removal is None:
            return "FALSE", ()
        is_missing = f"_id NOT IN (SELECT _id FROM {self.met})"  # noqa: S608 - quoted name
        partition = self.layout.entity.partition
        if self.removal.kinds is None or partition is None:
            return is_missing, ()
        kinds = tuple(sorted(self.removal.kinds))
        column = quote(self.layout.columns[partition.field])
        return f"{is_missing} AND {column} IN ({', '.join('?' * len(kinds))})", kinds

    @property
    def may_miss(self) -> bool:
        """Whether any stored record can be missing in the file; a count is soon done."""
        if self.removal is None:
            return False
        stored, met = (
            self.db.execute(f"SELECT count(*) FROM {table}").get  # noqa: S608 - quoted names
            for table in (self.live.name, self.met)
        )
        return bool(stored > met)

    def _remove(self) -> int:
        condition, values = self.missing()
        before = self.db.total_changes()
        self.db.execute(f"DELETE FROM {self.live.name} WHERE {condition}", values)  # noqa: S608 - quoted names
        return self.db.total_changes() - before

    def _delete_changed(self) -> None:
        stage = self.target.name
        untouched = f"SELECT _live FROM {stage} WHERE _live IS NOT NULL AND _job IS NOT ?"  # noqa: S608 - quoted name
        self.db.execute(
            f"DELETE FROM {self.live.name} WHERE _id IN (SELECT _id FROM {self.copied}) "  # noqa: S608 - quoted names
            f"AND _id NOT IN ({untouched})",
            (self.number,),
        )

    def _insert_changed(self) -> None:
        """Records that keep their ``_id`` go first: a new one could be given the number of one."""
        columns = stored_columns(self.layout)
        self.db.execute(
            f"INSERT INTO {self.live.name} (_id, {columns}) "  # noqa: S608 - quoted names
            f"SELECT _live, {columns} FROM {self.target.name} "
            "WHERE _job = ? ORDER BY _live IS NULL, _live, _id",
            (self.number,),
        )


def drop_stage(db: apsw.Connection, number: int) -> None:
    """Drop what a job staged."""
    for table in (_stage(number), _copied(number), _met(number)):
        db.execute(f"DROP TABLE IF EXISTS {quote(table)}")


def is_staged(db: apsw.Connection, number: int) -> bool:
    """Whether a job has staged anything that is neither published nor dropped."""
    return db.execute(QUERIES["find_table"], {"table": _stage(number)}).fetchone() is not None


def stored_columns(layout: Layout) -> str:
    """The columns of a record but its number, as SQL."""
    stamps = [column.split()[0] for column in OWN_COLUMNS if not column.startswith("_id ")]
    declared = (column for column in layout.columns.values() if column not in stamps)
    return quote_all([*stamps, *declared])


def _is_alike(operations: np.ndarray) -> bool:
    return bool((operations == operations[:1]).all())


def _alike(operations: np.ndarray) -> list[np.ndarray]:
    """The positions of each run of equal operations."""
    positions = np.arange(len(operations))
    return np.split(positions, np.flatnonzero(np.diff(operations)) + 1)


def _stage(number: int) -> str:
    return f"_stage_{number}"


def _copied(number: int) -> str:
    return f"_stage_{number}_copied"


def _met(number: int) -> str:
    return f"_stage_{number}_met"


def _met_by_value(live: Target, incoming: Incoming) -> set[int]:
    """Stored records with a unique value of the chunk: the copy has to refuse what they would."""
    met: set[int] = set()
    everything = np.arange(len(incoming.records))
    for unique in live.layout.unique:
        whole = [field for field in unique if field in incoming.fields]
        met |= _having(live, incoming, whole, everything)
        present = [tuple(f for f in whole if f in fields) for fields in incoming.field_sets]
        for given in set(present) - {tuple(whole)}:  # the others are what is stored, and so any
            numbers = [number for number, each in enumerate(present) if each == given]
            here = np.flatnonzero(np.isin(incoming.field_set, numbers))
            met |= _having(live, incoming, given, here)
    return met


def _having(
    live: Target, incoming: Incoming, fields: Sequence[str], positions: np.ndarray
) -> set[int]:
    """Stored records that have the values of ``fields`` of one of these rows."""
    if not fields:
        return set()
    columns = quote_all(live.layout.columns[field] for field in fields)
    find = (
        f"SELECT _id FROM {live.name} "  # noqa: S608 - quoted names
        f"WHERE ({columns}) = ({', '.join('?' * len(fields))})"
    )
    values = incoming.values(fields, positions)
    rows = zip(*(column.to_pylist() for column in values), strict=True)
    return {number for (number,) in live.db.executemany(find, rows) if isinstance(number, int)}
