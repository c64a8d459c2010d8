"""Values that must follow in order where a record has only some of them: the others are stored.

Where a record has them all, the check has judged them. Memory is one chunk.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from waybill.engine.runs.lacking import lacks
from waybill.engine.runs.stored_fields import stored_fields, stored_values
from waybill.model.options import Operation
from waybill.ports.sink import ABSENT, RECORD
from waybill.validation.codes import make_finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.engine.runs.context import RunContext
    from waybill.engine.runs.spool import Spool
    from waybill.engine.runs.verdicts import Verdicts

_CHANGING = (Operation.UPSERT, Operation.UPDATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOrderRule:
    """Judges the records of one run that change a part of what must follow in order."""

    context: RunContext
    spool: Spool

    def judge(self, verdicts: Verdicts) -> None:
        """Note a finding on each value that lies on the wrong side of a stored one.

        Raises:
            JobFailed: the entity's sink cannot be asked.
        """
        if self.context.sink_job.operation not in _CHANGING:
            return
        for names in self.context.entity.ascending:
            for first, later in combinations(names, 2):
                self._judge(later, first, verdicts, is_later=True)
                self._judge(first, later, verdicts, is_later=False)

    def _judge(self, given: str, kept: str, verdicts: Verdicts, *, is_later: bool) -> None:
        """Compare the values of ``given`` with stored ones of ``kept``, which the records lack."""
        places = stored_fields(self.context.entity, {kept})
        for rows in self._lacking(given, kept, verdicts) if places else ():
            stored = stored_values(self.context, places[0], rows)
            values: list[Any] = rows.column(given).to_pylist()
            records = rows.column(RECORD).to_numpy().tolist()
            for record, value, other in zip(records, values, stored, strict=True):
                if other is None or value is None:
                    continue
                one, two = _comparable(value), _comparable(other)
                if one < two if is_later else one > two:
                    found = make_finding("NOT_ASCENDING", field=given, value=str(value), bound=kept)
                    if not is_later:
                        message = f"{str(value)!r} lies after the stored value of {kept}"
                        found = replace(found, message=message, expected=None)
                    verdicts.late.add(record, replace(found, value=None))

    def _lacking(self, given: str, kept: str, verdicts: Verdicts) -> Iterator[pa.Table]:
        """The kept records that have the one field and lack the other, chunk by chunk."""
        for chunk in self.spool:
            self.context.control.check(may_cancel=False)
            rows = self.spool.good_rows(chunk) if chunk.accepted else None
            if rows is None or given not in rows.column_names:
                continue
            rows = rows.filter(pa.array(verdicts.keep(rows.column(RECORD).to_numpy()), pa.bool_()))
            if ABSENT in rows.column_names:
                rows = rows.filter(pc.invert(lacks(rows.column(ABSENT), given)))
            if kept in rows.column_names:
                if ABSENT not in rows.column_names:
                    continue
                rows = rows.filter(lacks(rows.column(ABSENT), kept))
            yield rows


def _comparable(value: Any) -> Any:  # noqa: ANN401 - of any ordered type; times are texts
    return value.rstrip("Z") if isinstance(value, str) else value
