"""What is stored of a field, record by record, wherever the records of an entity are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from waybill.errors import JobFailed
from waybill.ports.parts import key_of_part
from waybill.ports.sink import KEY, QueryableSink

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from waybill.engine.runs.context import RunContext
    from waybill.model.entity import Entity


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredField:
    """A field of the records, and where its values are stored.

    ``stored``, ``name``: the entity and its field; ``key``: the column with its keys.
    """

    field: str
    stored: str
    name: str
    key: str


def stored_fields(entity: Entity, names: Collection[str]) -> tuple[StoredField, ...]:
    """Where these fields are stored, but for those that are a key there."""
    if not entity.parts:
        own = [field.name for field in entity.fields if field.name in names]
        return tuple(StoredField(field=n, stored=entity.name, name=n, key=KEY) for n in own)
    return tuple(
        StoredField(field=own, stored=part.entity.name, name=theirs, key=key_of_part(place))
        for place, part in enumerate(entity.parts)
        for theirs, own in part.fields.items()
        if own in names and theirs not in part.entity.key
    )


def stored_values(context: RunContext, where: StoredField, rows: pa.Table) -> Sequence[object]:
    """What is stored of the field, record by record; ``None`` for nothing.

    Raises:
        JobFailed: the entity's sink cannot be asked.
    """
    sink = context.sink
    if not isinstance(sink, QueryableSink):
        raise JobFailed(
            "records are compared with stored ones, and the entity's sink cannot be asked for them",
            code="SINK_NOT_QUERYABLE",
        )
    encoded: Any = rows.column(where.key).combine_chunks().dictionary_encode()
    keys = pa.table({KEY: encoded.dictionary})
    values = sink.values(context.job.project, where.stored, where.name, keys)
    return [values[place] for place in encoded.indices.to_pylist()]
