"""What a value breaks of its JSON Schema, in words of our own: the library's quote the value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs
import msgspec

from waybill.validation.node import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_Kind = jsonschema_rs.ValidationErrorKind

_WORDS: Final[Mapping[str, str]] = {
    "additionalItems": "must have no more than {} items",
    "const": "must be {}",
    "contains": "must have items that fit 'contains', neither too few nor too many",
    "contentEncoding": "must be encoded as its 'contentEncoding' says",
    "contentMediaType": "must be of the media type {}",
    "enum": "must be one of {}",
    "exclusiveMaximum": "must be less than {}",
    "exclusiveMinimum": "must be more than {}",
    "falseSchema": "must not be there",
    "format": "must be of the format {}",
    "maxItems": "must have at most {} items",
    "maxLength": "must have at most {} characters",
    "maxProperties": "must have at most {} members",
    "maximum": "must be at most {}",
    "minItems": "must have at least {} items",
    "minLength": "must have at least {} characters",
    "minProperties": "must have at least {} members",
    "minimum": "must be at least {}",
    "multipleOf": "must be a multiple of {}",
    "not": "must not fit the schema under 'not'",
    "pattern": "must match {}",
    "required": "must have the member {}",
    "type": "must be of type {}",
    "unevaluatedItems": "must have no other items",
    "uniqueItems": "must not have an item twice",
}
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_SHOWN_CHARACTERS: Final = 120
_SHOWN_NAMES: Final = 3


def in_words(error: jsonschema_rs.ValidationError, *, is_secret: bool = False) -> str:
    """What must be, such as "must have at least 3 items".

    ``is_secret``: in words of the schema only, none of the value.
    """
    kind = error.kind
    match kind:
        case _Kind.AdditionalProperties() | _Kind.UnevaluatedProperties():
            but = "" if is_secret else f", but has {_names(kind.unexpected)}"
            return f"must have no other members{but}"
        case _Kind.PropertyNames():
            inner = in_words(kind.error, is_secret=is_secret)
            return f"must only have members whose names fit: each {inner}"
        case _Kind.OneOfMultipleValid():
            return "must fit only one of the schemas under 'oneOf'"
        case _Kind.AnyOf() | _Kind.OneOfNotValid():
            ways = dict.fromkeys(
                _way(branch[0], error, is_secret=is_secret) for branch in kind.context if branch
            )
            return _cut(" or ".join(ways)) or f"must fit one of the schemas under '{kind.name}'"
        case _Kind.Type():
            return _WORDS["type"].format(" or ".join(kind.types))
        case _:
            return _WORDS.get(kind.name, f"must obey '{kind.name}'").format(_shown(kind.value))


def join_steps(steps: Iterable[str | int]) -> str:
    """The JSON Pointer (RFC 6901) of the place to which the steps lead."""
    return "".join(f"/{escape(str(step))}" for step in steps)


def place_of(error: jsonschema_rs.ValidationError) -> str:
    """The place in the value as messages show it: a pointer, on one line, not too long."""
    pointer = join_steps(error.instance_path)
    return _cut(_ENCODER.encode(pointer).decode()[1:-1]) if pointer else "it"


def _way(
    inner: jsonschema_rs.ValidationError,
    outer: jsonschema_rs.ValidationError,
    *,
    is_secret: bool,
) -> str:
    """One of several ways to fit; names its place where that lies deeper."""
    words = in_words(inner, is_secret=is_secret)
    is_same = inner.instance_path == outer.instance_path
    return words if is_same or is_secret else f"{place_of(inner)} {words}"


def _names(names: Iterable[str]) -> str:
    known = sorted(names)
    more = f" and {len(known) - _SHOWN_NAMES} more" if len(known) > _SHOWN_NAMES else ""
    return ", ".join(_shown(name) for name in known[:_SHOWN_NAMES]) + more


def _shown(value: Any) -> str:  # noqa: ANN401 - what the schema holds
    """A JSON value of the schema, items of an array with commas between."""
    if isinstance(value, list):
        return _cut(", ".join(map(_shown, value)))
    return _cut(_ENCODER.encode(value).decode())


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
