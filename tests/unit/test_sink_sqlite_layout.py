"""Names, versions of an entity, and values that SQLite would like to change."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import apsw
import pyarrow as pa
import pytest

from waybill.errors import RequestInvalid, SchemaInvalid
from waybill.model.entity import Constraints, Entity, Field, FieldType
from waybill.model.ids import ProjectName
from waybill.ports.sink import EXTRA
from waybill.sinks.sqlite import SqliteSink
from waybill.testing.sample_chunks import ITEMS, MEMBERS, PROJECT, chunk_of, sink_job

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ODD_NAMES = (
    "select",
    'a"b',
    "a'b",
    "",
    " ",
    "Name",
    "name",
    "_key",
    "_ID",
    "rowid",
    "x\ny",
    "Ä",
    "ä",
)


@pytest.fixture
def sink(tmp_path: Path) -> SqliteSink:
    return SqliteSink(tmp_path)


def entity_of(*fields: str, name: str = "things", **changes: object) -> Entity:
    declared = tuple(Field(name=field, type=FieldType.STRING) for field in ("id", *fields))
    return replace(Entity(name=name, fields=declared, key=("id",)), **changes)


def put(sink: SqliteSink, entity: Entity, table: pa.Table, job: str = "first") -> bytes:
    sink.begin(sink_job(job, entity=entity))
    outcomes = sink.apply(sink_job(job, entity=entity), 0, table).outcomes
    sink.seal(sink_job(job, entity=entity))
    return outcomes


def stored(sink: SqliteSink, entity: Entity) -> Sequence[Mapping[str, object]]:
    return sink.records(PROJECT, entity, after="", limit=100).records


def typed(kind: FieldType, values: pa.Array) -> tuple[Entity, pa.Table]:
    fields = (Field(name="id", type=FieldType.STRING), Field(name="value", type=kind))
    entity = Entity(name="typed", fields=fields, key=("id",))
    ids = [[f"{number:03}"] for number in range(len(values))]
    return entity, chunk_of(*ids, fields=("id",), entity=entity).append_column("value", values)


def test_odd_field_names_hold_their_own_values(sink: SqliteSink) -> None:
    entity = entity_of(*ODD_NAMES)
    row = ("1", *(f"value of {name}" for name in ODD_NAMES))
    put(sink, entity, chunk_of(row, fields=("id", *ODD_NAMES), entity=entity))
    assert stored(sink, entity) == [dict(zip(("id", *ODD_NAMES), row, strict=True))]


@pytest.mark.parametrize("name", ["a\0b", "a\ud800"])
def test_a_field_name_that_no_column_can_have_is_refused(sink: SqliteSink, name: str) -> None:
    with pytest.raises(SchemaInvalid):
        sink.begin(sink_job(entity=entity_of(name)))


def test_more_fields_than_a_table_can_have_are_refused(sink: SqliteSink) -> None:
    entity = entity_of(*(f"f{number}" for number in range(2_000)))
    with pytest.raises(SchemaInvalid, match="at most 1900"):
        sink.begin(sink_job(entity=entity))


def test_a_wide_entity_is_stored(sink: SqliteSink) -> None:
    names = ("id", *(f"f{number}" for number in range(1_500)))
    entity = entity_of(*names[1:])
    rows = [[str(row), *("x" * 1_500)] for row in range(25)]
    assert put(sink, entity, chunk_of(*rows, fields=names, entity=entity)) == b"C" * 25
    rows[3][9] = "y"
    changed = chunk_of(*rows, fields=names, entity=entity)
    assert put(sink, entity, changed, "second").count(b"U") == 1


@pytest.mark.parametrize("name", ["select", "sqlite_master", "_jobs", 'a"b'])
def test_odd_entity_names_are_stored(sink: SqliteSink, name: str) -> None:
    entity = entity_of(name=name)
    put(sink, entity, chunk_of(("1",), fields=("id",), entity=entity))
    assert stored(sink, entity) == [{"id": "1"}]


def test_entities_whose_names_differ_by_case_are_apart(sink: SqliteSink) -> None:
    for name in ("Shop", "shop"):
        entity = entity_of(name=name)
        put(sink, entity, chunk_of((name,), fields=("id",), entity=entity), name)
    assert stored(sink, entity_of(name="Shop")) == [{"id": "Shop"}]
    assert stored(sink, entity_of(name="shop")) == [{"id": "shop"}]


@pytest.mark.parametrize("name", ["../x", "", ".x", "a/b", "a\0"])
def test_a_project_name_that_is_no_file_name_is_refused(sink: SqliteSink, name: str) -> None:
    with pytest.raises(RequestInvalid):
        sink.begin(sink_job(project=ProjectName(name)))


def test_a_new_field_becomes_a_column_and_an_old_one_stays(sink: SqliteSink) -> None:
    before, after = entity_of("old"), entity_of("new")
    put(sink, before, chunk_of(("1", "a"), fields=("id", "old"), entity=before), "first")
    put(sink, after, chunk_of(("1", "b"), fields=("id", "new"), entity=after), "second")
    assert stored(sink, after) == [{"id": "1", "new": "b"}]
    assert stored(sink, before) == [{"id": "1", "old": "a"}]


def test_a_field_that_was_never_stored_reads_as_nothing(sink: SqliteSink) -> None:
    put(sink, entity_of(), chunk_of(("1",), fields=("id",), entity=entity_of()))
    assert stored(sink, entity_of("new")) == [{"id": "1", "new": None}]


def test_another_key_is_refused_once_records_are_stored(sink: SqliteSink) -> None:
    other = entity_of("code", key=("code",))
    sink.begin(sink_job("first", entity=entity_of("code")))
    sink.begin(sink_job("second", entity=other))
    put(sink, other, chunk_of(("1", "a"), fields=("id", "code"), entity=other), "third")
    with pytest.raises(SchemaInvalid, match="another key"):
        sink.begin(sink_job("fourth", entity=entity_of("code")))


def test_a_constraint_that_stored_records_break_is_refused(sink: SqliteSink) -> None:
    loose, strict = entity_of("tag"), entity_of("tag", unique_keys=(("tag",),))
    rows = chunk_of(("1", "a"), ("2", "a"), fields=("id", "tag"), entity=loose)
    put(sink, loose, rows)
    with pytest.raises(SchemaInvalid, match="declared unique"):
        sink.begin(sink_job("second", entity=strict))
    assert len(stored(sink, loose)) == 2


def test_a_constraint_that_is_gone_no_longer_refuses(sink: SqliteSink) -> None:
    loose, strict = entity_of("tag"), entity_of("tag", unique_keys=(("tag",),))
    rows = chunk_of(("1", "a"), ("2", "a"), fields=("id", "tag"), entity=loose)
    assert put(sink, strict, rows, "first") == b"CR"
    assert put(sink, loose, rows, "second") == b"NC"


def test_a_version_of_another_process_is_noticed(tmp_path: Path) -> None:
    loose, strict = entity_of("tag"), entity_of("tag", unique_keys=(("tag",),))
    one, two = SqliteSink(tmp_path), SqliteSink(tmp_path)
    one.begin(sink_job("first", entity=strict))
    two.begin(sink_job("second", entity=loose))
    rows = chunk_of(("1", "a"), ("2", "a"), fields=("id", "tag"), entity=loose)
    assert one.apply(sink_job("first", entity=strict), 0, rows).outcomes == b"CR"


@pytest.mark.parametrize(
    ("kind", "values", "read"),
    [
        (FieldType.BOOLEAN, pa.array([True, False, None]), [True, False, None]),
        (FieldType.INTEGER, pa.array([-(2**63), 2**63 - 1]), [-(2**63), 2**63 - 1]),
        (FieldType.INTEGER, pa.array(["9" * 38]), [int("9" * 38)]),
        (FieldType.INTEGER, pa.array([Decimal("9" * 38)]), [int("9" * 38)]),
        (FieldType.NUMBER, pa.array([0.1, -0.0, 1e300]), [0.1, -0.0, 1e300]),
        (FieldType.NUMBER, pa.array([float("inf"), float("-inf")]), [float("inf"), -float("inf")]),
        (FieldType.NUMBER, pa.array([Decimal("1.50")]), [Decimal("1.50")]),
        (FieldType.NUMBER, pa.array(["1.50"]), [Decimal("1.50")]),
        (FieldType.YEAR, pa.array([2024]), [2024]),
        (FieldType.DATE, pa.array([dt.date(2024, 2, 29)]), ["2024-02-29"]),
        (FieldType.DATETIME, pa.array([dt.datetime(2024, 2, 29, 1, 2, 3)]),  # noqa: DTZ001
         ["2024-02-29T01:02:03.000000"]),
        (FieldType.STRING, pa.array(["007", "a\0b", ""]), ["007", "a\0b", ""]),
        (FieldType.STRING, pa.array(["a", None]).dictionary_encode(), ["a", None]),
        (FieldType.STRING, pa.array(["a"], pa.large_string()), ["a"]),
        (FieldType.ANY, pa.array(["1.0", "x"]), ["1.0", "x"]),
    ],
)  # fmt: skip
def test_a_value_comes_back_as_it_was(
    sink: SqliteSink, kind: FieldType, values: pa.Array, read: list[object]
) -> None:
    entity, table = typed(kind, values)
    put(sink, entity, table)
    found = [record["value"] for record in stored(sink, entity)]
    assert found == read
    assert [type(value) for value in found] == [type(value) for value in read]
    assert put(sink, entity, table, "second") == b"N" * len(read)


def test_not_a_number_is_not_nothing(sink: SqliteSink) -> None:
    entity, table = typed(FieldType.NUMBER, pa.array([float("nan"), None]))
    put(sink, entity, table)
    first, second = (record["value"] for record in stored(sink, entity))
    assert str(first) == "nan"
    assert second is None


def test_undeclared_columns_stay_in_their_order_behind_the_declared_ones(sink: SqliteSink) -> None:
    entity = entity_of("tag", is_open=True)
    rows = chunk_of(
        ("1", "a", '{"z": "1", "tag": "no", "b": "2"}'), ("2", "b", None),
        fields=("id", "tag", EXTRA), entity=entity,
    )  # fmt: skip
    put(sink, entity, rows)
    assert [list(record.items()) for record in stored(sink, entity)] == [
        [("id", "1"), ("tag", "a"), ("z", "1"), ("b", "2")],
        [("id", "2"), ("tag", "b")],
    ]
    fewer = chunk_of(("1", "a"), fields=("id", "tag"), entity=entity)
    assert put(sink, entity, fewer, "second") == b"N"


def test_kept_values_are_read_back_whatever_their_numbers(sink: SqliteSink) -> None:
    entity = entity_of(is_open=True)
    extra = f'{{"a":1e999,"b":[1.5,"5",{"9" * 500},{"9" * 20}],"c":{{"d":null}}}}'
    put(sink, entity, chunk_of(("1", extra), fields=("id", EXTRA), entity=entity))
    assert stored(sink, entity) == [
        {"id": "1", "a": "1e999", "b": [1.5, "5", "9" * 500, int("9" * 20)], "c": {"d": None}}
    ]


def test_a_hash_never_hides_a_change_between_field_sets(sink: SqliteSink) -> None:
    entity = entity_of("one", "two")
    first = chunk_of(("1", "a"), fields=("id", "one"), entity=entity)
    second = chunk_of(("1", "a"), fields=("id", "two"), entity=entity)
    assert first["_hash"] == second["_hash"]
    assert put(sink, entity, first, "first") == b"C"
    assert put(sink, entity, second, "second") == b"U"


def test_a_stale_hash_of_equal_values_is_refreshed(sink: SqliteSink, tmp_path: Path) -> None:
    entity = entity_of("tag")
    full = chunk_of(("1", "a"), fields=("id", "tag"), entity=entity)
    put(sink, entity, full, "first")
    part = chunk_of(("1",), fields=("id",), entity=entity)
    assert put(sink, entity, part, "second") == b"N"
    sink.close()
    db = apsw.Connection(str(tmp_path / f"{PROJECT}.sqlite"))
    first = db.execute("SELECT _hash FROM things").get
    db.close()
    assert put(sink, entity, full, "third") == b"N"
    sink.close()
    db = apsw.Connection(str(tmp_path / f"{PROJECT}.sqlite"))
    assert db.execute("SELECT _hash FROM things").get != first
    db.close()


def test_a_refusal_names_the_values_that_a_record_would_have(sink: SqliteSink) -> None:
    rows = (("a", "a@x", "red", 1), ("b", "b@x", "blue", 1))
    fields = ("id", "email", "club", "number")
    put(sink, MEMBERS, chunk_of(*rows, fields=fields, entity=MEMBERS), "first")
    part = chunk_of(("b", "red"), fields=("id", "club"), entity=MEMBERS)
    job = sink_job("second", entity=MEMBERS)
    sink.begin(job)
    (refusal,) = sink.apply(job, 0, part).refusals
    assert refusal.message == "another record has the same value of club, number"


def test_a_record_without_a_key_may_still_be_refused_for_a_unique_value(sink: SqliteSink) -> None:
    field = Field(name="id", type=FieldType.STRING, constraints=Constraints(unique=True))
    entity = Entity(name="log", fields=(field,))
    rows = chunk_of(("1",), ("1",), ("2",), fields=("id",), entity=entity)
    assert put(sink, entity, rows) == b"CRC"


def test_the_database_can_be_read_with_plain_sql(sink: SqliteSink, tmp_path: Path) -> None:
    rows = chunk_of(("a", "Apple", 5), fields=("id", "title", "stock"))
    put(sink, ITEMS, rows)
    sink.close()
    db = apsw.Connection(str(tmp_path / f"{PROJECT}.sqlite"))
    assert db.execute("SELECT id, title, stock + 1, _record FROM items").get == ("a", "Apple", 6, 1)
    assert db.execute("PRAGMA integrity_check").get == "ok"
    db.close()
