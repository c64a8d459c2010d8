"""The plan phase: what the sink would refuse, asked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from waybill.model.options import Operation
from waybill.ports.sink import QueryableSink
from waybill.validation.compiled import unique_sets

if TYPE_CHECKING:
    from waybill.engine.runs.context import RunContext
    from waybill.engine.runs.progress import ProgressMeter
    from waybill.engine.runs.spool import Spool
    from waybill.engine.runs.verdicts import Verdicts
    from waybill.model.job import Counts
    from waybill.ports.sink import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPhase:
    """Asks the sink on behalf of the guards; writes nothing."""

    context: RunContext
    spool: Spool
    verdicts: Verdicts
    meter: ProgressMeter

    def run(self, counts: Counts, allowed: int) -> list[Refusal]:
        """What the sink would refuse of the accepted records, where a guard wants to know.

        ``counts``: of the phases before. It ends as soon as more than ``allowed`` records are
        rejected altogether. Chunks are planned apart, so a record that is refused because of an
        earlier chunk is found out only while applying.
        """
        sink = self.context.sink
        refusals: list[Refusal] = []
        if not self._is_needed() or not isinstance(sink, QueryableSink):
            return refusals
        for chunk in self.spool:
            self.meter.matched(counts)
            if chunk.accepted:
                rows = self.spool.good_rows(chunk)
                kept = self.verdicts.keep(rows.column("_record").to_numpy())
                planned = sink.plan(self.context.sink_job, rows.filter(pa.array(kept)))
                refusals.extend(planned.refusals)
            if counts.rejected + len(refusals) > allowed:
                break
        return refusals

    def _is_needed(self) -> bool:
        """Whether a guard is set, and the sink may refuse anything at all."""
        options, entity = self.context.job.options, self.context.entity
        is_guarded = options.max_errors is not None or options.max_error_ratio is not None
        only_upserts = options.operation is Operation.UPSERT and entity.action is None
        return is_guarded and not options.dry_run and not (only_upserts and not unique_sets(entity))
