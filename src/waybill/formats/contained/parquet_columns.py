"""Columns of Parquet as text: each type in the notation that files of text have."""

from __future__ import annotations

import base64
import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from waybill.formats.contained.cells import duration_text, number_texts
from waybill.ports.reader import Kind
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    Column = pa.Array[Any]
    Bad = dict[int, tuple[str, dict[str, str | int]]]

_types: Final = pa.types


def kind_of_type(name: str, kind: pa.DataType) -> Kind:
    """What the values of a column are.

    Raises:
        FileRefused: ``PARQUET_TYPE``: the type has no text.
    """
    if _types.is_dictionary(kind):
        return kind_of_type(name, kind.value_type)
    for is_of, found in _KINDS:
        if is_of(kind):
            return found
    raise file_refused("PARQUET_TYPE", name=name, type=str(kind))


def texts_of(column: Any) -> tuple[Column, Bad]:  # noqa: ANN401 - a column of any type
    """The texts of a column, and the rows that have none: their code and its parameters."""
    kind = column.type
    if _types.is_dictionary(kind):
        return texts_of(column.dictionary_decode())
    if _is_text(kind):
        return _decoded(column)
    if _types.is_nested(kind):
        return _as_json(column)
    if _types.is_floating(kind):
        return number_texts(column.cast(pa.float64())), {}
    if _types.is_timestamp(kind):
        return _short(_moments(column)), {}
    texts: Column = column.cast(pa.string())
    return _short(texts) if _types.is_time(kind) else texts, {}


def _short(moments: Column) -> Column:
    """Moments without the zeros at the end of their fraction."""
    fewer: Any = pc.replace_substring_regex(moments, r"(\.[0-9]*?)0+(Z?)$", r"\1\2")
    shorter: Column = pc.replace_substring_regex(fewer, r"\.(Z?)$", r"\1")
    return shorter


def _moments(column: Column) -> Column:
    """Timestamps by ISO 8601; those of a time zone in UTC."""
    zone = "Z" if column.type.tz else ""
    local: Any = column.cast(pa.timestamp(column.type.unit))
    texts: Column = pc.strftime(local, format=f"%Y-%m-%dT%H:%M:%S{zone}")
    return texts


def _decoded(column: Any) -> tuple[Column, Bad]:  # noqa: ANN401 - an array of text or bytes
    """Text that is UTF-8 for certain: the library believes a file that says so."""
    if _types.is_string_view(column.type):
        column = column.cast(pa.string())
    read = column.cast(pa.binary())
    try:
        decoded: Column = read.cast(pa.string())
    except pa.ArrowInvalid:
        return _decoded_one_by_one(read)
    return decoded, {}


def _decoded_one_by_one(column: Column) -> tuple[Column, Bad]:
    texts: list[str | None] = []
    bad: Bad = {}
    for row, value in enumerate(column.to_pylist()):
        try:
            texts.append(None if value is None else value.decode())
        except UnicodeDecodeError as error:
            texts.append(None)
            bad[row] = "ENCODING_INVALID", {"offset": error.start, "encoding": "UTF-8"}
    return pa.array(texts, pa.string()), bad


def _as_json(column: Column) -> tuple[Column, Bad]:
    """Nested values as JSON."""
    texts: list[str | None] = []
    bad: Bad = {}
    is_map = _types.is_map(column.type)
    for row, value in enumerate(column.to_pylist()):
        try:
            texts.append(None if value is None else _json(dict(value) if is_map else value))
        except ValueError:
            texts.append(None)
            bad[row] = "JSON_INVALID", {"reason": "a number is NaN or infinite"}
    return pa.array(texts, pa.string()), bad


def _json(value: object) -> str:
    return json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain
    )


def _plain(value: object) -> object:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case Decimal():
            return str(value)
        case dt.timedelta():
            return duration_text(value)
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case _:
            return str(value)


def _is_text(kind: pa.DataType) -> bool:
    return (
        _types.is_string(kind)
        or _types.is_large_string(kind)
        or _types.is_string_view(kind)
        or _types.is_binary(kind)
        or _types.is_large_binary(kind)
        or _types.is_fixed_size_binary(kind)
        or _types.is_null(kind)
    )


def _is_number(kind: pa.DataType) -> bool:
    return _types.is_integer(kind) or _types.is_floating(kind) or _types.is_decimal(kind)


def _is_moment(kind: pa.DataType) -> bool:
    return _types.is_date(kind) or _types.is_timestamp(kind) or _types.is_time(kind)


def _is_object(kind: pa.DataType) -> bool:
    return _types.is_struct(kind) or _types.is_map(kind)


def _is_array(kind: pa.DataType) -> bool:
    return _types.is_list(kind) or _types.is_large_list(kind) or _types.is_fixed_size_list(kind)


_KINDS: Final = (
    (_types.is_boolean, Kind.BOOLEAN),
    (_is_number, Kind.NUMBER),
    (_is_text, Kind.STRING),
    (_is_moment, Kind.CELL_DATE),
    (_is_object, Kind.OBJECT),
    (_is_array, Kind.ARRAY),
)
