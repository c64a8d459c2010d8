"""A chunk made ready for the database: outcomes are decided on arrays, rows leave as blocks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.model.options import DELETING, Operation
from waybill.ports.sink import ABSENT, ACTION, EXTRA, HASH, KEY, RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    import apsw

    from waybill.model.entity import Entity

    Column = pa.Array[Any]  # pyarrow's own type over what it holds
    _Row = tuple[apsw.SQLiteValue, ...]

OPERATIONS: Final = tuple(Operation)
"""An operation is its index here wherever it stands in an array."""

UPDATE: Final = OPERATIONS.index(Operation.UPDATE)
DELETES: Final = tuple(map(OPERATIONS.index, DELETING))
_PATCH: Final = np.int64(0x5DEECE66D1CE4E5B)
"""Told apart by this: the digest of an update, which may leave members as they are."""

_BLOCK_ROWS: Final = 4_096
_STAMPS: Final = (KEY, HASH, RECORD)
BEFORE_FIELDS: Final = 4
"""So many values stand before the fields of a row: the number of the job, and the above."""

_BETWEEN_NAMES: Final = "\x1f"
"""No name of a field holds a control character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One chunk, its rows addressed by position in file order.

    ``keys``: all null for an entity without key (``is_keyed``). ``hashes``: of each row's values
    together with the set of fields that the file has, so that equal ones prove equal values.
    ``operations``: per row, as index of ``OPERATIONS``. ``fields``: the fields that the file has,
    ``_extra`` among them. ``field_sets``: those that records have, all fields first;
    ``field_set``: of each row, as index of it. ``columns``: key, hash, record number, then the
    fields, of types that SQLite knows.
    """

    records: np.ndarray
    is_keyed: bool
    keys: Column
    hashes: np.ndarray
    operations: np.ndarray
    fields: tuple[str, ...]
    field_sets: tuple[tuple[str, ...], ...]
    field_set: np.ndarray
    columns: pa.RecordBatch

    def values(self, fields: Sequence[str], positions: np.ndarray) -> list[Column]:
        """The columns of these fields at ``positions``."""
        wanted = [len(_STAMPS) + self.fields.index(name) for name in fields]
        return self.columns.select(wanted).take(pa.array(positions)).columns

    def only(self, positions: np.ndarray) -> Incoming:
        """The rows at these rising positions alone."""
        if len(positions) == len(self.records):
            return self
        return replace(
            self,
            records=self.records[positions],
            keys=self.keys.take(pa.array(positions)),
            hashes=self.hashes[positions],
            operations=self.operations[positions],
            field_set=self.field_set[positions],
            columns=self.columns.take(pa.array(positions)),
        )

    def text_of(self, field: str) -> Column:
        """The values of a text field, null everywhere where the file does not have it."""
        if field not in self.fields:
            return pa.nulls(len(self.records), pa.string())
        return self.columns.column(len(_STAMPS) + self.fields.index(field))

    @property
    def has_absent(self) -> bool:
        """Whether a record may lack a field of the file."""
        return len(self.field_sets) > 1

    def masks(self, positions: np.ndarray) -> Iterator[bytes]:
        """Of the rows at ``positions`` a byte for each of ``fields``: 1 where the row has it."""
        masks = [bytes(name in held for name in self.fields) for held in map(set, self.field_sets)]
        return map(masks.__getitem__, self.field_set[positions].tolist())

    def blocks(self, positions: np.ndarray, job: int) -> Iterator[list[list[apsw.SQLiteValue]]]:
        """The rows at ``positions``, a few thousand at a time, as lists by column.

        Columns: number of the job, key, hash, record number, then ``fields``.
        """
        for start in range(0, len(positions), _BLOCK_ROWS):
            block = _taken(self.columns, positions[start : start + _BLOCK_ROWS])
            yield [[job] * block.num_rows, *map(_to_list, block.columns)]

    def rows(self, positions: np.ndarray, job: int) -> Iterator[_Row]:
        """The rows at ``positions`` one by one; columns as for ``blocks``."""
        for block in self.blocks(positions, job):
            yield from zip(*block, strict=True)


def prepare(entity: Entity, operation: Operation, rows: pa.Table) -> Incoming:
    """The chunk ``rows`` as the sink's port describes it, made ready."""
    declared = (field.name for field in entity.fields)
    given = dict(zip(rows.column_names, map(_flat, rows.columns), strict=True))
    fields = tuple(name for name in (*declared, EXTRA) if name in given)
    keys = given[KEY] if entity.key else pa.nulls(rows.num_rows)
    operations = _operations(given.get(ACTION), operation, rows.num_rows)
    hashes = _numbers(given[HASH]) ^ _fingerprint(entity, fields)
    if any(field.patched for field in entity.fields):  # then an update says less than an upsert
        hashes[operations == UPDATE] ^= _PATCH
    field_sets, field_set = _field_sets(given.get(ABSENT), fields, rows.num_rows)
    values = [_bindable(given[name]) for name in fields]
    return Incoming(
        records=_numbers(given[RECORD]),
        is_keyed=bool(entity.key),
        keys=keys,
        hashes=hashes,
        operations=operations,
        fields=fields,
        field_sets=field_sets,
        field_set=field_set,
        columns=pa.RecordBatch.from_arrays(
            [keys, pa.array(hashes), given[RECORD], *values], names=[*_STAMPS, *fields]
        ),
    )


def _field_sets(
    absent: Column | None, fields: tuple[str, ...], count: int
) -> tuple[tuple[tuple[str, ...], ...], np.ndarray]:
    """The different sets of fields that records have, and which of them each row has."""
    if absent is None:
        return (fields,), np.zeros(count, dtype=np.int64)
    joined: Any = pc.binary_join(absent, _BETWEEN_NAMES)
    found = joined.dictionary_encode()
    sets = [_without(fields, names) for names in found.dictionary.to_pylist()]
    return (fields, *sets), found.indices.to_numpy(zero_copy_only=False).astype(np.int64) + 1


def _without(fields: tuple[str, ...], absent: str) -> tuple[str, ...]:
    names = set(absent.split(_BETWEEN_NAMES))
    return tuple(name for name in fields if name not in names)


def _taken(rows: pa.RecordBatch, positions: np.ndarray) -> pa.RecordBatch:
    """The rows at ``positions``, not copied where they follow each other."""
    first = int(positions[0])
    if np.array_equal(positions, np.arange(first, first + len(positions))):
        return rows.slice(first, len(positions))
    return rows.take(pa.array(positions))


def _operations(actions: Column | None, default: Operation, count: int) -> np.ndarray:
    fallback = OPERATIONS.index(default)
    if actions is None:
        return np.full(count, fallback, dtype=np.int8)
    known = pa.array([operation.value for operation in OPERATIONS])
    found = pc.index_in(actions.cast(pa.string()), value_set=known)
    return found.fill_null(fallback).to_numpy(zero_copy_only=False).astype(np.int8)


def _fingerprint(entity: Entity, fields: Sequence[str]) -> int:
    types = {field.name: field.type.value for field in entity.fields}
    text = "\0".join(f"{name}\1{types.get(name, '')}" for name in fields)
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _flat(column: pa.ChunkedArray[Any]) -> Column:
    if column.num_chunks == 1:
        return column.chunks[0]
    empty: Column = pa.nulls(0, column.type)
    return pa.concat_arrays(column.chunks) if column.num_chunks else empty


def _numbers(column: Column) -> np.ndarray:
    return column.to_numpy(zero_copy_only=False)


def _bindable(column: Column) -> Column:
    """The column as integers, floats, booleans, text or bytes; exact decimals become text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _bindable(column.cast(kind.value_type))
    if pa.types.is_timestamp(kind):
        return pc.strftime(column, format="%Y-%m-%dT%H:%M:%S")
    if pa.types.is_decimal(kind) or pa.types.is_temporal(kind) or pa.types.is_uint64(kind):
        return column.cast(pa.string())
    return column


def _to_list(column: Column) -> list[apsw.SQLiteValue]:
    values: list[apsw.SQLiteValue] = column.to_pylist()
    if pa.types.is_floating(column.type) and pc.any(pc.is_nan(column)).as_py():
        return ["NaN" if value != value else value for value in values]  # noqa: PLR0124 - SQLite would keep NULL
    return values
