"""Fields that take every column with a prefix."""

from __future__ import annotations

import pytest

from waybill.errors import FileRefused, SchemaInvalid
from waybill.model.options import Operation, UnknownColumns
from waybill.reports.templates.csv_template import write_csv_template
from waybill.validation.columns import match_columns, recognise_columns
from waybill.validation.descriptor import parse_descriptor


def schema(*more: dict[str, object], **waybill: object) -> dict[str, object]:
    tags = {"name": "tags", "type": "object", "waybill": {"columnPrefix": "tag_", **waybill}}
    fields = [
        {"name": "id", "type": "string"},
        {"name": "tag_count", "type": "integer", "waybill": {"aliases": ["tag_total"]}},
        tags,
        *more,
    ]
    return {"fields": fields, "primaryKey": ["id"]}


ENTITY = parse_descriptor(schema(), name="things")


def test_every_column_with_the_prefix_that_is_nothing_else_is_taken() -> None:
    header = ("tag_b", "id", "tag_count", " tag_a ", "tag_", "TAG_c", "tags")
    columns = match_columns(ENTITY, header, operation=Operation.UPSERT, unknown=UnknownColumns.WARN)
    [gathered] = columns.gathered
    assert gathered.field.name == "tags"
    assert gathered.members == (("b", 0), ("a", 3))
    assert [warning.column for warning in columns.warnings] == [5, 6, 7]
    assert recognise_columns(ENTITY, header) == {0: "tags", 1: "id", 2: "tag_count", 3: "tags"}


def test_a_member_that_stands_twice_is_refused() -> None:
    with pytest.raises(FileRefused) as caught:
        match_columns(
            ENTITY,
            ("id", "tag_a", "tag_a "),
            operation=Operation.UPSERT,
            unknown=UnknownColumns.WARN,
        )
    assert caught.value.code == "HEADER_DUPLICATE"
    assert "columns 2 and 3" in caught.value.message


def test_a_template_has_no_column_for_what_has_no_name_yet() -> None:
    assert write_csv_template(ENTITY).decode().split() == ["id,tag_count"]


@pytest.mark.parametrize(
    ("raw", "place", "reason"),
    [
        (schema(secret=True), "/fields/2/waybill/columnPrefix", "goes with no constraints"),
        (schema(aliases=["t"]), "/fields/2/waybill/columnPrefix", "aliases"),
        (
            {
                "fields": [{"name": "t", "type": "string", "waybill": {"columnPrefix": "t_"}}],
            },
            "/fields/0/waybill/columnPrefix",
            "needs a field of type object",
        ),
        (
            schema({"name": "more", "type": "object", "waybill": {"columnPrefix": "tag_x_"}}),
            "/fields",
            "the prefixes 'tag_' and 'tag_x_' take the same columns",
        ),
        ({**schema(), "primaryKey": ["tags"]}, "/primaryKey", "'tags' has a columnPrefix"),
        ({**schema(), "uniqueKeys": [["tags"]]}, "/uniqueKeys", "'tags' has a columnPrefix"),
    ],
)
def test_a_prefix_that_makes_no_sense_is_refused(
    raw: dict[str, object], place: str, reason: str
) -> None:
    with pytest.raises(SchemaInvalid) as caught:
        parse_descriptor(raw, name="things")
    assert caught.value.pointer == place
    assert reason in caught.value.message
