"""Grammars of string, any, boolean and list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from waybill.model.entity import FieldType
from waybill.validation.grammar_kit import Grammar, Operands, refuse_format
from waybill.validation.sql import full_match, is_text_of, literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from waybill.model.entity import Field

_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_STRING_FORMATS: Final = {
    "email": (
        rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+",
        "an e-mail address such as ann@example.com",
    ),
    "uri": (r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+", "a URI such as https://example.com/a"),
    "binary": (
        "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
        "bytes in base64",
    ),
    "uuid": (
        "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}",
        "a UUID such as 123e4567-e89b-12d3-a456-426614174000",
    ),
}


def string(field: Field, on: Operands) -> Grammar:
    """Text, by format; e-mail addresses after the form of HTML's email state, with a dot."""
    size = f"length({on.text})"
    if field.format == "default":
        return Grammar(canonical=on.text, order=on.text, size=size)
    if field.format not in _STRING_FORMATS:
        raise refuse_format("string", field.format, "default, " + ", ".join(_STRING_FORMATS))
    pattern, expected = _STRING_FORMATS[field.format]
    return Grammar(
        form=full_match(on.text, pattern),
        canonical=on.text,
        order=on.text,
        size=size,
        expected=expected,
    )


def anything(field: Field, on: Operands) -> Grammar:
    """Any text, kept as it is."""
    if field.format != "default":
        raise refuse_format("any", field.format, "default")
    return Grammar(canonical=on.text, order=on.text, size=f"length({on.text})")


def boolean(field: Field, on: Operands) -> Grammar:
    """The declared words for true and false, exactly or in any case."""
    if field.format != "default":
        raise refuse_format("boolean", field.format, "default")
    yes, no, word = field.true_values, field.false_values, on.text
    if field.ignore_case:
        yes, no = (tuple({each.lower(): None for each in words}) for words in (yes, no))
        word = f"lower({on.text})"
    return Grammar(
        typed=f"CASE WHEN {is_text_of(word, yes)} THEN TRUE"
        f" WHEN {is_text_of(word, no)} THEN FALSE END",
        valid=f"{on.typed} IS NOT NULL",
        canonical=f"CAST({on.typed} AS VARCHAR)",
        order=on.typed,
        column="bool",
        expected="one of " + ", ".join((*field.true_values, *field.false_values)),
    )


def listing(
    field: Field, on: Operands, grammar_of: Callable[[Field, Operands], Grammar]
) -> Grammar:
    """Items between delimiters, each after the default grammar of the item type."""
    if field.format != "default":
        raise refuse_format("list", field.format, "default")
    item = replace(field, type=field.item_type, decimal_char=".", group_char="")
    typed = grammar_of(item, Operands(text="item", typed="")).typed or "item"
    rules = grammar_of(item, Operands(text="item", typed=f"({typed})"))
    items = f"string_split({on.text}, {literal(field.delimiter)})"
    good = f"lambda item: NOT (({rules.form}) AND ({rules.valid}))"
    is_free = field.item_type is FieldType.STRING
    return Grammar(
        form="TRUE" if is_free else f"len(list_filter({items}, {good})) = 0",
        canonical=on.text,
        order=on.text,
        size=f"len({items})",
        unit="items",
        expected=f"values separated by {field.delimiter!r}, each {rules.expected}",
    )
