"""What a line of NDJSON is by itself, told by a JSON library."""

from __future__ import annotations

import json
from typing import Any


def expected_of(line: bytes) -> dict[str, Any] | None:
    """The members that are present; ``None`` where the line can be no record."""
    return _present(_parsed(line))


def elements_of(document: bytes) -> list[dict[str, Any] | None] | None:
    """The same of each element of an array; ``None`` where the document is none."""
    parsed = _parsed(document)
    return [_present(each) for each in parsed] if isinstance(parsed, _Array) else None


class _Object(list[tuple[str, Any]]):
    """The members of an object, those with one name too."""


class _Array(list[Any]):
    """The elements of an array."""


def _parsed(text: bytes) -> object:
    try:
        value = json.loads(text.decode(), parse_constant=_refuse, object_pairs_hook=_Object)
        json.dumps(value, ensure_ascii=False).encode()  # no half of a surrogate pair
    except (ValueError, RecursionError):
        return None
    return _Array(value) if type(value) is list else value


def _present(value: object) -> dict[str, Any] | None:
    if not isinstance(value, _Object) or len({name for name, _ in value}) < len(value):
        return None
    return {name: _plain(inner) for name, inner in value if inner is not None}


def _plain(value: object) -> object:
    if isinstance(value, _Object):
        return {name: _plain(inner) for name, inner in value}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
