"""What SQL cannot judge in cells of JSON: depth, names that stand twice, lax forms, JSON Schema.

The engine takes trailing commas, ``NaN`` and numbers beyond a double, which are no JSON (RFC 8259),
and the last of several members of one name. Rows come here, to Python, when a field has a JSON
Schema, or when an Arrow kernel finds what such text must hold.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.model import strict_json
from waybill.validation.json_schema_words import in_words, join_steps, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import jsonschema_rs

DEPTH: Final = 64
"""Most levels of arrays and objects in one cell."""

LISTED_CHARACTERS: Final = 65_536
"""Of a longer cell it is not told what is wrong: that can be something in every other character."""

_LISTED: Final = 3
_STRINGS: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_NOT_BRACKETS: Final = re.compile(r"[^\[\]{}]+")
_LAX: Final = r"(?i)nan|inf|,\s*[\]}]|[0-9]e[+]?[0-9]{3}|[0-9]{300}"
"""RE2: what lax JSON must hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonFault:
    """Why JSON is refused though the engine takes it; ``pointer``: the place inside the value."""

    reason: str
    code: str = "JSON_SCHEMA"
    pointer: str | None = None


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


def json_fault(
    text: str, validator: jsonschema_rs.Validator | None, *, is_secret: bool = False
) -> JsonFault | None:
    """Why JSON ``text`` is refused though the engine takes it; ``None`` where it is not.

    Text that is no array or object is left to the grammar. ``is_secret``: told without any part
    of the text.
    """
    if not text.lstrip().startswith(("[", "{")):
        return None
    if _is_deep(text):
        return JsonFault(reason=f"it is nested deeper than {DEPTH} levels")
    try:
        value = strict_json.decode(text)
    except json.JSONDecodeError:
        return JsonFault(code="TYPE_MISMATCH", reason="")
    except ValueError as error:
        return JsonFault(reason="it is no strict JSON" if is_secret else str(error))
    if validator is None:
        return None
    return _schema_fault(text, value, validator, is_secret=is_secret)


def _schema_fault(
    text: str, value: object, validator: jsonschema_rs.Validator, *, is_secret: bool
) -> JsonFault | None:
    """What the schema refuses; of a secret, the rules by their places in the schema."""
    if validator.is_valid(value):
        return None
    if len(text) > LISTED_CHARACTERS:
        count = f"{len(text)} characters"
        return JsonFault(reason=f"it breaks its schema, and is too long to say where ({count})")
    errors = list(validator.iter_errors(value))
    if is_secret:
        rules = (
            f"{in_words(error, is_secret=True)} (#{join_steps(error.schema_path)} of its schema)"
            for error in errors
        )
        return JsonFault(reason=f"it {_first_few(rules)}")
    reasons = (f"{place_of(error)} {in_words(error)}" for error in errors)
    return JsonFault(
        reason=_first_few(reasons), pointer=join_steps(errors[0].instance_path) or None
    )


def _first_few(reasons: Iterable[str]) -> str:
    """The first different reasons, and how many more there are."""
    every = iter(dict.fromkeys(reasons))
    shown = list(islice(every, _LISTED))
    more = sum(1 for _ in every)
    return "; ".join([*shown, f"{more} more"] if more else shown)


def _is_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= DEPTH:
        return False
    deepest = level = 0
    for bracket in _NOT_BRACKETS.sub("", _STRINGS.sub("", text)):
        level += 1 if bracket in "[{" else -1
        deepest = max(deepest, level)
    return deepest > DEPTH
