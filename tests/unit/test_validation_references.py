"""References: values to look up, and those that need not exist."""

from __future__ import annotations

import pyarrow as pa
import pytest

from waybill.errors import SchemaInvalid
from waybill.model.entity import ForeignKey
from waybill.validation.descriptor import parse_descriptor
from waybill.validation.references import foreign_values


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
