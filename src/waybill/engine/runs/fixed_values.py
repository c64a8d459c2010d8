"""Fields whose stored values stay: asked of the sink, and of earlier records of the file.

Memory is one chunk, 16 bytes for each record while repeated keys are sought, and the values of
those keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.engine.runs.key_digests import DIGEST, digests_of
from waybill.engine.runs.lacking import lacks
from waybill.engine.runs.stored_fields import stored_fields, stored_values
from waybill.model.options import OnDuplicate, Operation
from waybill.ports.sink import ABSENT, ACTION, KEY, RECORD
from waybill.validation.codes import make_finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.engine.runs.context import RunContext
    from waybill.engine.runs.spool import Spool
    from waybill.engine.runs.stored_fields import StoredField
    from waybill.engine.runs.verdicts import Verdicts

_CHANGING: Final = (Operation.UPSERT, Operation.UPDATE)


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
        entity = self.context.entity
        immutable = {field.name for field in entity.fields if field.immutable}
        for fixed in stored_fields(entity, immutable):
            self._judge(fixed, verdicts)

    def _judge(self, fixed: StoredField, verdicts: Verdicts) -> None:
        finding = make_finding("IMMUTABLE", field=fixed.field)
        repeated = self._repeated_keys(fixed, verdicts)
        earlier: dict[bytes, object] = {}
        for rows in self._telling(fixed, verdicts):
            given = rows.column(fixed.field).to_pylist()
            keys = [digest.tobytes() for digest in digests_of(rows.column(fixed.key))]
            stored = stored_values(self.context, fixed, rows)
            records = rows.column(RECORD).to_numpy().tolist()
            for record, key, value, known in zip(records, keys, given, stored, strict=True):
                fixed_value = known if known is not None else earlier.get(key)
                if fixed_value is not None and value != fixed_value:
                    verdicts.late.add(record, finding)
                elif value is not None and key in repeated:
                    earlier.setdefault(key, value)

    def _repeated_keys(self, fixed: StoredField, verdicts: Verdicts) -> frozenset[bytes]:
        """Digests of the keys that several records of the file have."""
        is_key_of_record = fixed.key == KEY
        if is_key_of_record and self.context.job.options.on_duplicate is not OnDuplicate.APPLY:
            return frozenset()
        found = [np.empty(0, DIGEST)]
        found += [digests_of(rows.column(fixed.key)) for rows in self._telling(fixed, verdicts)]
        keys, counts = np.unique(np.concatenate(found), return_counts=True)
        return frozenset(key.tobytes() for key in keys[counts > 1])

    def _telling(self, fixed: StoredField, verdicts: Verdicts) -> Iterator[pa.Table]:
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
