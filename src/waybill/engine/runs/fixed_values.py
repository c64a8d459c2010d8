"""Fields whose stored values stay: asked of the sink, and of earlier records of the file.

Memory is one chunk, 16 bytes for each record while repeated keys are sought, and the values of
those keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from waybill.engine.runs.key_digests import DIGEST, digests_of
from waybill.engine.runs.stored_fields import changing_rows, stored_fields, stored_values
from waybill.model.options import OnDuplicate
from waybill.ports.sink import KEY, RECORD
from waybill.validation.codes import make_finding

if TYPE_CHECKING:
    from waybill.engine.runs.context import RunContext
    from waybill.engine.runs.spool import Spool
    from waybill.engine.runs.stored_fields import StoredField
    from waybill.engine.runs.verdicts import Verdicts


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
        entity = self.context.entity
        immutable = {field.name for field in entity.fields if field.immutable}
        for fixed in stored_fields(entity, immutable):
            self._judge(fixed, verdicts)

    def _judge(self, fixed: StoredField, verdicts: Verdicts) -> None:
        finding = make_finding("IMMUTABLE", field=fixed.field)
        repeated = self._repeated_keys(fixed, verdicts)
        earlier: dict[bytes, object] = {}
        for rows in changing_rows(self.context, self.spool, verdicts, fixed.field):
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
        telling = changing_rows(self.context, self.spool, verdicts, fixed.field)
        found = [digests_of(rows.column(fixed.key)) for rows in telling]
        keys, counts = np.unique(np.concatenate([np.empty(0, DIGEST), *found]), return_counts=True)
        return frozenset(key.tobytes() for key in keys[counts > 1])
