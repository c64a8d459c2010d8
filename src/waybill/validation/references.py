"""Foreign keys: the values to look up, and the records that hold a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.model.entity import FieldType
from waybill.ports.sink import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.model.entity import Entity, Field, ForeignKey

_LARGEST: Final = 1 << 63

SHOWN_ITEMS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LostItems:
    """The items of one record that refer to nothing: the first few in order, and how many."""

    record: int
    shown: tuple[str, ...]
    count: int


def list_field(entity: Entity, key: ForeignKey) -> Field | None:
    """The field of a foreign key whose every item refers to something; ``None``: it is no list."""
    field = entity.field(key.fields[0])
    return field if field.type is FieldType.LIST else None


def items_in(good: pa.Table, field: Field) -> pa.Table:
    """The items of a list field of a chunk, one row each, as texts in order, with their records.

    Memory: as much again as the texts, and 20 bytes for each item.
    """
    texts = pa.concat_arrays(good.column(field.name).chunks or [pa.array([], pa.string())])
    lists: Any = pc.split_pattern(texts, field.delimiter)
    records = good.column(RECORD).take(pc.list_parent_indices(lists))
    return pa.table({RECORD: records, field.name: pc.list_flatten(lists)})


def as_values(texts: pa.ChunkedArray[Any], field: Field) -> pa.Array[Any]:
    """Items as values of their type; null for whole numbers beyond 64 bits, which no key has."""
    if field.item_type is not FieldType.INTEGER:
        return texts.combine_chunks()
    items: list[Any] = texts.to_pylist()
    numbers = map(int, items)
    fitting = [number if -_LARGEST <= number < _LARGEST else None for number in numbers]
    return pa.array(fitting, pa.int64())


def lost_items(items: pa.Table, field: Field, lost: pa.ChunkedArray[Any]) -> Iterator[LostItems]:
    """The items that are among ``lost``, by record; ``items`` as ``items_in`` gives them."""
    mask: Any = pc.is_in(items.column(field.name), value_set=lost.combine_chunks())
    found = items.filter(mask)
    records, starts, counts = np.unique(
        found.column(RECORD).to_numpy(), return_index=True, return_counts=True
    )
    texts: list[Any] = found.column(field.name).to_pylist()
    for record, start, count in zip(
        records.tolist(), starts.tolist(), counts.tolist(), strict=True
    ):
        shown = tuple(texts[start : start + min(count, SHOWN_ITEMS)])
        yield LostItems(record=record, shown=shown, count=count)


def foreign_values(good: pa.Table, key: ForeignKey) -> pa.Table:
    """The different values of a foreign key in a chunk, named as the fields they refer to.

    Records in which a part is missing refer to nothing, nor do values that need not exist. Empty
    where the file lacks a field.
    """
    if not all(name in good.column_names for name in key.fields):
        return pa.table({name: pa.array([], pa.string()) for name in key.reference_fields})
    values = good.select(list(key.fields)).drop_null()
    if key.exempt:
        texts = values.column(0).cast(pa.string())
        values = values.filter(pc.invert(pc.is_in(texts, value_set=pa.array(key.exempt))))
    distinct = values.group_by(list(key.fields), use_threads=False).aggregate([])
    return distinct.rename_columns(list(key.reference_fields))


def records_having(good: pa.Table, key: ForeignKey, values: pa.Table) -> np.ndarray:
    """Numbers of the records of a chunk that hold one of ``values``, rising.

    ``values``: rows as ``foreign_values`` gives them.
    """
    if not values.num_rows or not all(name in good.column_names for name in key.fields):
        return np.empty(0, dtype=np.int64)
    wanted = values.rename_columns(list(key.fields))
    rows = good.select([RECORD, *key.fields]).join(
        wanted, keys=list(key.fields), join_type="left semi", use_threads=False
    )
    numbers: np.ndarray = rows.column(RECORD).to_numpy()
    return np.sort(numbers)
