"""The match phase: rules over the whole file and references to other records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from waybill.engine.runs.creation import CreationRule
from waybill.engine.runs.fixed_values import FixedValueRule
from waybill.engine.runs.reporting import shorten
from waybill.engine.runs.stored_order import StoredOrderRule
from waybill.engine.runs.tree import TreeRule
from waybill.engine.runs.verdicts import LateFindings, Verdicts, among, refusal_finding
from waybill.errors import JobFailed
from waybill.ports.sink import QueryableSink
from waybill.validation.codes import make_finding
from waybill.validation.compiled import self_references
from waybill.validation.references import (
    as_values,
    foreign_values,
    items_in,
    list_field,
    lost_items,
    records_having,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from waybill.engine.runs.context import RunContext
    from waybill.engine.runs.duplicates import KeyLedgers
    from waybill.engine.runs.planning import Planner
    from waybill.engine.runs.spool import Spool
    from waybill.model.entity import Field, ForeignKey
    from waybill.model.finding import Finding
    from waybill.model.ids import ProjectName
    from waybill.validation.references import LostItems

LONGEST_CHAIN: Final = 64
"""References in a row that are followed; a pass over the spool each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchPhase:
    """Reaches the verdicts on the spooled records."""

    context: RunContext
    spool: Spool
    ledgers: KeyLedgers
    planner: Planner

    def run(self) -> Verdicts:
        """The verdicts, before anything is written.

        Raises:
            JobFailed: the entity has references, or needs of new records, and its sink cannot be
                asked.
        """
        late = LateFindings()
        skipped = self.ledgers.judge(self.spool, self.context.job.options.on_duplicate, late)
        verdicts = Verdicts(rejected=late.records(), skipped=skipped, late=late)
        for refusal in self.planner.refusals(verdicts):
            late.add(refusal.record, refusal_finding(refusal, self.context.entity))
        keys = [key for key in self.context.entity.foreign_keys if self._covers(key)]
        for foreign_key in keys:
            self._judge_reference(foreign_key, verdicts)
        CreationRule(context=self.context, spool=self.spool).judge(verdicts)
        FixedValueRule(context=self.context, spool=self.spool).judge(verdicts)
        StoredOrderRule(context=self.context, spool=self.spool).judge(verdicts)
        sound = Verdicts(rejected=late.records(), skipped=skipped, late=late)
        TreeRule(context=self.context, spool=self.spool).judge(sound)
        self._follow_rejected(keys, verdicts)
        return Verdicts(rejected=late.records(), skipped=skipped, late=late)

    def _follow_rejected(self, keys: list[ForeignKey], verdicts: Verdicts) -> None:
        """Reject what refers to a rejected record of the file, and what refers to that, and so on.

        Raises:
            JobFailed: the chain of references is longer than anyone's.
        """
        late, known = verdicts.late, 0
        inner = [key for key in self_references(self.context.entity) if key in keys]
        for _ in range(LONGEST_CHAIN):
            if not inner or len(late.records()) == known:
                return
            known = len(late.records())
            self.context.control.check(may_cancel=False)
            now = Verdicts(rejected=late.records(), skipped=verdicts.skipped, late=late)
            for foreign_key in inner:
                self._judge_what_refers_to_rejected(foreign_key, now)
        raise JobFailed(
            f"more than {LONGEST_CHAIN} records refer to one another and to a rejected one; "
            "mend the rejected record first",
            code="REFERENCE_CHAIN_TOO_LONG",
        )

    def _covers(self, foreign_key: ForeignKey) -> bool:
        """Whether the file has all columns of the reference; else the stored values stay."""
        first = next((c for c in self.spool if c.accepted), None)
        names = self.spool.good_rows(first).column_names if first else []
        return all(name in names for name in foreign_key.fields)

    def _judge_reference(self, foreign_key: ForeignKey, verdicts: Verdicts) -> None:
        candidates = self.ledgers.outside_the_file(foreign_key)
        is_missing = self._missing_in_sink(foreign_key)
        for chunk in self.spool:
            if not chunk.accepted:
                continue
            rows = self.spool.good_rows(chunk)
            records = rows.column("_record").to_numpy()
            asked = verdicts.keep(records)
            if candidates is not None:
                asked &= among(records, candidates)
            self._note_dangling(foreign_key, rows.filter(pa.array(asked)), is_missing, verdicts)

    def _judge_what_refers_to_rejected(self, foreign_key: ForeignKey, verdicts: Verdicts) -> None:
        """Reject what refers to a record of the file that was rejected after its check."""
        is_missing = self._missing_in_sink(foreign_key)
        offered = list(foreign_key.reference_fields)
        chunks = [self.spool.good_rows(chunk) for chunk in self.spool if chunk.accepted]
        kept = [verdicts.keep(rows.column("_record").to_numpy()) for rows in chunks]
        gone = pa.concat_tables(
            rows.select(offered).filter(pa.array(~mask))
            for rows, mask in zip(chunks, kept, strict=True)
        )
        if not gone.num_rows:
            return
        renamed = gone.drop_null().rename_columns(offered)
        for rows, mask in zip(chunks, kept, strict=True):
            good = rows.filter(pa.array(mask))
            affected = records_having(good, foreign_key, renamed)
            among_good = np.isin(good.column("_record").to_numpy(), affected)
            self._note_dangling(
                foreign_key, good.filter(pa.array(among_good)), is_missing, verdicts
            )

    def _note_dangling(
        self,
        foreign_key: ForeignKey,
        rows: pa.Table,
        is_missing: Callable[[pa.Table], Sequence[bool]],
        verdicts: Verdicts,
    ) -> None:
        field = list_field(self.context.entity, foreign_key)
        if field is not None:
            self._note_lost_items(foreign_key, field, items_in(rows, field), is_missing, verdicts)
            return
        values = foreign_values(rows, foreign_key)
        if not values.num_rows:
            return
        lost = values.filter(pa.array(is_missing(values), pa.bool_()))
        if not lost.num_rows:
            return
        dangling = records_having(rows, foreign_key, lost)
        places = np.searchsorted(rows.column("_record").to_numpy(), dangling)
        shown = rows.select(list(foreign_key.fields)).take(places)
        for record, place in zip(dangling.tolist(), range(len(places)), strict=True):
            verdicts.late.add(record, self._dangling_finding(foreign_key, shown, place))

    def _note_lost_items(
        self,
        foreign_key: ForeignKey,
        field: Field,
        items: pa.Table,
        is_missing: Callable[[pa.Table], Sequence[bool]],
        verdicts: Verdicts,
    ) -> None:
        texts = foreign_values(items, foreign_key).column(0)
        if not len(texts):
            return
        values = pa.table({foreign_key.reference_fields[0]: as_values(texts, field)})
        lost = texts.filter(pa.array(is_missing(values), pa.bool_()))
        reference = foreign_key.reference_entity
        for found in lost_items(items, field, lost) if len(lost) else ():
            for finding in lost_items_findings(found, field, reference):
                verdicts.late.add(found.record, finding)

    def _missing_in_sink(self, foreign_key: ForeignKey) -> Callable[[pa.Table], Sequence[bool]]:
        sink = self.context.sink
        if not isinstance(sink, QueryableSink):
            raise JobFailed(
                "the entity has references, and its sink cannot be asked for records",
                code="SINK_NOT_QUERYABLE",
            )
        entity = foreign_key.reference_entity or self.context.entity.name
        targets = [(entity, foreign_key.reference_fields), *foreign_key.alternatives]
        return partial(missing_everywhere, sink, self.context.job.project, targets)

    def _dangling_finding(self, foreign_key: ForeignKey, values: pa.Table, place: int) -> Finding:
        shown = " / ".join(str(values.column(name)[place].as_py()) for name in foreign_key.fields)
        is_secret = any(name in self.context.entity.secret_fields for name in foreign_key.fields)
        finding = make_finding(
            "FOREIGN_KEY",
            field=foreign_key.fields[0],
            value="********" if is_secret else shown,
            reference=foreign_key.reference_entity or self.context.entity.name,
        )
        return replace(finding, value=None)  # reports show the cell


def missing_everywhere(
    sink: QueryableSink,
    project: ProjectName,
    targets: Sequence[tuple[str, tuple[str, ...]]],
    values: pa.Table,
) -> Sequence[bool]:
    """For each row of ``values`` whether no entity has it in these fields."""
    missing = np.ones(values.num_rows, dtype=bool)
    for entity, fields in targets:
        asked = values.filter(pa.array(missing)).rename_columns(list(fields))
        if asked.num_rows:
            missing[missing] = sink.missing(project, entity, list(fields), asked)
    found: list[bool] = missing.tolist()
    return found


def lost_items_findings(found: LostItems, field: Field, reference: str) -> Iterator[Finding]:
    """What to say of each of the first items of a list that refer to nothing."""
    more = found.count - len(found.shown)
    shown = list(dict.fromkeys(found.shown))
    for item in shown:
        finding = make_finding(
            "FOREIGN_KEY", field=field.name, value=shorten(item), reference=reference
        )
        rest = f", nor are {more} more" if more and item == shown[-1] else ""
        yield replace(finding, value=item, message=finding.message + rest)
