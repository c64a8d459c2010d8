from __future__ import annotations

import pytest

from waybill.model.entity import Constraints, Field, FieldType
from waybill.validation.hints import hint_for


def field(kind: FieldType, *, enum: tuple[str, ...] | None = None) -> Field:
    return Field(name="a", type=kind, constraints=Constraints(enum=enum))


@pytest.mark.parametrize(
    ("kind", "value", "hint"),
    [
        (FieldType.NUMBER, "1,5", "use . as decimal sign"),
        (FieldType.NUMBER, "1,234.50", "write the number without separators between its digits"),
        (FieldType.NUMBER, ".5", "write digits on both sides of the decimal sign"),
        (FieldType.NUMBER, "five", ""),
        (FieldType.INTEGER, "5.00", "write 5"),
        (FieldType.INTEGER, "1 000", "write the number without separators between its digits"),
        (FieldType.INTEGER, "+5", "leave the + out"),
        (FieldType.INTEGER, " 5", "remove the space around the value"),
        (FieldType.INTEGER, "x", ""),
        (FieldType.INTEGER, "x" * 201, ""),
        (FieldType.BOOLEAN, "tRUE", "write TRUE"),
        (FieldType.BOOLEAN, "yes", ""),
        (FieldType.OBJECT, "x", ""),
    ],
)
def test_text_of_the_wrong_type_gets_a_hint(kind: FieldType, value: str, hint: str) -> None:
    assert hint_for(field(kind), "TYPE_MISMATCH", value) == hint


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("31/12/2024", "write 2024-12-31"),
        ("12/31/2024", "write 2024-12-31"),
        ("1/2/2024", "write year-month-day, such as 2024-01-31"),
        ("2024/1/5", "write 2024-01-05"),
        ("20240105", "write 2024-01-05"),
        ("2024-13-45", "there is no such day"),
        ("2023-02-29", "there is no such day"),
        (" 2024-01-05", "remove the space around the value"),
        ("tomorrow", ""),
    ],
)
def test_dates_in_another_order_are_rewritten(value: str, hint: str) -> None:
    assert hint_for(field(FieldType.DATE), "DATE_INVALID", value) == hint


def test_times_get_no_date_hint() -> None:
    assert hint_for(field(FieldType.TIME), "DATE_INVALID", "1/2/2024") == ""


@pytest.mark.parametrize(
    ("value", "hint"),
    [("RED", "did you mean 'red'?"), ("gren", "did you mean 'green'?"), ("x", "")],
)
def test_the_nearest_member_is_named(value: str, hint: str) -> None:
    assert hint_for(field(FieldType.STRING, enum=("red", "green")), "ENUM", value) == hint


def test_other_codes_have_no_hint() -> None:
    assert hint_for(field(FieldType.STRING), "MAX_LENGTH", "x") == ""
