"""The rules of a field in words, for the notes and messages of a template.

What a descriptor says is foreign text: it is cut to what the place can hold, and its control
characters are left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from waybill.reports.xlsx_text import units_of
from waybill.validation.grammar import Operands, grammar_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from waybill.model.entity import Constraints, Entity, Field
    from waybill.reports.templates.columns import Column

_PART_UNITS: Final = 1_000
_NOTE_UNITS: Final = 32_767

_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
_MOST_VALUES: Final = 20


def note_of(entity: Entity, column: Column) -> str:
    """All that is to be known to fill in a column, one part a line; no value of a secret."""
    parts = (shortened(part, _PART_UNITS) for part in _parts(entity, column) if part)
    return shortened("\n".join(parts), _NOTE_UNITS)


def rule_of(field: Field) -> str:
    """What a cell must hold, as one sentence."""
    words = "; ".join((_expected(field), *_limits(field.constraints), *_allowed(field)))
    return f"{words[0].upper()}{words[1:]}."


def shortened(text: str, units: int) -> str:
    """Printable text of at most so many UTF-16 units; an ellipsis says that some is left out."""
    text = _UNPRINTABLE.sub(" ", text)
    if units_of(text) <= units:
        return text
    kept = text.encode("utf-16-le")[: 2 * (units - 1)].decode("utf-16-le", "ignore")
    return f"{kept}…"


def _parts(entity: Entity, column: Column) -> Iterator[str]:
    field = column.field
    yield field.title if field.title != field.name else ""
    yield field.description
    yield f"{field.type.value.capitalize()}: {rule_of(field)}"
    yield from _duties(entity, column)
    yield from _values(field)
    yield from _references(entity, field)
    if field.secret:
        yield "Secret: kept as a hash, shown nowhere."


def _duties(entity: Entity, column: Column) -> Iterator[str]:
    field = column.field
    if field.name in entity.key:
        others = [name for name in entity.key if name != field.name]
        yield "Key" + (f", together with {', '.join(others)}." if others else ".")
    yield "Required." if column.is_needed else ""
    yield "Required in a new record." if field.required_on_create else ""
    yield "Unique." if field.constraints.unique else ""
    for names in entity.unique_keys:
        if field.name in names and len(names) > 1:
            yield f"Unique together: {', '.join(names)}."


def _values(field: Field) -> Iterator[str]:
    words = [word for word in field.missing_values if word]
    if words:
        yield f"Missing: an empty cell, or {_listed(words)}."
    if not field.secret:
        yield f"An empty cell means: {field.default}" if field.default is not None else ""
        yield f"Example: {field.example}" if field.example else ""


def _references(entity: Entity, field: Field) -> Iterator[str]:
    for key in entity.foreign_keys:
        for own, other in zip(key.fields, key.reference_fields, strict=True):
            if own == field.name:
                yield f"Must exist: {other} of {key.reference_entity or entity.name}."


def _expected(field: Field) -> str:
    return grammar_of(field, Operands(text="v", typed="t")).expected


def _limits(rules: Constraints) -> Iterator[str]:
    for words, bound in (
        ("at least", rules.minimum),
        ("more than", rules.exclusive_minimum),
        ("at most", rules.maximum),
        ("less than", rules.exclusive_maximum),
        ("length at least", rules.min_length),
        ("length at most", rules.max_length),
        ("of the pattern", rules.pattern),
    ):
        if bound is not None:
            yield f"{words} {bound}"
    if rules.json_schema is not None:
        yield "after the JSON Schema of the field"


def _allowed(field: Field) -> Iterator[str]:
    for values in (field.constraints.enum, field.categories):
        if values is not None:
            yield f"one of {len(values)} values" if field.secret else f"one of: {_listed(values)}"


def _listed(values: Sequence[str]) -> str:
    shown = ", ".join(values[:_MOST_VALUES])
    more = len(values) - _MOST_VALUES
    return f"{shown} and {more} more" if more > 0 else shown
