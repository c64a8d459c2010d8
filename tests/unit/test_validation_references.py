"""Items of lists that refer to something: which record has which, and what is told of them."""

from __future__ import annotations

import pyarrow as pa

from waybill.engine.runs.matching import lost_items_finding
from waybill.model.entity import Field, FieldType
from waybill.validation.references import LostItems, as_values, items_in, lost_items

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


def test_lost_items_are_told_by_record_the_first_three_of_them() -> None:
    items = items_in(chunk("a;x;b", "a", "x;y;z;x;x"), STORES)
    lost = pa.chunked_array([["x", "y", "z"]])
    assert list(lost_items(items, STORES, lost)) == [
        LostItems(record=5, shown=("x",), count=1),
        LostItems(record=7, shown=("x", "y", "z"), count=5),
    ]


def test_whole_numbers_are_compared_as_numbers() -> None:
    texts = pa.chunked_array([["007", "-1", "9223372036854775808"]])
    assert as_values(texts, NUMBERS).to_pylist() == [7, -1, None]
    assert as_values(texts, STORES).to_pylist() == texts.to_pylist()


def test_a_finding_has_the_first_lost_item_as_value_and_names_more() -> None:
    one = LostItems(record=1, shown=("x",), count=1)
    many = LostItems(record=1, shown=("x" * 300, "y", "z"), count=7)
    found = lost_items_finding(one, STORES, "shops")
    assert (found.field, found.value, found.message) == ("stores", "x", "'x' is not a known shops")
    found = lost_items_finding(many, STORES, "shops")
    assert found.value == "x" * 300
    assert found.message.endswith("is not a known shops, nor are 'y', 'z', 4 more")
