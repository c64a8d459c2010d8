"""Values that must follow in order where a record has only some of them: the others are stored.

Where a record has them all, the check has judged them. Memory is one chunk.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from waybill.engine.runs.lacking import lacks
from waybill.engine.runs.stored_fields import changing_rows, stored_fields, stored_values
from waybill.model.entity import FieldType
from waybill.ports.sink import ABSENT, RECORD
from waybill.validation.codes import make_finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from waybill.engine.runs.context import RunContext
    from waybill.engine.runs.spool import Spool
    from waybill.engine.runs.verdicts import Verdicts

_NUMBERS: Final = (FieldType.INTEGER, FieldType.NUMBER, FieldType.YEAR)


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
        for names in self.context.entity.ascending:
            for first, later in combinations(names, 2):
                self._judge(later, first, verdicts, is_later=True)
                self._judge(first, later, verdicts, is_later=False)

    def _judge(self, given: str, kept: str, verdicts: Verdicts, *, is_later: bool) -> None:
        """Compare the values of ``given`` with stored ones of ``kept``, which the records lack."""
        entity = self.context.entity
        places, kind = stored_fields(entity, {kept}), entity.field(given).type
        for rows in self._lacking(given, kept, verdicts) if places else ():
            stored = stored_values(self.context, places[0], rows)
            values: list[Any] = rows.column(given).to_pylist()
            records = rows.column(RECORD).to_numpy().tolist()
            for record, value, other in zip(records, values, stored, strict=True):
                if other is None or value is None:
                    continue
                one, two = (other, value) if is_later else (value, other)
                if _descends(one, two, kind):
                    found = make_finding("NOT_ASCENDING", field=given, value=str(value), bound=kept)
                    if not is_later:
                        message = f"{str(value)!r} lies after the stored value of {kept}"
                        found = replace(found, message=message, expected=None)
                    verdicts.late.add(record, replace(found, value=None))

    def _lacking(self, given: str, kept: str, verdicts: Verdicts) -> Iterator[pa.Table]:
        """The records that have the one field and lack the other, chunk by chunk."""
        for rows in changing_rows(self.context, self.spool, verdicts, given):
            if kept not in rows.column_names:
                yield rows
            elif ABSENT in rows.column_names:
                yield rows.filter(lacks(rows.column(ABSENT), kept))


def _descends(first: object, later: object, kind: FieldType) -> bool:
    """Whether the later value is less than the first; times are texts that sort."""
    if kind not in _NUMBERS:
        return str(later).rstrip("Z") < str(first).rstrip("Z")
    one, two = Decimal(str(first)), Decimal(str(later))
    return not (one.is_nan() or two.is_nan()) and two < one
