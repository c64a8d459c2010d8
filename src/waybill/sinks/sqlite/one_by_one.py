"""Writes records one after the other, each seeing what those before it did."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

import apsw
import numpy as np

from waybill.ports.sink import CREATED, DELETED, REFUSED, UNCHANGED, UPDATED
from waybill.sinks.sqlite.incoming import BEFORE_FIELDS, UPDATE
from waybill.sinks.sqlite.names import quote_all
from waybill.sinks.sqlite.outcomes import decide_one
from waybill.sinks.sqlite.owning import delete_owned

if TYPE_CHECKING:
    from waybill.sinks.sqlite.incoming import Incoming
    from waybill.sinks.sqlite.outcomes import Verdicts
    from waybill.sinks.sqlite.target import Target

    _Row = tuple[apsw.SQLiteValue, ...]


def write_one_by_one(
    target: Target, incoming: Incoming, verdicts: Verdicts, positions: np.ndarray
) -> None:
    """Write the records at ``positions``, which rise, and note the outcome of each."""
    writer = _RowWriter(target=target, fields=incoming.fields, has_masks=incoming.has_absent)
    operations = incoming.operations[positions].tolist()
    rows = zip(incoming.rows(positions, target.job), incoming.masks(positions), strict=True)
    for position, operation, (row, mask) in zip(positions.tolist(), operations, rows, strict=True):
        record = int(incoming.records[position])
        try:
            outcome = writer.write(operation, row, mask)
        except apsw.ConstraintError:
            verdicts.refuse_conflict(position, record, writer.conflicting_fields(row, mask))
            continue
        verdicts.outcomes[position] = outcome
        if outcome == REFUSED:
            verdicts.refuse(position, record, operation)
        elif outcome == DELETED:
            only = incoming.only(np.array([position]))
            verdicts.removed += delete_owned(target, only)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RowWriter:
    """Writes rows (job, key, hash, record, ``fields``); masks as ``Incoming.masks`` gives them."""

    target: Target
    fields: tuple[str, ...]
    has_masks: bool

    def write(self, operation: int, row: _Row, mask: bytes) -> int:
        """Write one row; gives its outcome byte."""
        number, stored = self._find(row[1])
        outcome = decide_one(operation, is_found=number is not None, is_same=row[2] == stored)
        if outcome == CREATED:
            self.target.db.execute(self.target.statements(self.fields).insert_one, row)
        elif outcome == UPDATED:
            return self._update(number, row, mask, patches=operation == UPDATE)
        elif outcome == DELETED:
            self.target.db.execute(f"DELETE FROM {self.target.name} WHERE _id = ?", (number,))  # noqa: S608 - quoted name
        return outcome

    def _find(self, key: apsw.SQLiteValue) -> tuple[apsw.SQLiteValue, apsw.SQLiteValue]:
        find = f"SELECT _id, _hash FROM {self.target.name} WHERE _key = ?"  # noqa: S608 - quoted name
        found = self.target.db.execute(find, (key,)).fetchone()
        return (None, None) if found is None else (found[0], found[1])

    def _update(self, number: apsw.SQLiteValue, row: _Row, mask: bytes, *, patches: bool) -> int:
        update = self.target.update(self.fields, has_mask=self.has_masks, patches=patches)
        values = (number, *row, mask) if self.has_masks else (number, *row)
        changed = self.target.db.execute(update, values).fetchone()
        return UNCHANGED if changed is None else UPDATED

    def conflicting_fields(self, row: _Row, mask: bytes) -> tuple[str, ...]:
        """The unique fields whose values, after this row, another record has already."""
        target, key = self.target, row[1]
        for unique in target.layout.unique:
            columns = quote_all(target.layout.columns[field] for field in unique)
            query = (
                f"SELECT 1 FROM {target.name} "  # noqa: S608 - quoted names
                f"WHERE _key IS NOT ? AND ({columns}) = ({', '.join('?' * len(unique))})"
            )
            wanted = [key, *self._after(unique, row, mask)]
            if key is None or target.db.execute(query, wanted).fetchone() is not None:
                return unique
        return target.layout.unique[0]

    def _after(self, unique: tuple[str, ...], row: _Row, mask: bytes) -> list[apsw.SQLiteValue]:
        """The values that the record would have: the row's own, else what is stored."""
        columns = quote_all(self.target.layout.columns[field] for field in unique)
        find = f"SELECT {columns} FROM {self.target.name} WHERE _key = ?"  # noqa: S608 - quoted names
        stored = self.target.db.execute(find, (row[1],)).fetchone()
        values = dict(zip(self.fields, row[BEFORE_FIELDS:], strict=True))
        if stored is None:
            return [values.get(field) for field in unique]
        present = set(compress(self.fields, mask))
        return [
            values[field] if field in present else old
            for field, old in zip(unique, stored, strict=True)
        ]
