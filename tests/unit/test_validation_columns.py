from __future__ import annotations

import pytest

from waybill.errors import FileRefused
from waybill.model.options import Operation, UnknownColumns
from waybill.validation.columns import ColumnMap, match_columns
from waybill.validation.descriptor import parse_descriptor

SCHEMA = {
    "fields": [
        {"name": "id", "type": "integer"},
        {"name": "first_name", "waybill": {"aliases": ["given name"]}},
        {"name": "city", "constraints": {"required": True}},
        {"name": "country", "constraints": {"required": True}, "waybill": {"default": "DE"}},
    ],
    "primaryKey": ["id"],
    "waybill": {"action": {"column": "op", "actions": {"D": "delete"}}},
}


def match(
    *header: str,
    operation: Operation = Operation.UPSERT,
    unknown: UnknownColumns = UnknownColumns.WARN,
    is_open: bool = False,
) -> ColumnMap:
    ours = {**SCHEMA["waybill"], "open": is_open}  # type: ignore[dict-item]
    entity = parse_descriptor({**SCHEMA, "waybill": ours}, name="people")
    return match_columns(entity, header, operation=operation, unknown=unknown)


def refused(*header: str, **options: object) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        match(*header, **options)  # type: ignore[arg-type]
    return caught.value


def bound(columns: ColumnMap) -> dict[str, int]:
    return {each.field.name: each.index for each in columns.bound}


def test_columns_come_in_any_order_by_name_alias_and_loose_spelling() -> None:
    columns = match("CITY", "Given-Name", " Id", "op")
    assert bound(columns) == {"id": 2, "first_name": 1, "city": 0}
    assert columns.action == 3


def test_an_exact_name_wins_over_a_loose_one() -> None:
    columns = match("City", "id", "city")
    assert bound(columns)["city"] == 2
    assert [warning.code for warning in columns.warnings] == ["COLUMN_IGNORED"]


def test_a_name_that_reads_as_a_formula_is_known_by_its_escape_too() -> None:
    fields = [{"name": "=total", "constraints": {"required": True}}, {"name": "id"}]
    action = {"column": "@op", "actions": {"D": "delete"}}
    entity = parse_descriptor({"fields": fields, "waybill": {"action": action}}, name="sums")
    for header in (("id", "=total", "@op"), ("id", "'=total", "'@op")):
        columns = match_columns(
            entity, header, operation=Operation.UPSERT, unknown=UnknownColumns.REJECT
        )
        assert (bound(columns), columns.action) == ({"=total": 1, "id": 0}, 2)


def test_our_report_columns_are_passed_over_in_silence() -> None:
    columns = match("id", "city", "_record", "_line", "_code", "_field", "_value", "_message")
    assert columns.warnings == ()


def test_a_missing_key_column_is_named_with_the_nearest_one() -> None:
    error = refused("idd", "city")
    assert error.code == "COLUMN_MISSING"
    assert "'id'" in error.message
    assert "did you mean 'idd'" in error.message


def test_a_required_column_with_a_default_may_be_missing() -> None:
    assert refused("id").code == "COLUMN_MISSING"
    assert bound(match("id", "city")) == {"id": 0, "city": 1}


@pytest.mark.parametrize("operation", [Operation.UPDATE, Operation.DELETE])
def test_updates_and_deletes_need_the_key_column_only(operation: Operation) -> None:
    assert bound(match("id", operation=operation)) == {"id": 0}
    assert refused("city", operation=operation).code == "COLUMN_MISSING"


def test_an_empty_header_misses_nothing() -> None:
    assert match().bound == ()


def test_one_header_twice_is_refused() -> None:
    error = refused("id", "city", "city")
    assert error.code == "HEADER_DUPLICATE"
    assert "columns 2 and 3" in error.message


def test_a_field_under_its_name_and_its_alias_at_once_is_refused() -> None:
    error = refused("id", "given name", "first_name")
    assert error.code == "HEADER_DUPLICATE"
    assert "columns 2 and 3, under two of its names" in error.message


def test_a_column_without_a_name_is_refused() -> None:
    assert refused("id", "", "city").code == "HEADER_EMPTY"


def test_an_unknown_column_is_warned_of_with_a_suggestion() -> None:
    (warning,) = match("id", "city", "contry").warnings
    assert (warning.code, warning.column) == ("COLUMN_IGNORED", 3)
    assert "did you mean 'country'" in warning.message


def test_an_unknown_column_is_refused_where_asked() -> None:
    error = refused("id", "city", "role", unknown=UnknownColumns.REJECT)
    assert error.code == "COLUMN_UNKNOWN"
    assert "'role'" in error.message


def test_an_unknown_column_is_ignored_where_asked() -> None:
    assert match("id", "city", "role", unknown=UnknownColumns.IGNORE).warnings == ()


def test_unknown_columns_are_kept_by_open_entities_only() -> None:
    keep = UnknownColumns.KEEP
    assert match("id", "city", "b", "a", unknown=keep, is_open=True).kept == (("b", 2), ("a", 3))
    assert refused("id", "city", "b", unknown=keep).code == "COLUMN_UNKNOWN"
    assert match("id", "city", unknown=keep).kept == ()


def test_a_name_with_look_alike_letters_is_warned_of() -> None:
    warnings = match("id", "city", "c\u043euntry", unknown=UnknownColumns.IGNORE).warnings
    assert [(warning.code, warning.column) for warning in warnings] == [("LOOKALIKE_NAME", 3)]
