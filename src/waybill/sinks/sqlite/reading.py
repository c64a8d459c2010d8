"""Reads stored records back, as values of their declared types."""

from __future__ import annotations

import base64
import binascii
import json
import math
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

import apsw
import msgspec

from waybill.errors import RequestInvalid
from waybill.model.entity import FieldType
from waybill.model.strict_json import EXACT_DIGITS
from waybill.ports.sink import EXTRA, KEY, RecordPage, RecordSlice
from waybill.sinks.sqlite.layout import column_names, find_table_name
from waybill.sinks.sqlite.names import quote, quote_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from waybill.model.entity import Entity
    from waybill.sinks.sqlite.layout import Layout

_SCANNED_AT_ONCE: Final = 1_000
_WANTED: Final = "temp._wanted"


def read_page(db: apsw.Connection, layout: Layout, *, after: str, limit: int) -> RecordPage:
    """A page of records in key order, or in order of arrival where there is no key.

    Raises:
        RequestInvalid: the cursor is not one of ours.
    """
    place = "_key" if layout.entity.key else "_id"
    start = _read_cursor(after, is_number=place == "_id")
    fields = [field for field in layout.columns if field != EXTRA]
    columns = [place, EXTRA, *(layout.columns[field] for field in fields)]
    onward = "" if start is None else f"WHERE {place} > :start"
    rows = db.execute(
        f"SELECT {quote_all(columns)} FROM {quote(layout.table)} {onward} "  # noqa: S608 - quoted names
        f"ORDER BY {place} LIMIT :limit",
        {"start": start, "limit": limit + 1},
    ).fetchall()
    shown = rows[:limit]
    has_more = len(rows) > limit and bool(shown)
    return RecordPage(
        records=to_records(layout.entity, fields, shown),
        next=_make_cursor(shown[-1][0]) if has_more else None,
    )


def read_slice(
    db: apsw.Connection, layout: Layout, *, sort: str, offset: int, limit: int
) -> RecordSlice:
    """Some records in the order of a field, missing values first; see ``read_page``."""
    place = "_key" if layout.entity.key else "_id"
    fields = [field for field in layout.columns if field != EXTRA]
    columns = [place, EXTRA, *(layout.columns[field] for field in fields)]
    changed = "(SELECT changed_at FROM _changes WHERE number = _job)"
    order = quote_all([*([layout.columns[sort]] if sort in fields else []), place])
    with db:  # both see the same records
        ((total,),) = db.execute(f"SELECT count(*) FROM {quote(layout.table)}")  # noqa: S608 - quoted name
        rows = db.execute(
            f"SELECT {changed}, {quote_all(columns)} FROM {quote(layout.table)} "  # noqa: S608 - quoted names
            f"ORDER BY {order} LIMIT :limit OFFSET :offset",
            {"limit": limit, "offset": offset},
        ).fetchall()
    return RecordSlice(
        records=to_records(layout.entity, fields, [row[1:] for row in rows]),
        changed_at=[_to_moment(row[0]) for row in rows],
        total=int(str(total)),
    )


def scan(
    db: apsw.Connection, layout: Layout, kinds: frozenset[str]
) -> Iterator[Mapping[str, object]]:
    """All records of some kinds of the partition, of all where none is named, in key order."""
    fields = [field for field in layout.columns if field != EXTRA]
    columns = ["_key", EXTRA, *(layout.columns[field] for field in fields)]
    partition = layout.entity.partition
    wanted = sorted(kinds) if partition is not None else []
    only = ""
    if partition is not None and wanted:
        column = quote(layout.columns[partition.field])
        only = f"WHERE {column} IN ({', '.join('?' * len(wanted))})"
    place = "_key" if layout.entity.key else "_id"
    rows = db.execute(
        f"SELECT {quote_all(columns)} FROM {quote(layout.table)} {only} ORDER BY {place}",  # noqa: S608 - quoted names
        wanted,
    )
    while block := list(islice(rows, _SCANNED_AT_ONCE)):
        yield from to_records(layout.entity, fields, block)


def find_missing(
    db: apsw.Connection, entity: str, fields: Sequence[str], values: pa.Table
) -> list[bool]:
    """For each row of ``values`` whether no record of the entity has it."""
    table = find_table_name(db, entity)
    columns = column_names(db, entity) | {KEY: KEY}
    if table is None or any(field not in columns for field in fields):
        return [True] * values.num_rows
    given = [f"c{index}" for index in range(len(fields))]
    stored = quote_all(columns[field] for field in fields)
    with db:
        db.execute(f"CREATE TEMP TABLE _wanted ({', '.join(given)})")
        rows = zip(*(values.column(field).to_pylist() for field in fields), strict=True)
        db.executemany(f"INSERT INTO {_WANTED} VALUES ({', '.join('?' * len(given))})", rows)  # noqa: S608 - our own names
        found = db.execute(
            f"SELECT ({', '.join(given)}) IN (SELECT {stored} FROM {quote(table)}) "  # noqa: S608 - quoted names
            f"FROM {_WANTED} ORDER BY rowid"
        ).fetchall()
        db.execute(f"DROP TABLE {_WANTED}")
    return [is_there != 1 for (is_there,) in found]


def find_values(db: apsw.Connection, entity: str, field: str, keys: pa.Table) -> Sequence[object]:
    """The stored value of a field by key, ``None`` where there is none."""
    table = find_table_name(db, entity)
    column = column_names(db, entity).get(field)
    if table is None or column is None:
        return [None] * keys.num_rows
    wanted = apsw.carray(tuple(keys.column(KEY).to_pylist()))
    rows = db.execute(
        f"SELECT stored.{quote(column)} FROM carray(?) AS wanted "  # noqa: S608 - quoted names
        f"LEFT JOIN {quote(table)} AS stored ON stored._key = wanted.value ORDER BY wanted.rowid",
        (wanted,),
    )
    return [value for (value,) in rows]


def to_records(
    entity: Entity, fields: Sequence[str], rows: Sequence[Sequence[apsw.SQLiteValue]]
) -> list[Mapping[str, object]]:
    """Records by field name of rows: their place, the open part, then the values of ``fields``."""
    declared = [field.name for field in entity.fields]
    readers = {
        field.name: _mask if field.secret else _READERS.get(field.type) for field in entity.fields
    }
    records: list[Mapping[str, object]] = []
    for _, extra, *values in rows:
        stored = dict(zip(fields, values, strict=True))
        record = {name: _read(stored.get(name), readers[name]) for name in declared}
        open_part = _read_extra(extra)
        records.append(record | {k: v for k, v in open_part.items() if k not in record})
    return records


def _to_moment(milliseconds: apsw.SQLiteValue) -> datetime | None:
    if not isinstance(milliseconds, int):
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _read_extra(extra: apsw.SQLiteValue) -> dict[str, object]:
    """The undeclared values of a record; a number beyond a double as the text that it is."""
    text = "{}" if extra is None else str(extra)
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except msgspec.ValidationError:
        return cast("dict[str, object]", _EXACT.decode(text))


def _finite(text: str) -> float | str:
    number = float(text)
    return text if math.isinf(number) else number


def _whole(text: str) -> int | float | str:
    return int(text) if len(text) <= EXACT_DIGITS else _finite(text)


_EXACT: Final = json.JSONDecoder(parse_float=_finite, parse_int=_whole)


def _read(value: apsw.SQLiteValue, reader: Callable[[apsw.SQLiteValue], object] | None) -> object:
    return value if value is None or reader is None else reader(value)


def _mask(_value: apsw.SQLiteValue) -> object:
    """A secret is stored as a hash, and even that stays here: equal secrets would show."""
    return "********"


def _read_number(value: apsw.SQLiteValue) -> object:
    """A number kept as text was an exact decimal, or no number at all."""
    if not isinstance(value, str):
        return value
    return float("nan") if value == "NaN" else Decimal(value)


def _read_integer(value: apsw.SQLiteValue) -> object:
    return int(value) if isinstance(value, str) else value


_READERS: Final[Mapping[FieldType, Callable[[apsw.SQLiteValue], object]]] = {
    FieldType.BOOLEAN: bool,
    FieldType.NUMBER: _read_number,
    FieldType.INTEGER: _read_integer,
    FieldType.YEAR: _read_integer,
}


def _make_cursor(place: apsw.SQLiteValue) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _read_cursor(cursor: str, *, is_number: bool) -> str | int | None:
    if not cursor:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        wanted: type[int | str] = int if is_number else str
        place: str | int = msgspec.json.decode(text, type=wanted)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise RequestInvalid(
            f"{cursor!r} is not a cursor of this list", code="CURSOR_INVALID", parameter="cursor"
        ) from error
    return place
