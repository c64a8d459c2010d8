"""The shape of a grammar, shared by the files that hold the types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Column = Literal["text", "int64", "float64", "bool"]
"""What the typed column of a field holds."""


class FormatUnknown(ValueError):
    """The type has no such format, or a strptime directive is not supported; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operands:
    """Names of the two SQL operands of a grammar: the text, and the typed value."""

    text: str
    typed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """A type and format as SQL over its operands.

    ``form``: the text is of the written form, limits of digits included. ``typed``: its value,
    NULL or anything where the form does not hold; empty where the value is the text itself.
    ``valid``: the value exists (a date of the calendar, a number in range). ``shape``: like
    ``form`` without limits, for telling text that is too long from text that is wrong; empty where
    the two are one. ``canonical``: one text for equal values. ``order``: what bounds compare.
    ``size``: what minLength and maxLength count, in ``unit``; empty where the type has no length.
    ``rounded``: SQL, never NULL, true where the kept value is not exactly what is written; empty
    where it always is. ``expected``: the form in words; ``code``: the finding where it does not
    hold. ``is_ordered``: bounds apply.
    """

    canonical: str
    order: str
    form: str = "TRUE"
    typed: str = ""
    valid: str = "TRUE"
    shape: str = ""
    size: str = ""
    unit: str = "characters"
    rounded: str = ""
    column: Column = "text"
    expected: str = "text"
    code: str = "TYPE_MISMATCH"
    is_ordered: bool = False


def refuse_format(type_name: str, format_name: str, known: str) -> FormatUnknown:
    """The error for a format that a type does not have."""
    return FormatUnknown(f"the type {type_name} has no format {format_name!r}; known: {known}")
