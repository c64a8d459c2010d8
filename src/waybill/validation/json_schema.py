"""The JSON Schema of a field: refused with its place unless valid, closed, bounded and linear.

Drafts 4 to 2020-12 by ``$schema``, the last where there is none; ``format`` is judged where the
draft says so (up to draft 7). Nothing is ever fetched: references lead into the schema itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urldefrag, urljoin

import jsonschema_rs
import msgspec

from waybill.model.limits import PATTERN_CHARACTERS
from waybill.validation.json_schema_words import in_words, join_steps
from waybill.validation.node import escape, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from waybill.errors import SchemaInvalid

SCHEMA_BYTES: Final = 65_536
"""Most bytes of one JSON Schema."""
SCHEMA_DEPTH: Final = 64
"""Most levels of arrays and objects in one JSON Schema."""

_DRAFTS: Final = re.compile(
    "https?://json-schema[.]org/(?:draft-0[467]|draft/2019-09|draft/2020-12)/schema#?"
)
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_BY_NAME: Final = (
    "$defs",
    "definitions",
    "dependencies",
    "dependentSchemas",
    "patternProperties",
    "properties",
)
"""Keywords whose members are named by the schema's author."""
_DATA: Final = ("const", "default", "enum", "examples")
_QUOTED: Final = re.compile("'([^']*)'")


def compile_schema(schema: Mapping[str, object], pointer: str = "") -> jsonschema_rs.Validator:
    """The validator of a schema that stands at ``pointer`` of a descriptor.

    Raises:
        SchemaInvalid: with the place and the reason; ``PATTERN_UNSUPPORTED`` where a pattern is
            too long or cannot run in linear time.
    """
    _check_bounds(schema, pointer)
    parts = list(_schemas(schema, pointer, ""))
    known = {base for _, _, base in parts}
    for place, part, base in parts:
        _check_draft(part, place)
        _check_references(part, place, base, known)
        _check_pattern_lengths(part, place)
    try:
        return jsonschema_rs.validator_for(
            dict(schema),
            offline=True,
            mask="the value",
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except jsonschema_rs.ValidationError as error:
        raise _refused(error, parts, pointer) from error
    except ValueError as error:
        raise refusal(pointer, f"is no JSON Schema: {error}") from error


def _check_bounds(schema: Mapping[str, object], pointer: str) -> None:
    layer: list[Any] = [schema]
    for _ in range(SCHEMA_DEPTH):
        layer = [child for each in layer for child in _children(each)]
    if layer:
        raise refusal(pointer, f"is nested deeper than {SCHEMA_DEPTH} levels")
    if len(msgspec.json.encode(schema)) > SCHEMA_BYTES:
        raise refusal(pointer, f"is larger than {SCHEMA_BYTES} bytes")


def _children(value: Any) -> Iterator[Any]:  # noqa: ANN401 - any JSON
    items = value.values() if isinstance(value, dict) else value
    return (item for item in items if isinstance(item, dict | list))


def _schemas(value: object, place: str, base: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every schema in a JSON value, the outer ones first: its pointer, itself, its base URI."""
    if isinstance(value, list):
        for at, each in enumerate(value):
            yield from _schemas(each, f"{place}/{at}", base)
    if not isinstance(value, dict):
        return
    own = next((value[key] for key in ("$id", "id") if isinstance(value.get(key), str)), "")
    base = _resource(base, own)
    yield place, value, base
    for key, child in value.items():
        below = f"{place}/{escape(key)}"
        if key in _BY_NAME and isinstance(child, dict):
            for name, each in child.items():
                yield from _schemas(each, f"{below}/{escape(name)}", base)
        elif key not in _DATA:
            yield from _schemas(child, below, base)


def _resource(base: str, reference: str) -> str:
    """The resource that a reference names, without its fragment."""
    try:
        is_local = not reference or reference.startswith("#")
        return base if is_local else urldefrag(urljoin(base, reference)).url
    except ValueError:
        return reference


def _check_draft(schema: dict[str, Any], place: str) -> None:
    draft = schema.get("$schema", "")
    if isinstance(draft, str) and draft and not _DRAFTS.fullmatch(draft):
        reason = "is none of the drafts 4, 6, 7, 2019-09 and 2020-12 of JSON Schema"
        raise refusal(f"{place}/$schema", reason)


def _check_references(schema: dict[str, Any], place: str, base: str, known: set[str]) -> None:
    for key in _REFERENCES:
        reference = schema.get(key)
        if isinstance(reference, str) and _resource(base, reference) not in known:
            raise refusal(f"{place}/{key}", f"{reference[:200]!r} leads outside of the schema")


def _check_pattern_lengths(schema: dict[str, Any], place: str) -> None:
    named = schema.get("patternProperties")
    patterns = {"pattern": schema.get("pattern")} | {
        f"patternProperties/{escape(name)}": name
        for name in (named if isinstance(named, dict) else ())
    }
    for key, pattern in patterns.items():
        if isinstance(pattern, str) and len(pattern) > PATTERN_CHARACTERS:
            reason = f"is longer than {PATTERN_CHARACTERS} characters"
            raise refusal(f"{place}/{key}", reason, code="PATTERN_UNSUPPORTED")


def _refused(
    error: jsonschema_rs.ValidationError,
    parts: list[tuple[str, dict[str, Any], str]],
    pointer: str,
) -> SchemaInvalid:
    place = pointer + join_steps(error.instance_path)
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Referencing):
        return refusal(_place_of(error.message, parts) or place, f"leads nowhere: {error.message}")
    if getattr(error.kind, "format", "") == "regex":
        reason = "is no pattern, too large, or has look-around or back-references"
        return refusal(place, reason, code="PATTERN_UNSUPPORTED")
    words = f"it {in_words(error)}" if error.kind.name else error.message
    return refusal(place, f"is no JSON Schema: {words}")


def _place_of(message: str, parts: list[tuple[str, dict[str, Any], str]]) -> str:
    """Where the reference stands of which the library says that it cannot follow it."""
    quoted = _QUOTED.search(message)
    for place, schema, _ in parts if quoted else ():
        for key in _REFERENCES:
            if quoted and str(schema.get(key, "")).endswith(quoted[1]):
                return f"{place}/{key}"
    return ""
