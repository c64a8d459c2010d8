"""A JSON array for a list field: taken as the delimited text that means the same items.

In a typed format an array is told by its kind; in a report of ours that comes back, by its form.
Numbers are taken as they are written, so that 1.50 stays 1.50. Only items that the delimited text
gives back again are taken: none holds the delimiter, and none reads as a missing value.

The items stand in the SQL column ``i<index>``: NULL where the cell is the delimited text itself,
one NULL where it is an array of other items than the field has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.model.entity import FieldType
from waybill.ports.reader import Kind
from waybill.validation.sql import full_match, is_text_of, literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.model.entity import Field

_STRING: Final = r'"(?:[^"\\]|\\.)*"'
_NUMBER: Final = "-?[0-9][-+.0-9eE]*"
_FORMS: Final = {"string": _STRING, "number": _NUMBER, "boolean": "true|false"}
"""RE2: what an item of a kind looks like in an array that is JSON."""

_ITEMS: Final = {
    FieldType.INTEGER: "number",
    FieldType.NUMBER: "number",
    FieldType.BOOLEAN: "boolean",
}
"""The kind of an item of a type; a string unless named here, or the field names its own."""


def items_of(field: Field, index: int, *, is_typed: bool) -> str:
    """SQL of the items of the cell ``c<index>``."""
    cell = f"c{index}"
    is_array = f"CASE WHEN json_valid({cell}) THEN json_type({cell}) = 'ARRAY' END"
    if is_typed:
        is_array = f"k{index} = {Kind.ARRAY.value}"
    texts = f"CASE WHEN {_has_form(field, cell)} THEN {_texts(field, cell)} ELSE [NULL] END"
    return f"CASE WHEN {is_array} THEN {texts} END"


def delimited(field: Field, index: int) -> str:
    """SQL of the cell as the delimited text."""
    return f"CASE WHEN i{index} IS NULL THEN c{index} ELSE {_joined(field, index)} END"


def broken_items(field: Field, index: int) -> Iterator[tuple[str, str, str]]:
    """Code, condition and bound of every way in which an array has no delimited text."""
    kinds = " or ".join(_kinds(field))
    yield "LIST_ITEM", _of_items(index, f"i{index}[1] IS NULL"), f"that is no JSON {kinds}"
    text = _joined(field, index)
    for code, condition, bound in (
        (
            "LIST_ITEM",
            f"string_split({text}, {literal(field.delimiter)}) <> i{index}",
            f"with the delimiter {field.delimiter!r}",
        ),
        ("LIST_ITEM", is_text_of(text, field.missing_values), "that alone means a missing value"),
        ("NUL_CHARACTER", f"contains({text}, chr(0))", ""),
    ):
        yield code, _of_items(index, f"i{index}[1] IS NOT NULL AND {condition}"), bound


def _of_items(index: int, condition: str) -> str:
    return f"coalesce(len(i{index}) > 0 AND {condition}, FALSE)"


def _kinds(field: Field) -> tuple[str, ...]:
    return field.kinds or (_ITEMS.get(field.item_type, "string"),)


def _item(field: Field) -> str:
    return "|".join(_FORMS[kind] for kind in _kinds(field))


def _has_form(field: Field, cell: str) -> str:
    """The cell is a JSON array whose items are all of the kinds that the field takes."""
    item = _item(field)
    pattern = rf"(?s)\s*\[\s*(?:(?:{item})(?:\s*,\s*(?:{item}))*)?\s*\]\s*"
    return f"json_valid({cell}) AND {full_match(cell, pattern)}"


def _texts(field: Field, cell: str) -> str:
    """The texts of all items of an array that has the form."""
    if _kinds(field) == ("string",):
        return f"json_extract_string({cell}, '$[*]')"
    written = f"regexp_extract_all({cell}, {literal(f'(?s){_item(field)}')})"
    if "string" not in _kinds(field):
        return written
    plain = "CASE WHEN starts_with(item, '\"') THEN json_extract_string(item, '$') ELSE item END"
    return f"list_transform({written}, lambda item: {plain})"


def _joined(field: Field, index: int) -> str:
    return f"array_to_string(i{index}, {literal(field.delimiter)})"
