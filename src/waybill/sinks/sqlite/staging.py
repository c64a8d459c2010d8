"""Rows of a job that publishes all or nothing: they wait in tables that no reader looks at.

The staging table is a copy, made as needed, of those stored records that the job's rows meet; the
rows are written into it as they would be into the entity's own. ``_live`` is the ``_id`` of the
record that a staged one was copied from; a second table keeps the ``_id`` of every copied record,
so that one that was deleted in the copy is not copied again.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import apsw
import numpy as np

from waybill.errors import JobFailed
from waybill.sinks.sqlite.layout import (
    OWN_COLUMNS,
    column_definitions,
    create_key_index,
    create_unique_index,
    unique_index_name,
)
from waybill.sinks.sqlite.names import quote, quote_all
from waybill.sinks.sqlite.queries import QUERIES
from waybill.sinks.sqlite.target import Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.sinks.sqlite.incoming import Incoming
    from waybill.sinks.sqlite.layout import Layout


def open_stage(db: apsw.Connection, layout: Layout, number: int, incoming: Incoming) -> Target:
    """The staging table of a job, holding a copy of every stored record that ``incoming`` meets."""
    target = Target(db=db, layout=layout, table=_stage(number), job=number)
    if not is_staged(db, number):
        _create(target)
    _copy(target, _met_by_key(target, incoming) | _met_by_value(target, incoming))
    return target


def publish(db: apsw.Connection, layout: Layout, number: int) -> None:
    """Put what a job staged in the place of what was copied.

    Raises:
        JobFailed: another job took a unique value meanwhile, which lanes do not allow.
    """
    try:
        _merge(db, layout, number)
    except apsw.ConstraintError as error:
        raise JobFailed(
            f"records of {layout.entity.name} were changed while the whole file was staged, and one"
            " of them has a unique value of the file; submit it again",
            code="STAGE_CONFLICT",
        ) from error
    drop_stage(db, number)


def drop_stage(db: apsw.Connection, number: int) -> None:
    """Drop what a job staged."""
    db.execute(f"DROP TABLE {quote(_stage(number))}")
    db.execute(f"DROP TABLE {quote(_copied(number))}")


def is_staged(db: apsw.Connection, number: int) -> bool:
    """Whether a job has staged anything that is neither published nor dropped."""
    return db.execute(QUERIES["find_table"], {"table": _stage(number)}).fetchone() is not None


def _stage(number: int) -> str:
    return f"_stage_{number}"


def _copied(number: int) -> str:
    return f"_stage_{number}_copied"


def _create(target: Target) -> None:
    layout = target.layout
    columns = ", ".join([*column_definitions(layout), "_live INTEGER"])
    target.db.execute(f"CREATE TABLE {target.name} ({columns})")
    target.db.execute(f"CREATE TABLE {quote(_copied(target.job))} (_id INTEGER PRIMARY KEY)")
    create_key_index(target.db, layout, target.table)
    for fields in layout.unique:
        name = unique_index_name(target.table, fields)
        create_unique_index(target.db, layout, target.table, name)


def _met_by_key(target: Target, incoming: Incoming) -> set[int]:
    if not incoming.is_keyed or not len(incoming.keys):
        return set()
    keys = tuple(incoming.keys.to_pylist())
    find = (
        f"SELECT _id FROM carray(?) AS wanted JOIN {quote(target.layout.table)} "  # noqa: S608 - quoted name
        "ON _key = wanted.value"
    )
    return _numbers(target.db.execute(find, (apsw.carray(keys),)))


def _met_by_value(target: Target, incoming: Incoming) -> set[int]:
    """Stored records with a unique value of the chunk: the copy has to refuse what they would."""
    met: set[int] = set()
    everything = np.arange(len(incoming.records))
    for unique in target.layout.unique:
        whole = [field for field in unique if field in incoming.fields]
        met |= _having(target, incoming, whole, everything)
        present = [tuple(f for f in whole if f in fields) for fields in incoming.field_sets]
        for given in set(present) - {tuple(whole)}:  # the others are what is stored, and so any
            numbers = [number for number, each in enumerate(present) if each == given]
            here = np.flatnonzero(np.isin(incoming.field_set, numbers))
            met |= _having(target, incoming, given, here)
    return met


def _having(
    target: Target, incoming: Incoming, fields: Sequence[str], positions: np.ndarray
) -> set[int]:
    """Stored records that have the values of ``fields`` of one of these rows."""
    if not fields:
        return set()
    columns = quote_all(target.layout.columns[field] for field in fields)
    find = (
        f"SELECT _id FROM {quote(target.layout.table)} "  # noqa: S608 - quoted names
        f"WHERE ({columns}) = ({', '.join('?' * len(fields))})"
    )
    values = incoming.values(fields, positions)
    rows = zip(*(column.to_pylist() for column in values), strict=True)
    return _numbers(target.db.executemany(find, rows))


def _numbers(rows: apsw.Cursor) -> set[int]:
    return {number for (number,) in rows if isinstance(number, int)}


def _copy(target: Target, met: set[int]) -> None:
    if not met:
        return
    numbers = apsw.carray(array("q", sorted(met)))
    columns, copied = _columns(target.layout), quote(_copied(target.job))
    target.db.execute(
        f"INSERT INTO {target.name} (_live, {columns}) "  # noqa: S608 - quoted names
        f"SELECT _id, {columns} FROM {quote(target.layout.table)} "
        f"WHERE _id IN (SELECT value FROM carray(?)) AND _id NOT IN (SELECT _id FROM {copied})",
        (numbers,),
    )
    target.db.execute(
        f"INSERT OR IGNORE INTO {copied} SELECT value FROM carray(?)",  # noqa: S608 - quoted name
        (numbers,),
    )


def _merge(db: apsw.Connection, layout: Layout, number: int) -> None:
    """Take away what was changed or deleted, then put the changed and new records in."""
    table, stage, columns = quote(layout.table), quote(_stage(number)), _columns(layout)
    untouched = f"SELECT _live FROM {stage} WHERE _live IS NOT NULL AND _job IS NOT {number}"  # noqa: S608 - quoted name
    db.execute(
        f"DELETE FROM {table} WHERE _id IN (SELECT _id FROM {quote(_copied(number))}) "  # noqa: S608 - quoted names
        f"AND _id NOT IN ({untouched})"
    )
    # Records that keep their _id go first: a new one could be given the number of one of them.
    db.execute(
        f"INSERT INTO {table} (_id, {columns}) SELECT _live, {columns} FROM {stage} "  # noqa: S608 - quoted names
        f"WHERE _job = {number} ORDER BY _live IS NULL, _live, _id"
    )


def _columns(layout: Layout) -> str:
    stamps = [column.split()[0] for column in OWN_COLUMNS if not column.startswith("_id ")]
    declared = (column for column in layout.columns.values() if column not in stamps)
    return quote_all([*stamps, *declared])
