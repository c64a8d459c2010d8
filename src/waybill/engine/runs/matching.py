"""The match phase: rules over the whole file and references to other records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from waybill.engine.runs.verdicts import LateFindings, Verdicts
from waybill.errors import JobFailed
from waybill.model.options import OnDuplicate
from waybill.ports.sink import QueryableSink
from waybill.validation.codes import make_finding
from waybill.validation.whole_file import DuplicateFinder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from waybill.engine.runs.context import RunContext
    from waybill.engine.runs.spool import Spool
    from waybill.model.entity import ForeignKey
    from waybill.model.finding import Finding
    from waybill.validation.whole_file import Duplicates, KeyLedger

NOTHING: Final = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchPhase:
    """Reaches the verdicts on the spooled records."""

    context: RunContext
    spool: Spool
    ledgers: tuple[KeyLedger, ...]

    def run(self) -> Verdicts:
        """The verdicts, before anything is written.

        Raises:
            JobFailed: the entity has references, and its sink cannot be asked.
        """
        late = LateFindings()
        skipped = self._judge_duplicates(late)
        self._judge_references(late, skipped)
        return Verdicts(rejected=late.records(), skipped=skipped, late=late)

    def _judge_duplicates(self, late: LateFindings) -> np.ndarray:
        """Note rejected duplicates; gives the records superseded by another."""
        ledgers = list(self.ledgers)
        entity = self.context.entity
        skipped = NOTHING
        if entity.key:
            keys = ledgers.pop(0)
            policy = self.context.job.options.on_duplicate
            if policy is not OnDuplicate.APPLY:
                found = self._duplicates(keys, entity.key)
                if policy is OnDuplicate.REJECT:
                    late.duplicates.append((entity.key, found))
                else:
                    skipped = superseded(found, policy)
        for fields, ledger in zip(unique_keys(self.context), ledgers, strict=True):
            found = without(self._duplicates(ledger, fields), skipped)
            late.duplicates.append((fields, found))
        return skipped

    def _duplicates(self, ledger: KeyLedger, fields: tuple[str, ...]) -> Duplicates:
        columns = ["_key"] if fields == self.context.entity.key else list(fields)
        finder = DuplicateFinder(ledger, columns=columns)
        if finder.has_candidates:
            for chunk in self.spool:
                if chunk.accepted:
                    finder.confirm(self.spool.good_rows(chunk))
        return finder.groups()

    def _judge_references(self, late: LateFindings, skipped: np.ndarray) -> None:
        keys = self.context.entity.foreign_keys
        if not keys:
            return
        verdicts = Verdicts(rejected=late.records(), skipped=skipped, late=late)
        for foreign_key in keys:
            if self._covers(foreign_key):
                self._judge_reference(foreign_key, verdicts)

    def _covers(self, foreign_key: ForeignKey) -> bool:
        """Whether the file has all columns of the reference; else the stored values stay."""
        first = next((c for c in self.spool if c.accepted), None)
        names = self.spool.good_rows(first).column_names if first else []
        return all(name in names for name in foreign_key.fields)

    def _judge_reference(self, foreign_key: ForeignKey, verdicts: Verdicts) -> None:
        known = self._keys_of_the_file(foreign_key, verdicts)
        is_missing = self._missing_in_sink(foreign_key)
        for chunk in self.spool:
            if not chunk.accepted:
                continue
            rows = self.spool.good_rows(chunk)
            records = rows.column("_record").to_numpy()
            kept = verdicts.keep(records)
            values = rows.select(list(foreign_key.fields)).filter(pa.array(kept))
            for place in dangling(values, known, is_missing):
                verdicts.late.add(
                    int(records[kept][place]), self._dangling_finding(foreign_key, values, place)
                )

    def _keys_of_the_file(
        self, foreign_key: ForeignKey, verdicts: Verdicts
    ) -> frozenset[tuple[object, ...]]:
        """What a reference to the same entity may also name: the records of the file itself."""
        if foreign_key.reference_entity:
            return frozenset()
        known: set[tuple[object, ...]] = set()
        for chunk in self.spool:
            rows = self.spool.good_rows(chunk)
            kept = verdicts.keep(rows.column("_record").to_numpy())
            names = list(foreign_key.reference_fields)
            known.update(as_tuples(rows.select(names).filter(pa.array(kept))))
        return frozenset(known)

    def _missing_in_sink(self, foreign_key: ForeignKey) -> Callable[[pa.Table], Sequence[bool]]:
        sink = self.context.sink
        if not isinstance(sink, QueryableSink):
            raise JobFailed(
                "the entity has references, and its sink cannot be asked for records",
                code="SINK_NOT_QUERYABLE",
            )
        entity = foreign_key.reference_entity or self.context.entity.name
        project = self.context.job.project
        names = list(foreign_key.reference_fields)
        return lambda values: sink.missing(project, entity, names, values.rename_columns(names))

    def _dangling_finding(self, foreign_key: ForeignKey, values: pa.Table, place: int) -> Finding:
        name = foreign_key.fields[0]
        shown = " / ".join(str(values.column(n)[place].as_py()) for n in foreign_key.fields)
        secret = any(n in self.context.entity.secret_fields for n in foreign_key.fields)
        return make_finding(
            "FOREIGN_KEY",
            field=name,
            value="********" if secret else shown,
            reference=foreign_key.reference_entity or self.context.entity.name,
        )


def unique_keys(context: RunContext) -> list[tuple[str, ...]]:
    """The unique keys of an entity in the order of ``CheckedChunk.unique_digests``."""
    single = [(f.name,) for f in context.entity.fields if f.constraints.unique]
    return [key for key in [*single, *context.entity.unique_keys] if key != context.entity.key]


def superseded(found: Duplicates, policy: OnDuplicate) -> np.ndarray:
    """The records of each group but its first or last, rising."""
    kept = found.first_record if policy is OnDuplicate.FIRST else found.last_record
    skipped: np.ndarray = found.record[found.record != kept]
    return skipped


def without(found: Duplicates, skipped: np.ndarray) -> Duplicates:
    """The duplicates that remain once the superseded records are gone."""
    return found if not len(skipped) else found.without(skipped)


def dangling(
    values: pa.Table,
    known: frozenset[tuple[object, ...]],
    is_missing: Callable[[pa.Table], Sequence[bool]],
) -> list[int]:
    """Places of rows whose complete reference is neither among ``known`` nor in the sink."""
    wanted: dict[tuple[object, ...], list[int]] = {}
    for place, key in enumerate(as_tuples(values)):
        if None not in key and key not in known:
            wanted.setdefault(key, []).append(place)
    if not wanted:
        return []
    asked = values.take([places[0] for places in wanted.values()])
    gone = is_missing(asked)
    lost = [places for places, missing in zip(wanted.values(), gone, strict=True) if missing]
    return sorted(place for places in lost for place in places)


def as_tuples(table: pa.Table) -> list[tuple[object, ...]]:
    """The rows as tuples."""
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))
