"""Foreign keys: the values to look up, and the records that hold a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.ports.sink import RECORD

if TYPE_CHECKING:
    from waybill.model.entity import ForeignKey


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
