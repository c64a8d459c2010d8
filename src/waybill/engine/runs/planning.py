"""What the sink would refuse, asked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from waybill.model.options import Operation
from waybill.ports.sink import QueryableSink
from waybill.validation.compiled import self_references, unique_sets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.engine.runs.context import RunContext
    from waybill.engine.runs.spool import Spool
    from waybill.engine.runs.verdicts import Verdicts
    from waybill.ports.sink import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Asks the sink on behalf of guards and of references within the file; writes nothing.

    Chunks are planned apart, so a record that is refused because of an earlier chunk is found out
    only while applying. ``is_repeated``: an earlier attempt may have applied some chunks.
    """

    context: RunContext
    spool: Spool
    is_repeated: bool

    def refusals(self, verdicts: Verdicts) -> Iterator[Refusal]:
        """What would be refused of the records that ``verdicts`` keeps; nothing if nobody asks."""
        sink = self.context.sink
        if not self._is_needed() or not isinstance(sink, QueryableSink):
            return
        decided = self._decided()
        for chunk in self.spool:
            self.context.control.check(may_cancel=not decided)
            if chunk.accepted:
                rows = self.spool.good_rows(chunk)
                records = rows.column("_record").to_numpy()
                asked = verdicts.keep(records) & ~np.isin(records, decided.get(chunk.ordinal, ()))
                yield from sink.plan(self.context.sink_job, rows.filter(pa.array(asked))).refusals

    def _is_needed(self) -> bool:
        """Whether the answer matters, and the sink may refuse anything at all."""
        options, entity = self.context.job.options, self.context.entity
        has_limit = options.max_errors is not None or options.max_error_ratio is not None
        is_guarded = has_limit and not self.context.is_staged  # else what is staged tells
        only_upserts = options.operation is Operation.UPSERT and entity.action is None
        may_refuse = not only_upserts or bool(unique_sets(entity))
        return may_refuse and (is_guarded or bool(self_references(entity)))

    def _decided(self) -> dict[int, np.ndarray]:
        """Records by chunk whose outcome is stored: the sink holds them, and would refuse them."""
        if not self.is_repeated:
            return {}
        results = self.context.sink.results(self.context.job.id)
        return {each.chunk: np.asarray(each.records, dtype=np.int64) for each in results}
