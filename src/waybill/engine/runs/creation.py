"""Fields that a new record must have, though a known one need not: asked of the sink.

A record is new where its key, or that of the part that takes the field, is neither stored nor
created by an earlier record of the file. Memory is one chunk, and under 50 bytes for each record
that lacks a field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.engine.runs.key_digests import DIGEST, digests_of
from waybill.engine.runs.verdicts import among
from waybill.errors import JobFailed
from waybill.model.options import MissingColumns, Operation
from waybill.ports.parts import key_of_part
from waybill.ports.sink import ACTION, KEY, RECORD, QueryableSink
from waybill.validation.codes import make_finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from waybill.engine.runs.context import RunContext
    from waybill.engine.runs.spool import Spool
    from waybill.engine.runs.verdicts import LateFindings, Verdicts
    from waybill.model.entity import Entity

_CREATING: Final = (Operation.UPSERT, Operation.INSERT)
_NOWHERE: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Fields that every new record of ``stored`` needs; ``key``: the column with its keys."""

    stored: str
    key: str
    fields: tuple[str, ...]


def needs_of(entity: Entity, missing: MissingColumns) -> tuple[Need, ...]:
    """What new records need, one for each entity that they are stored in and that needs anything.

    A part needs what the record requires of the fields that it takes. Where missing columns keep
    what is stored, new records need every required field.
    """
    keeps = missing is MissingColumns.KEEP
    required = [
        field.name
        for field in entity.fields
        if field.required_on_create
        or (keeps and field.constraints.required and field.default is None)
    ]
    if not entity.parts:
        needs = [Need(stored=entity.name, key=KEY, fields=tuple(required))]
    else:
        needs = [
            Need(
                stored=part.entity.name,
                key=key_of_part(place),
                fields=tuple(name for name in required if name in part.fields.values()),
            )
            for place, part in enumerate(entity.parts)
        ]
    return tuple(need for need in needs if need.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationRule:
    """Judges the records of one run that lack what a new one needs."""

    context: RunContext
    spool: Spool

    def judge(self, verdicts: Verdicts) -> None:
        """Note a finding for each field that a new record lacks.

        A record that has another late finding already creates nothing.

        Raises:
            JobFailed: the entity's sink cannot be asked.
        """
        missing = self.context.job.options.missing_columns
        needs = needs_of(self.context.entity, missing) if self._may_create() else ()
        sought = [_Sought(need, self._unstored(need, verdicts)) for need in needs]
        if not any(len(each.keys) for each in sought):
            return
        rejected = verdicts.late.records()
        for rows in self._creating(verdicts):
            records = rows.column(RECORD).to_numpy()
            _judge_rows(rows, sought, ~among(records, rejected), verdicts.late)

    def _may_create(self) -> bool:
        operation = self.context.sink_job.operation
        return operation in _CREATING or self.context.entity.action is not None

    def _unstored(self, need: Need, verdicts: Verdicts) -> np.ndarray:
        """Digests of the keys of records that lack a field and are not stored; rising, distinct."""
        sink, project = self.context.sink, self.context.job.project
        if not isinstance(sink, QueryableSink):
            raise JobFailed(
                "new records of the entity need values, and its sink cannot be asked for keys",
                code="SINK_NOT_QUERYABLE",
            )
        found = [np.empty(0, DIGEST)]
        for rows in self._creating(verdicts):
            lacking = rows.select([need.key]).filter(pa.array(~_is_complete(rows, need)))
            if lacking.num_rows:
                keys = lacking.rename_columns([KEY])
                new = keys.filter(pa.array(sink.missing(project, need.stored, [KEY], keys)))
                found.append(np.unique(digests_of(new.column(KEY))))
        return np.unique(np.concatenate(found))

    def _creating(self, verdicts: Verdicts) -> Iterator[pa.Table]:
        """The kept records that may create something, chunk by chunk."""
        for chunk in self.spool:
            self.context.control.check(may_cancel=False)
            if chunk.accepted:
                rows = self.spool.good_rows(chunk)
                kept = verdicts.keep(rows.column(RECORD).to_numpy())
                if ACTION in rows.column_names:
                    words = pa.array([operation.value for operation in _CREATING])
                    kept &= pc.is_in(rows.column(ACTION), value_set=words).to_numpy()
                yield rows.filter(pa.array(kept))


class _Sought:
    """The keys of one need that nobody has stored, and which of them the file has created."""

    def __init__(self, need: Need, keys: np.ndarray) -> None:
        self.need = need
        self.keys = keys
        self.created = np.zeros(len(keys), dtype=bool)

    def places(self, rows: pa.Table) -> np.ndarray:
        """For each row the index of its key in ``keys``, or -1."""
        if not len(self.keys):
            return np.full(rows.num_rows, _NOWHERE)
        digests = digests_of(rows.column(self.need.key))
        places = np.searchsorted(self.keys, digests)
        places[places == len(self.keys)] = 0
        places[self.keys[places] != digests] = _NOWHERE
        return places


def _judge_rows(
    rows: pa.Table, sought: Sequence[_Sought], may_create: np.ndarray, late: LateFindings
) -> None:
    """Judge rows in file order, each knowing what those before it created."""
    places = [each.places(rows) for each in sought]
    names = dict.fromkeys(name for each in sought for name in each.need.fields)
    values = {name: _has(rows, name) for name in names}
    records = rows.column(RECORD).to_numpy()
    for row in np.flatnonzero(np.any([each != _NOWHERE for each in places], axis=0)).tolist():
        met = [(each, at[row]) for each, at in zip(sought, places, strict=True) if at[row] >= 0]
        new = [each.need for each, place in met if not each.created[place]]
        needed = dict.fromkeys(name for need in new for name in need.fields)
        lacking = [name for name in needed if not values[name][row]]
        for name in lacking:
            late.add(int(records[row]), make_finding("REQUIRED_ON_CREATE", field=name))
        if not lacking and may_create[row]:
            for each, place in met:
                each.created[place] = True


def _is_complete(rows: pa.Table, need: Need) -> np.ndarray:
    """Which rows lack nothing."""
    complete: np.ndarray = np.all([_has(rows, name) for name in need.fields], axis=0)
    return complete


def _has(rows: pa.Table, name: str) -> np.ndarray:
    """Which rows have a value; none where the file lacks the column."""
    if name not in rows.column_names:
        return np.zeros(rows.num_rows, dtype=bool)
    found: np.ndarray = pc.is_valid(rows.column(name)).to_numpy()
    return found
