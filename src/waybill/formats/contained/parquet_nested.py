"""Nested columns of Parquet as JSON: objects of structs and maps, arrays of lists.

What stands innermost is written as it would be in a column of its own; numbers and truth values of
JSON stay those, decimals are strings, for JSON numbers are not exact everywhere.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Column = pa.Array[Any]
    Bad = dict[int, tuple[str, dict[str, str | int]]]
    Texts = Callable[[Column], tuple[Column, Bad]]

_types: Final = pa.types


class _Unwritable(ValueError):
    """A value that has no JSON: the code of a finding and its parameters."""

    def __init__(self, code: str, **parameters: str | int) -> None:
        super().__init__(code)
        self.fault = code, parameters


def inner_types(kind: pa.DataType) -> Iterator[pa.DataType]:
    """The types of which a nested type is made; none for any other."""
    nested: Any = kind
    if _types.is_map(kind):
        yield from (nested.key_type, nested.item_type)
    elif _types.is_struct(kind):
        yield from (nested.field(at).type for at in range(nested.num_fields))
    elif _types.is_nested(kind):
        yield nested.value_type


def json_texts(column: Any, texts_of: Texts) -> tuple[Column, Bad]:  # noqa: ANN401 - a nested column
    """The JSON of each value, and the rows that have none. ``texts_of``: writes inner columns."""
    texts: list[str | None] = []
    bad: Bad = {}
    for row, value in enumerate(_values(column, texts_of)):
        try:
            texts.append(None if value is None else _json(value))
        except _Unwritable as unwritable:
            texts.append(None)
            bad[row] = unwritable.fault
        except ValueError:
            texts.append(None)
            bad[row] = "JSON_INVALID", {"reason": "a number is NaN or infinite"}
    return pa.array(texts, pa.string()), bad


def _json(value: object) -> str:
    return json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_refuse
    )


def _refuse(value: object) -> object:
    if isinstance(value, _Unwritable):
        raise value
    raise TypeError(type(value).__name__)


def _values(column: Any, texts_of: Texts) -> list[Any]:  # noqa: ANN401 - a column of any type
    """What JSON is written of; ``_Unwritable`` stands where a value has none."""
    kind = column.type
    if _types.is_dictionary(kind):
        return _values(column.dictionary_decode(), texts_of)
    if _types.is_struct(kind):
        return _structs(column, texts_of)
    if _types.is_nested(kind):
        return _sequences(column, texts_of)
    if _types.is_integer(kind) or _types.is_boolean(kind):
        plain: list[Any] = column.to_pylist()
        return plain
    leaves = _leaves(column, texts_of)
    return [text and float(text) for text in leaves] if _types.is_floating(kind) else leaves


def _sequences(column: Any, texts_of: Texts) -> list[Any]:  # noqa: ANN401 - maps or lists
    if _types.is_map(column.type):
        return _parted(column, _pairs(column, texts_of), np.diff(column.offsets), _object)
    sizes = pc.list_value_length(column).fill_null(0).to_numpy()
    return _parted(column, _values(column.flatten(), texts_of), sizes, list)


def _leaves(column: Column, texts_of: Texts) -> list[Any]:
    texts, bad = texts_of(column)
    values: list[Any] = texts.to_pylist()
    for at, (code, parameters) in bad.items():
        values[at] = _Unwritable(code, **parameters)
    return values


def _structs(column: Any, texts_of: Texts) -> list[Any]:  # noqa: ANN401 - an array of structs
    names = [each.name for each in column.type]
    if len(set(names)) < len(names):
        twice = _Unwritable("DUPLICATE_KEY")
        return [twice if is_valid else None for is_valid in column.is_valid().to_pylist()]
    members = [_values(column.field(at), texts_of) for at in range(len(names))]
    rows = zip(*members, strict=True) if members else ((),) * len(column)
    return [
        dict(zip(names, row, strict=True)) if is_valid else None
        for row, is_valid in zip(rows, column.is_valid().to_pylist(), strict=True)
    ]


def _pairs(column: Any, texts_of: Texts) -> list[Any]:  # noqa: ANN401 - an array of maps
    begin, end = column.offsets[0].as_py(), column.offsets[-1].as_py()
    size = end - begin
    keys = _leaves(column.keys.slice(begin, size), texts_of)
    return list(zip(keys, _values(column.items.slice(begin, size), texts_of), strict=True))


def _object(pairs: list[tuple[Any, Any]]) -> object:
    members = dict(pairs)
    for key in members:
        if not isinstance(key, str):
            return key
    return members if len(members) == len(pairs) else _Unwritable("DUPLICATE_KEY")


def _parted(
    column: Column, items: list[Any], sizes: np.ndarray, make: Callable[[list[Any]], object]
) -> list[Any]:
    """The items parted into as many as each list has."""
    edges = pairwise([0, *np.cumsum(sizes).tolist()])
    return [
        make(items[begin:end]) if is_valid else None
        for (begin, end), is_valid in zip(edges, column.is_valid().to_pylist(), strict=True)
    ]
