"""Fields whose stored values stay: asked of the sink, and of earlier records of the file.

Memory is one chunk, 16 bytes for each record while repeated keys are sought, and the values of
those keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.engine.runs.key_digests import DIGEST, digests_of
from waybill.engine.runs.lacking import lacks
from waybill.errors import JobFailed
from waybill.model.options import OnDuplicate, Operation
from waybill.ports.parts import key_of_part
from waybill.ports.sink import ABSENT, ACTION, KEY, RECORD, QueryableSink
from waybill.validation.codes import make_finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from waybill.engine.runs.context import RunContext
    from waybill.engine.runs.spool import Spool
    from waybill.engine.runs.verdicts import Verdicts
    from waybill.model.entity import Entity

_CHANGING: Final = (Operation.UPSERT, Operation.UPDATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """A field of the records, and where its values are stored.

    ``stored``, ``name``: the entity and its field; ``key``: the column with its keys.
    """

    field: str
    stored: str
    name: str
    key: str


def fixed_fields(entity: Entity) -> tuple[Fixed, ...]:
    """The fields of an entity that are immutable wherever its records are stored."""
    names = [field.name for field in entity.fields if field.immutable]
    if not entity.parts:
        return tuple(Fixed(field=n, stored=entity.name, name=n, key=KEY) for n in names)
    return tuple(
        Fixed(field=own, stored=part.entity.name, name=theirs, key=key_of_part(place))
        for place, part in enumerate(entity.parts)
        for theirs, own in part.fields.items()
        if own in names and theirs not in part.entity.key
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedValueRule:
    """Judges the records of one run that would change what must stay."""

    context: RunContext
    spool: Spool

    def judge(self, verdicts: Verdicts) -> None:
        """Note a finding for each field of a record that differs from what is stored.

        Raises:
            JobFailed: the entity's sink cannot be asked.
        """
        operation = self.context.sink_job.operation
        if operation not in _CHANGING and self.context.entity.action is None:
            return
        for fixed in fixed_fields(self.context.entity):
            self._judge(fixed, verdicts)

    def _judge(self, fixed: Fixed, verdicts: Verdicts) -> None:
        finding = make_finding("IMMUTABLE", field=fixed.field)
        repeated = self._repeated_keys(fixed, verdicts)
        earlier: dict[bytes, object] = {}
        for rows in self._telling(fixed, verdicts):
            given = rows.column(fixed.field).to_pylist()
            keys = [digest.tobytes() for digest in digests_of(rows.column(fixed.key))]
            stored = self._stored(fixed, rows)
            records = rows.column(RECORD).to_numpy().tolist()
            for record, key, value, known in zip(records, keys, given, stored, strict=True):
                fixed_value = known if known is not None else earlier.get(key)
                if fixed_value is not None and value != fixed_value:
                    verdicts.late.add(record, finding)
                elif value is not None and key in repeated:
                    earlier.setdefault(key, value)

    def _repeated_keys(self, fixed: Fixed, verdicts: Verdicts) -> frozenset[bytes]:
        """Digests of the keys that several records of the file have."""
        is_key_of_record = fixed.key == KEY
        if is_key_of_record and self.context.job.options.on_duplicate is not OnDuplicate.APPLY:
            return frozenset()
        found = [np.empty(0, DIGEST)]
        found += [digests_of(rows.column(fixed.key)) for rows in self._telling(fixed, verdicts)]
        keys, counts = np.unique(np.concatenate(found), return_counts=True)
        return frozenset(key.tobytes() for key in keys[counts > 1])

    def _telling(self, fixed: Fixed, verdicts: Verdicts) -> Iterator[pa.Table]:
        """The kept records that say something of the field, chunk by chunk."""
        for chunk in self.spool:
            self.context.control.check(may_cancel=False)
            rows = self.spool.good_rows(chunk) if chunk.accepted else None
            if rows is None or fixed.field not in rows.column_names:
                continue
            rows = rows.filter(pa.array(verdicts.keep(rows.column(RECORD).to_numpy())))
            if ABSENT in rows.column_names:
                rows = rows.filter(pc.invert(lacks(rows.column(ABSENT), fixed.field)))
            if ACTION in rows.column_names:
                words = pa.array([operation.value for operation in _CHANGING])
                rows = rows.filter(pc.is_in(rows.column(ACTION), value_set=words))
            yield rows

    def _stored(self, fixed: Fixed, rows: pa.Table) -> Sequence[object]:
        """What is stored of the field, record by record."""
        sink, project = self.context.sink, self.context.job.project
        if not isinstance(sink, QueryableSink):
            raise JobFailed(
                "the entity has values that must stay, and its sink cannot be asked for them",
                code="SINK_NOT_QUERYABLE",
            )
        encoded: Any = rows.column(fixed.key).combine_chunks().dictionary_encode()
        keys = pa.table({KEY: encoded.dictionary})
        values = sink.values(project, fixed.stored, fixed.name, keys)
        return [values[place] for place in encoded.indices.to_pylist()]
