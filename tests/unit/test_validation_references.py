"""References: values to look up, those that need not exist, and items of lists."""

from __future__ import annotations

import pyarrow as pa
import pytest

from waybill.engine.runs.matching import lost_items_findings
from waybill.errors import SchemaInvalid
from waybill.model.entity import Field, FieldType, ForeignKey
from waybill.validation.descriptor import parse_descriptor
from waybill.validation.references import (
    SHOWN_ITEMS,
    LostItems,
    as_values,
    foreign_values,
    items_in,
    lost_items,
)

STORES = Field(name="stores", type=FieldType.LIST, delimiter=";")
NUMBERS = Field(name="stores", type=FieldType.LIST, item_type=FieldType.INTEGER)


def chunk(*texts: str | None) -> pa.Table:
    records = pa.array(range(5, 5 + len(texts)), pa.int64())
    return pa.table({"_record": records, "stores": pa.array(texts, pa.string())})


def test_every_item_stands_beside_its_record() -> None:
    items = items_in(chunk("a;b", None, "c", ";a"), STORES)
    assert items.to_pydict() == {
        "_record": [5, 5, 7, 8, 8],
        "stores": ["a", "b", "c", "", "a"],
    }
    assert items_in(chunk(), STORES).num_rows == 0


def test_lost_items_are_told_by_record_the_first_of_them() -> None:
    many = [f"x{number}" for number in range(SHOWN_ITEMS + 2)]
    items = items_in(chunk("a;x1;b", "a", ";".join([*many, "a"])), STORES)
    assert list(lost_items(items, STORES, pa.chunked_array([many]))) == [
        LostItems(record=5, shown=("x1",), count=1),
        LostItems(record=7, shown=tuple(many[:SHOWN_ITEMS]), count=len(many)),
    ]


def test_whole_numbers_are_compared_as_numbers() -> None:
    texts = pa.chunked_array([["007", "-1", "9223372036854775808"]])
    assert as_values(texts, NUMBERS).to_pylist() == [7, -1, None]
    assert as_values(texts, STORES).to_pylist() == texts.to_pylist()


def test_each_of_the_first_lost_items_is_told_and_how_many_more_there_are() -> None:
    one = LostItems(record=1, shown=("x",), count=1)
    many = LostItems(record=1, shown=("x" * 300, "y", "y"), count=7)
    [found] = lost_items_findings(one, STORES, "shops")
    assert (found.field, found.value, found.message) == ("stores", "x", "'x' is not a known shops")
    first, last = lost_items_findings(many, STORES, "shops")
    assert (first.value, last.value) == ("x" * 300, "y")
    assert last.message == "'y' is not a known shops, nor are 4 more"


def key(*exempt: str) -> ForeignKey:
    return ForeignKey(
        fields=("unit",), reference_entity="units", reference_fields=("id",), exempt=exempt
    )


def test_values_that_need_not_exist_are_not_looked_up() -> None:
    rows = pa.table({"_record": [1, 2, 3, 4, 5], "unit": ["root", "a", None, "b", "a"]})
    assert sorted(foreign_values(rows, key("root", "b")).column("id").to_pylist()) == ["a"]
    assert sorted(foreign_values(rows, key()).column("id").to_pylist()) == ["a", "b", "root"]
    numbers = pa.table({"_record": [1, 2], "unit": [0, 7]})
    assert foreign_values(numbers, key("0")).column("id").to_pylist() == [7]
    assert foreign_values(rows.slice(0, 1), key("root")).num_rows == 0


def schema(fields: object, **waybill: object) -> dict[str, object]:
    names = [{"name": "id", "type": "string"}, {"name": "parent", "type": "string"}]
    reference = {"fields": fields, "reference": {"resource": "", "fields": fields}}
    return {
        "fields": names,
        "primaryKey": ["id"],
        "foreignKeys": [{**reference, "waybill": waybill}],
    }


def test_a_descriptor_names_them_beside_the_reference() -> None:
    entity = parse_descriptor(schema(["parent"], **{"except": ["root"]}), name="units")
    assert entity.foreign_keys[0].exempt == ("root",)


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (schema(["parent"], excepts=["root"]), "/foreignKeys/0/waybill/excepts"),
        (schema(["parent"], **{"except": [1]}), "/foreignKeys/0/waybill/except"),
        (schema(["id", "parent"], **{"except": ["x"]}), "/foreignKeys/0/waybill/except"),
    ],
)
def test_others_are_refused_at_their_place(raw: dict[str, object], place: str) -> None:
    with pytest.raises(SchemaInvalid) as caught:
        parse_descriptor(raw, name="units")
    assert caught.value.pointer == place
