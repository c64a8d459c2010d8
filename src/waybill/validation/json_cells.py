"""What SQL cannot judge in cells of JSON: depth, NaN, and JSON Schema; Python, on few rows.

Rows come here when a field has a JSON Schema, or when an Arrow kernel finds many brackets or a
word like ``NaN`` in the cell.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping

DEPTH: Final = 64
"""Most levels of arrays and objects in one cell."""

_STRINGS: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NOT_BRACKETS: Final = re.compile(r"[^\[\]{}]+")
_WORDS: Final = re.compile("(?<![a-z])(?:nan|inf(?:inity)?)(?![a-z])", re.IGNORECASE)


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
    """Row numbers whose JSON may be too deep or hold NaN; nearly always none."""
    squares, braces = pc.count_substring(cells, "["), pc.count_substring(cells, "{")
    words = pc.match_substring_regex(cells, "nan|inf", ignore_case=True)
    deep = _filled(squares) + _filled(braces) > DEPTH
    rows: np.ndarray = np.flatnonzero(deep | (_filled(words) > 0))
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
    if _WORDS.search(bare):
        return "NaN and Infinity are not JSON"
    if validator is None:
        return None
    return _schema_fault(text, validator)


def _schema_fault(text: str, validator: jsonschema_rs.Validator) -> str | None:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
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
