"""JSON as RFC 8259 has it: no member twice, no NaN, no number beyond a double, no half pair."""

from __future__ import annotations

import json
import math
import re
from typing import Final

EXACT_DIGITS: Final = 400
"""A longer whole number is judged as a double, since making it exact takes quadratic time."""


_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def decode(text: str | bytes) -> object:
    """The value of a JSON text.

    Raises:
        json.JSONDecodeError: it is no JSON.
        ValueError: it is, but ambiguous or beyond what can be kept; the message says why.
        RecursionError: it is nested too deeply.
    """
    text = text if isinstance(text, str) else text.decode()
    value: object = _DECODER.decode(text)
    if _SURROGATE.search(text):
        _refuse_lone_surrogates(value)
    return value


def _refuse_lone_surrogates(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("an escape stands for half a character only") from None


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"the member {name[:80]!r} stands twice")
        members[name] = value
    return members


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= EXACT_DIGITS else _finite(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits[:40]} is beyond what a double can hold")
    return number


def _refuse_word(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique_members,
    parse_float=_finite,
    parse_int=_whole,
    parse_constant=_refuse_word,
)
