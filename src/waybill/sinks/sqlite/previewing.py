"""What publishing a stage would do, asked of its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.model.plan import Effect, KindShare, PlannedChange
from waybill.ports.sink import EXTRA, Preview
from waybill.sinks.sqlite.names import quote
from waybill.sinks.sqlite.reading import to_records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import apsw

    from waybill.sinks.sqlite.staging import Stage

_WITHOUT_PARTITION: Final = "''"


def preview(stage: Stage, *, samples: int) -> Preview:
    """What ``stage.publish`` would do, with so many samples of each effect."""
    gone = _count_by_kind(stage, _deleted(stage))
    missing: Mapping[str, int] = {}
    condition, values = stage.missing()
    if stage.may_miss:
        missing = _count_by_kind(stage, f"{condition} AND NOT ({_is_copied_away(stage)})", values)
    lost = {kind: gone.get(kind, 0) + missing.get(kind, 0) for kind in {*gone, *missing}}
    stored = _count_by_kind(stage, "TRUE") if lost else {}
    shares = [KindShare(kind=kind, gone=lost[kind], stored=stored[kind]) for kind in sorted(lost)]
    return Preview(
        removed=sum(missing.values()),
        shares=shares,
        samples=_samples(stage, samples) if samples else {},
    )


def _is_copied_away(stage: Stage) -> str:
    """SQL: a stored record was copied, and its copy is gone."""
    return (
        f"_id IN (SELECT _id FROM {stage.copied}) "  # noqa: S608 - quoted names
        f"AND _id NOT IN (SELECT _live FROM {stage.target.name} WHERE _live IS NOT NULL)"
    )


def _deleted(stage: Stage) -> str:
    """SQL: the same, and no new record has its key."""
    table, staged = stage.live.name, stage.target.name
    is_again = f"(SELECT 1 FROM {staged} AS staged WHERE staged._key = {table}._key)"  # noqa: S608 - quoted names
    return f"{_is_copied_away(stage)} AND NOT EXISTS {is_again}"


def _count_by_kind(
    stage: Stage, condition: str, values: Sequence[apsw.SQLiteValue] = ()
) -> dict[str, int]:
    partition = stage.layout.entity.partition
    kind = quote(stage.layout.columns[partition.field]) if partition else _WITHOUT_PARTITION
    rows = stage.db.execute(
        f"SELECT {kind}, count(*) FROM {stage.live.name} WHERE {condition} GROUP BY 1",  # noqa: S608 - quoted names
        tuple(values),
    )
    return {str(kind): int(str(count)) for kind, count in rows}


def _samples(stage: Stage, most: int) -> dict[Effect, Sequence[PlannedChange]]:
    missing, values = stage.missing()
    unread = f"{missing} AND NOT ({_is_copied_away(stage)})"
    return {
        Effect.CREATED: _created(stage, most),
        Effect.UPDATED: _updated(stage, most),
        Effect.DELETED: _of_stored(stage, _deleted(stage), (), most),
        Effect.REMOVED: _of_stored(stage, unread, values, most) if stage.may_miss else (),
    }


def _created(stage: Stage, most: int) -> list[PlannedChange]:
    live = stage.live.name
    is_known = f"(SELECT 1 FROM {live} WHERE {live}._key IS staged._key)"  # noqa: S608 - quoted name
    return _of_staged(
        stage,
        f"{stage.target.name} AS staged LEFT JOIN {live} AS old ON FALSE "
        f"WHERE staged._live IS NULL AND NOT EXISTS {is_known}",
        most,
    )


def _updated(stage: Stage, most: int) -> list[PlannedChange]:
    """Records that were changed, then those that were deleted and came again."""
    live, staged = stage.live.name, stage.target.name
    changed = f"{staged} AS staged JOIN {live} AS old ON old._id = staged._live WHERE TRUE"
    again = (
        f"{stage.copied} AS copied JOIN {live} AS old ON old._id = copied._id "
        f"JOIN {staged} AS staged ON staged._key = old._key WHERE staged._live IS NULL"
    )
    found = _of_staged(stage, changed, most)
    return found + _of_staged(stage, again, most - len(found))


def _of_staged(stage: Stage, source: str, most: int) -> list[PlannedChange]:
    """Staged records that the job wrote, each beside the stored one, in the order of writing."""
    fields = [field for field in stage.layout.columns if field != EXTRA]
    after, before = (_columns(stage, fields, of) for of in ("staged", "old"))
    rows = stage.db.execute(
        f"SELECT staged._record, old._id, {after}, {before} FROM {source} "  # noqa: S608 - quoted names
        "AND staged._job = ? LIMIT ?",
        (stage.number, most),
    )
    width = len(fields) + 2
    found = []
    for record, stored, *values in rows.fetchall():
        [new, old] = to_records(stage.layout.entity, fields, [values[:width], values[width:]])
        number = int(str(record))
        found.append(
            PlannedChange(record=number, before=None if stored is None else old, after=new)
        )
    return found


def _of_stored(
    stage: Stage, condition: str, values: Sequence[apsw.SQLiteValue], most: int
) -> list[PlannedChange]:
    fields = [field for field in stage.layout.columns if field != EXTRA]
    table = stage.live.name
    rows = stage.db.execute(
        f"SELECT {_columns(stage, fields, table)} FROM {table} WHERE {condition} "  # noqa: S608 - quoted names
        "ORDER BY _key LIMIT ?",
        (*values, most),
    )
    records = to_records(stage.layout.entity, fields, rows.fetchall())
    return [PlannedChange(record=None, before=before, after=None) for before in records]


def _columns(stage: Stage, fields: Sequence[str], of: str) -> str:
    """As ``to_records`` takes them."""
    names = ["_id", EXTRA, *(stage.layout.columns[field] for field in fields)]
    return ", ".join(f"{of}.{quote(name)}" for name in names)
