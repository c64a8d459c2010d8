"""As what a spreadsheet is to keep the cells of a field.

A cell stays text unless the spreadsheet's own value is what the server reads: as a number, ``007``
would lose its zeros, a number of more than 15 digits its last ones, ``1.234,50`` and ``95%`` their
meaning; ``2024-01`` would become a day.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from waybill.model.entity import Field, FieldType

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_WHOLE: Final = 10**15 - 1
"""Excel keeps 15 digits of a number."""


class CellKind(StrEnum):
    """What the cells of a column are to the spreadsheet."""

    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"


NUMBER_FORMATS: Final[Mapping[CellKind, str]] = {
    CellKind.TEXT: "@",
    CellKind.WHOLE: "0",
    CellKind.NUMBER: "General",
    CellKind.BOOLEAN: "General",
    CellKind.DATE: "yyyy-mm-dd",
    CellKind.DATETIME: "yyyy-mm-dd hh:mm:ss",
}

_MOMENTS: Final = {FieldType.DATE: CellKind.DATE, FieldType.DATETIME: CellKind.DATETIME}
_PLAIN: Final = Field(name="", type=FieldType.ANY)


def cell_kind(field: Field) -> CellKind:
    """What the cells of a field are."""
    if field.type in _MOMENTS and field.format in {"default", "any"}:
        return _MOMENTS[field.type]
    if field.type is FieldType.BOOLEAN and _words(field) == _words(_PLAIN):
        return CellKind.BOOLEAN
    if field.type is FieldType.NUMBER and _is_bare(field):
        return CellKind.NUMBER
    if field.type in {FieldType.INTEGER, FieldType.YEAR} and _is_bare(field) and _is_short(field):
        return CellKind.WHOLE
    return CellKind.TEXT


def _words(field: Field) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return field.true_values, field.false_values


def _is_bare(field: Field) -> bool:
    """Whether its numbers are written as a spreadsheet understands them, in every language."""
    return not field.group_char and field.decimal_char == "." and field.bare_number


def _is_short(field: Field) -> bool:
    """Whether the descriptor names no whole number that Excel would round."""
    rules = field.constraints
    bounds = (rules.minimum, rules.maximum, rules.exclusive_minimum, rules.exclusive_maximum)
    named = (*bounds, *(rules.enum or ()), *(field.categories or ()))
    digits = ("".join(filter(str.isdecimal, text)).lstrip("0") for text in named if text)
    return all(len(each) <= len(str(LARGEST_WHOLE)) for each in digits)
