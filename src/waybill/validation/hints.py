"""What a person might do about a wrong cell; empty where nothing better than the rule is known."""

from __future__ import annotations

import difflib
import re
from datetime import date
from typing import TYPE_CHECKING, Final

from waybill.model.entity import FieldType

if TYPE_CHECKING:
    from waybill.model.entity import Field

_DAY_FIRST: Final = re.compile(r"([0-9]{1,2})[/.\-]([0-9]{1,2})[/.\-]([0-9]{4})")
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})[/.\-]?([0-9]{1,2})[/.\-]?([0-9]{1,2})")
_COMMA_NUMBER: Final = re.compile(r"[+-]?[0-9]+,[0-9]+")
_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}(?:[,' \u00a0_][0-9]{3})+(?:\.[0-9]+)?")
_ZERO_FRACTION: Final = re.compile(r"-?[0-9]+\.0+")
_MONTHS: Final = 12
_LONGEST: Final = 200


def hint_for(field: Field, code: str, value: str) -> str:
    """A hint for one cell; one short phrase."""
    if len(value) > _LONGEST:
        return ""
    if code == "DATE_INVALID":
        return _date_hint(field, value)
    if code == "ENUM":
        return _enum_hint(field, value)
    if code == "TYPE_MISMATCH":
        return _type_hint(field, value)
    return ""


def _type_hint(field: Field, value: str) -> str:
    if value != value.strip():
        return "remove the space around the value"
    if field.type is FieldType.NUMBER:
        return _number_hint(field, value)
    if field.type is FieldType.INTEGER:
        return _integer_hint(value)
    if field.type is FieldType.BOOLEAN:
        lowered = {word.casefold(): word for word in (*field.true_values, *field.false_values)}
        near = lowered.get(value.casefold())
        return f"write {near}" if near else ""
    return ""


def _number_hint(field: Field, value: str) -> str:
    if _COMMA_NUMBER.fullmatch(value) and field.decimal_char == ".":
        return "use . as decimal sign"
    if _GROUPED.fullmatch(value):
        return "write the number without separators between its digits"
    if value.startswith(".") or value.endswith("."):
        return "write digits on both sides of the decimal sign"
    return ""


def _integer_hint(value: str) -> str:
    if _ZERO_FRACTION.fullmatch(value):
        return f"write {value.partition('.')[0]}"
    if _GROUPED.fullmatch(value):
        return "write the number without separators between its digits"
    if value.startswith("+"):
        return "leave the + out"
    return ""


def _date_hint(field: Field, value: str) -> str:
    if value != value.strip():
        return "remove the space around the value"
    if field.type is not FieldType.DATE or field.format != "default":
        return ""
    day_first = _DAY_FIRST.fullmatch(value)
    if day_first:
        return _reordered(*(int(part) for part in day_first.groups()))
    year_first = _YEAR_FIRST.fullmatch(value)
    if year_first:
        year, month, day = (int(part) for part in year_first.groups())
        return _written(year, month, day)
    return ""


def _reordered(first: int, second: int, year: int) -> str:
    """The date with the year in front, where only one reading is a date."""
    if first > _MONTHS:
        return _written(year, second, first)
    if second > _MONTHS:
        return _written(year, first, second)
    return "write year-month-day, such as 2024-01-31"


def _written(year: int, month: int, day: int) -> str:
    try:
        return f"write {date(year, month, day).isoformat()}"
    except ValueError:
        return "there is no such day"


def _enum_hint(field: Field, value: str) -> str:
    members = field.constraints.enum or field.categories or ()
    folded = {member.strip().casefold(): member for member in members}
    same = folded.get(value.strip().casefold())
    if same is not None and same != value:
        return f"did you mean {same!r}?"
    near = difflib.get_close_matches(value, members, n=1)
    return f"did you mean {near[0]!r}?" if near and near[0] != value else ""
