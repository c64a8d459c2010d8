"""What records of a file would change, and what is stored of their fields, wherever that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from waybill.engine.runs.lacking import lacks
from waybill.errors import JobFailed
from waybill.model.options import Operation
from waybill.ports.parts import key_of_part
from waybill.ports.sink import ABSENT, ACTION, KEY, RECORD, QueryableSink

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from waybill.engine.runs.context import RunContext
    from waybill.engine.runs.spool import Spool
    from waybill.engine.runs.verdicts import Verdicts
    from waybill.model.entity import Entity


CHANGING: Final = (Operation.UPSERT, Operation.UPDATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredField:
    """A field of the records, and where its values are stored.

    ``stored``, ``name``: the entity and its field; ``key``: the column with its keys.
    """

    field: str
    stored: str
    name: str
    key: str


def changing_rows(
    context: RunContext, spool: Spool, verdicts: Verdicts, field: str
) -> Iterator[pa.Table]:
    """The kept records that say something of a field and may change it, chunk by chunk."""
    is_told_by_record = context.entity.action is not None
    if context.sink_job.operation not in CHANGING and not is_told_by_record:
        return
    for chunk in spool:
        context.control.check(may_cancel=False)
        rows = spool.good_rows(chunk) if chunk.accepted else None
        if rows is None or field not in rows.column_names:
            continue
        rows = rows.filter(pa.array(verdicts.keep(rows.column(RECORD).to_numpy()), pa.bool_()))
        if ABSENT in rows.column_names:
            rows = rows.filter(pc.invert(lacks(rows.column(ABSENT), field)))
        if ACTION in rows.column_names:
            words = pa.array([operation.value for operation in CHANGING])
            rows = rows.filter(pc.is_in(rows.column(ACTION), value_set=words))
        yield rows


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
