"""Writes one chunk into a table, in bulk where the order of its records cannot matter."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

import apsw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.model.options import Operation
from waybill.ports.sink import CREATED, DELETED, REFUSED, UNCHANGED, UPDATED
from waybill.sinks.sqlite.incoming import OPERATIONS, UPDATE
from waybill.sinks.sqlite.one_by_one import write_one_by_one
from waybill.sinks.sqlite.outcomes import Verdicts, decide
from waybill.sinks.sqlite.owning import delete_owned, takes_what_it_has

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.sinks.sqlite.incoming import Column, Incoming
    from waybill.sinks.sqlite.target import Target

_ADDING: Final = tuple(OPERATIONS.index(o) for o in (Operation.UPSERT, Operation.INSERT))
ABSENT_ID: Final = -1
"""Stands for the ``_id`` of what is not stored."""


def write_chunk(target: Target, incoming: Incoming, *, expect_new: bool) -> Verdicts:
    """Write the chunk inside the caller's transaction; tells what became of each record.

    Records that share a key, or a unique value, meet in file order. ``expect_new``: most keys are
    likely not there; a wrong guess costs time only.
    """
    outcomes = np.zeros(len(incoming.records), dtype=np.uint8)
    writer = _ChunkWriter(target=target, incoming=incoming, verdicts=Verdicts(outcomes=outcomes))
    if not incoming.is_keyed:
        writer.append()
    elif takes_what_it_has(target.layout.entity, incoming):
        writer.write_each()
    elif target.layout.unique:
        writer.write_in_order()
    else:
        writer.write_by_key(expect_new=expect_new)
    writer.verdicts.refusals.sort(key=lambda refusal: refusal.record)
    return writer.verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChunkWriter:
    """One chunk on its way into one table; positions count its rows in file order."""

    target: Target
    incoming: Incoming
    verdicts: Verdicts

    def append(self) -> None:
        """Write a chunk of an entity without key."""
        adding = np.isin(self.incoming.operations, _ADDING)
        for position in np.flatnonzero(~adding).tolist():
            self.verdicts.refuse_without_key(position, int(self.incoming.records[position]))
        self._insert_or_each(np.flatnonzero(adding))

    def write_each(self) -> None:
        """Write where a record may take others with it that are in the chunk, too."""
        self._each(np.arange(len(self.incoming.records)))

    def write_by_key(self, *, expect_new: bool) -> None:
        """Write in bulk, in key order: so each page of the index is touched once."""
        firsts, repeats = self._split_by_key()
        if expect_new and np.isin(self.incoming.operations, _ADDING).all():
            firsts = self._insert_unless_there(firsts)
        ids = self._decide(firsts)
        outcomes = self.verdicts.outcomes[firsts]
        self._insert(firsts[outcomes == CREATED])
        self._update(firsts[outcomes == UPDATED], ids[outcomes == UPDATED])
        self._delete(firsts[outcomes == DELETED], ids[outcomes == DELETED])
        self._each(repeats)

    def write_in_order(self) -> None:
        """Write where records of different keys may conflict: in bulk only what is all new."""
        firsts, repeats = self._split_by_key()
        firsts = np.sort(firsts)
        self._decide(firsts)
        outcomes = self.verdicts.outcomes[firsts]
        waiting = firsts[(outcomes != UNCHANGED) & (outcomes != REFUSED)]
        if len(repeats) or np.isin(outcomes, (UPDATED, DELETED)).any():
            self._each(np.sort(np.concatenate([waiting, repeats])))
        else:
            self._insert_or_each(waiting)

    def _split_by_key(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions of the first record of each key, in key order; then the others, file order."""
        keys = self.incoming.keys
        order = pc.sort_indices(keys)
        ordered = keys.take(order)
        positions = order.to_numpy().astype(np.int64)
        repeat = np.zeros(len(positions), dtype=bool)
        repeat[1:] = pc.equal(ordered[1:], ordered[:-1]).to_numpy(zero_copy_only=False)
        return positions[~repeat], np.sort(positions[repeat])

    def _insert_unless_there(self, firsts: np.ndarray) -> np.ndarray:
        """Insert what is new; gives the positions whose keys were there before."""
        newest = self.target.db.execute(f"SELECT max(_id) FROM {self.target.name}").get  # noqa: S608 - quoted name
        inserted = self._insert(firsts, keep_existing=True)
        self.verdicts.outcomes[firsts] = CREATED
        if inserted == len(firsts):
            return firsts[:0]
        ids, _ = self._find(firsts)
        return firsts[ids <= (newest or 0)]

    def _decide(self, positions: np.ndarray) -> np.ndarray:
        """Note the outcome of each position; gives the ``_id`` of the record that is there."""
        ids, stored = self._find(positions)
        operations = self.incoming.operations[positions]
        hashes = self.incoming.hashes[positions]
        outcomes = decide(operations, ids != ABSENT_ID, hashes, stored)
        self.verdicts.outcomes[positions] = outcomes
        for position in positions[outcomes == REFUSED].tolist():
            record = int(self.incoming.records[position])
            self.verdicts.refuse(position, record, int(self.incoming.operations[position]))
        return ids

    def _find(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``_id`` (``ABSENT_ID`` where there is none) and hash of what is stored under each key."""
        return find_stored(self.target, self.incoming.keys.take(pa.array(positions)))

    def _insert_or_each(self, positions: np.ndarray) -> None:
        try:
            with self.target.db:
                self._insert(positions)
        except apsw.ConstraintError:
            self._each(positions)
        else:
            self.verdicts.outcomes[positions] = CREATED

    def _insert(self, positions: np.ndarray, *, keep_existing: bool = False) -> int:
        """Insert the rows; gives how many went in."""
        if not len(positions):
            return 0
        db = self.target.db
        made = self.target.statements(self.incoming.fields, keep_existing=keep_existing)
        before = db.total_changes()
        for block in self.incoming.blocks(positions, self.target.job):
            flat = _interleave(block)
            step = made.rows_per_insert * len(block)
            whole = len(flat) - len(flat) % step
            db.executemany(made.insert_many, _slices(flat, 0, whole, step))
            db.executemany(made.insert_one, _slices(flat, whole, len(flat), len(block)))
        return db.total_changes() - before

    def _update(self, positions: np.ndarray, ids: np.ndarray) -> None:
        """Update what differs; what does not is unchanged, and gets the hash that says so."""
        patches = self.incoming.operations[positions] == UPDATE
        self._update_alike(positions[~patches], ids[~patches], patches=False)
        self._update_alike(positions[patches], ids[patches], patches=True)

    def _update_alike(self, positions: np.ndarray, ids: np.ndarray, *, patches: bool) -> None:
        if not len(positions):
            return
        incoming = self.incoming
        rows = zip(ids.tolist(), incoming.rows(positions, self.target.job), strict=True)
        values: Iterator[tuple[apsw.SQLiteValue, ...]] = ((number, *row) for number, row in rows)
        if incoming.has_absent:
            masked = zip(values, incoming.masks(positions), strict=True)
            values = ((*row, mask) for row, mask in masked)
        update = self.target.update(incoming.fields, has_mask=incoming.has_absent, patches=patches)
        changed = self.target.db.executemany(update, values)
        is_changed = np.isin(ids, np.fromiter(chain.from_iterable(changed), dtype=np.int64))
        self.verdicts.outcomes[positions[~is_changed]] = UNCHANGED
        hashes = self.incoming.hashes[positions[~is_changed]].tolist()
        self.target.db.executemany(
            f"UPDATE {self.target.name} SET _hash = ? WHERE _id = ?",  # noqa: S608 - quoted name
            zip(hashes, ids[~is_changed].tolist(), strict=True),
        )

    def _delete(self, positions: np.ndarray, ids: np.ndarray) -> None:
        delete = f"DELETE FROM {self.target.name} WHERE _id = ?"  # noqa: S608 - quoted name
        self.target.db.executemany(delete, ((number,) for number in ids.tolist()))
        self.verdicts.removed += delete_owned(self.target, self.incoming.only(np.sort(positions)))

    def _each(self, positions: np.ndarray) -> None:
        if len(positions):
            write_one_by_one(self.target, self.incoming, self.verdicts, positions)


def find_stored(target: Target, keys: Column) -> tuple[np.ndarray, np.ndarray]:
    """``_id`` (``ABSENT_ID`` where there is none) and hash of what is stored under each key."""
    if not len(keys):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    found = target.db.execute(
        f"SELECT coalesce(_id, {ABSENT_ID}), coalesce(_hash, 0) FROM carray(?) AS wanted "  # noqa: S608 - quoted name
        f"LEFT JOIN {target.name} ON _key = wanted.value",
        (apsw.carray(tuple(keys.to_pylist())),),
    )
    flat = np.fromiter(chain.from_iterable(found), dtype=np.int64, count=2 * len(keys))
    return flat[0::2], flat[1::2]


def _interleave(block: list[list[apsw.SQLiteValue]]) -> list[apsw.SQLiteValue]:
    """The values of all rows, one row after the other."""
    flat: list[apsw.SQLiteValue] = [None] * (len(block) * len(block[0]))
    for index, column in enumerate(block):
        flat[index :: len(block)] = column
    return flat


def _slices(
    flat: list[apsw.SQLiteValue], start: int, end: int, step: int
) -> Iterator[list[apsw.SQLiteValue]]:
    return (flat[index : index + step] for index in range(start, end, step))
