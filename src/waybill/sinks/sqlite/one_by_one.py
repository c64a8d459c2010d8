"""Writes records one after the other, each seeing what those before it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import apsw

from waybill.ports.sink import CREATED, DELETED, REFUSED, UNCHANGED, UPDATED
from waybill.sinks.sqlite.names import quote_all
from waybill.sinks.sqlite.outcomes import decide_one

if TYPE_CHECKING:
    import numpy as np

    from waybill.sinks.sqlite.incoming import Incoming
    from waybill.sinks.sqlite.outcomes import Verdicts
    from waybill.sinks.sqlite.target import Statements, Target

    _Row = tuple[apsw.SQLiteValue, ...]


def write_one_by_one(
    target: Target, incoming: Incoming, verdicts: Verdicts, positions: np.ndarray
) -> None:
    """Write the records at ``positions``, which rise, and note the outcome of each."""
    statements = target.statements(incoming.fields)
    writer = _RowWriter(target=target, statements=statements)
    operations = incoming.operations[positions].tolist()
    rows = incoming.rows(positions, target.job)
    for position, operation, row in zip(positions.tolist(), operations, rows, strict=True):
        record = int(incoming.records[position])
        try:
            outcome = writer.write(operation, row)
        except apsw.ConstraintError:
            fields = _conflicting_fields(target, incoming.fields, row)
            verdicts.refuse_conflict(position, record, fields)
            continue
        verdicts.outcomes[position] = outcome
        if outcome == REFUSED:
            verdicts.refuse(position, record, operation)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RowWriter:
    target: Target
    statements: Statements

    def write(self, operation: int, row: _Row) -> int:
        """Write one row (job, key, hash, record, fields); gives its outcome byte."""
        number, stored = self._find(row[1])
        outcome = decide_one(operation, is_found=number is not None, is_same=row[2] == stored)
        if outcome == CREATED:
            self.target.db.execute(self.statements.insert_one, row)
        elif outcome == UPDATED:
            return self._update(number, row)
        elif outcome == DELETED:
            self.target.db.execute(f"DELETE FROM {self.target.name} WHERE _id = ?", (number,))  # noqa: S608 - quoted name
        return outcome

    def _find(self, key: apsw.SQLiteValue) -> tuple[apsw.SQLiteValue, apsw.SQLiteValue]:
        find = f"SELECT _id, _hash FROM {self.target.name} WHERE _key = ?"  # noqa: S608 - quoted name
        found = self.target.db.execute(find, (key,)).fetchone()
        return (None, None) if found is None else (found[0], found[1])

    def _update(self, number: apsw.SQLiteValue, row: _Row) -> int:
        changed = self.target.db.execute(self.statements.update, (number, *row)).fetchone()
        return UNCHANGED if changed is None else UPDATED


def _conflicting_fields(target: Target, fields: tuple[str, ...], row: _Row) -> tuple[str, ...]:
    """The unique fields whose values, after this row, another record has already."""
    values = dict(zip(fields, row[4:], strict=True))
    for unique in target.layout.unique:
        columns = quote_all(target.layout.columns[field] for field in unique)
        wanted = [row[1], *_after(target, unique, values, row[1])]
        query = (
            f"SELECT 1 FROM {target.name} "  # noqa: S608 - quoted names
            f"WHERE _key IS NOT ? AND ({columns}) = ({', '.join('?' * len(unique))})"
        )
        if row[1] is None or target.db.execute(query, wanted).fetchone() is not None:
            return unique
    return target.layout.unique[0]


def _after(
    target: Target,
    unique: tuple[str, ...],
    values: dict[str, apsw.SQLiteValue],
    key: apsw.SQLiteValue,
) -> list[apsw.SQLiteValue]:
    """The values that the record would have: the row's own, else what is stored."""
    columns = quote_all(target.layout.columns[field] for field in unique)
    find = f"SELECT {columns} FROM {target.name} WHERE _key = ?"  # noqa: S608 - quoted names
    stored = target.db.execute(find, (key,)).fetchone() or (None,) * len(unique)
    return [values.get(field, old) for field, old in zip(unique, stored, strict=True)]
