"""What SQL cannot judge in cells of JSON: depth, names that stand twice, lax forms, JSON Schema.

The engine takes trailing commas, ``NaN`` and numbers beyond a double, which are no JSON (RFC 8259),
and the last of several members of one name. Rows come here, to Python, when a field has a JSON
Schema, or when an Arrow kernel finds what such text must hold.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.model import strict_json

if TYPE_CHECKING:
    from collections.abc import Mapping

DEPTH: Final = 64
"""Most levels of arrays and objects in one cell."""

NO_JSON: Final = "it is no JSON"
_STRINGS: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NOT_BRACKETS: Final = re.compile(r"[^\[\]{}]+")
_LAX: Final = r"(?i)nan|inf|,\s*[\]}]|[0-9]e[+]?[0-9]{3}|[0-9]{300}"
"""RE2: what lax JSON must hold."""


def build_validator(schema: Mapping[str, object]) -> jsonschema_rs.Validator:
    """A validator that follows no outside reference and runs its patterns in linear time.

    Raises:
        ValueError: not a JSON Schema; the message says why.
    """
    return jsonschema_rs.validator_for(
        dict(schema),
        retriever=_refuse_reference,
        pattern_options=jsonschema_rs.RegexOptions(),
    )


def doubtful_rows(cells: pa.ChunkedArray[pa.StringScalar]) -> np.ndarray:
    """Row numbers whose JSON may be too deep, lax, or hold a name twice."""
    squares, braces = pc.count_substring(cells, "["), pc.count_substring(cells, "{")
    deep = _filled(squares) + _filled(braces) > DEPTH
    lax = _filled(pc.match_substring_regex(cells, _LAX)) > 0
    several = _filled(pc.count_substring(cells, ":")) > 1
    rows: np.ndarray = np.flatnonzero(deep | lax | several)
    return rows


def _filled(array: Any) -> np.ndarray:  # noqa: ANN401 - the stubs name no chunked results
    """Numbers or booleans as numbers, 0 where null."""
    filled: np.ndarray = array.cast(pa.int64()).fill_null(0).to_numpy()
    return filled


def json_fault(text: str, validator: jsonschema_rs.Validator | None) -> str | None:
    """Why JSON ``text`` is refused though the engine takes it; ``None`` where it is not.

    Text that is no array or object is left to the grammar.
    """
    bare = _STRINGS.sub("", text).lstrip()
    if not bare.startswith(("[", "{")):
        return None
    if _depth(bare) > DEPTH:
        return f"it is nested deeper than {DEPTH} levels"
    try:
        value = strict_json.decode(text)
    except json.JSONDecodeError:
        return NO_JSON
    except ValueError as error:
        return str(error)
    return None if validator is None else _schema_fault(value, validator)


def _schema_fault(value: object, validator: jsonschema_rs.Validator) -> str | None:
    for error in validator.iter_errors(value):
        place = "/".join(str(step) for step in error.instance_path)
        return f"{error.message} at /{place}" if place else error.message
    return None


def _depth(bare: str) -> int:
    deepest = level = 0
    for bracket in _NOT_BRACKETS.sub("", bare):
        level += 1 if bracket in "[{" else -1
        deepest = max(deepest, level)
    return deepest


def _refuse_reference(uri: str) -> Any:  # noqa: ANN401 - as the library declares it
    raise ValueError(f"the reference {uri} leads outside the schema")
