"""Columns of Parquet as text: each type in the notation that files of text have."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.formats.contained.cells import number_texts
from waybill.formats.contained.parquet_nested import inner_types, json_texts
from waybill.ports.reader import Kind
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    Column = pa.Array[Any]
    Bad = dict[int, tuple[str, dict[str, str | int]]]

DEPTH: Final = 64
"""Most levels of one value."""

_types: Final = pa.types


def kind_of_type(name: str, kind: pa.DataType, *, depth: int = DEPTH) -> Kind:
    """What the values of a column are; at most so many levels of them are taken.

    Raises:
        FileRefused: ``PARQUET_TYPE``: the type, or one inside of it, has no text.
    """
    if _types.is_dictionary(kind):
        return kind_of_type(name, kind.value_type, depth=depth)
    for is_of, found in _KINDS if depth else ():
        if is_of(kind):
            for inner in inner_types(kind):
                kind_of_type(name, inner, depth=depth - 1)
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
        return json_texts(column, texts_of)
    for is_of, texts in _WRITERS:
        if is_of(kind):
            return texts(column), {}
    return column.cast(pa.string()), {}


def _floating(column: Any) -> Column:  # noqa: ANN401 - an array of floating numbers
    is_half = _types.is_float16(column.type)
    return number_texts(column.cast(pa.float32()) if is_half else column)


def _decimal(column: Any) -> Column:  # noqa: ANN401 - an array of decimals
    """Decimals without exponents."""
    numbers: Column = column.cast(pa.string())
    has_exponent: Any = pc.match_substring(numbers, "E")
    if not pc.any(has_exponent).as_py():
        return numbers
    texts = [None if text is None else format(Decimal(text), "f") for text in numbers.to_pylist()]
    return pa.array(texts, pa.string())


def _short(moments: Column) -> Column:
    """Moments without the zeros at the end of their fraction."""
    fewer: Any = pc.replace_substring_regex(moments, r"(\.[0-9]*?)0+(Z?)$", r"\1\2")
    shorter: Column = pc.replace_substring_regex(fewer, r"\.(Z?)$", r"\1")
    return shorter


def _moments(column: Any) -> Column:  # noqa: ANN401 - an array of timestamps
    """Timestamps by ISO 8601; those of a time zone in UTC."""
    moments: Any = _iso(column)
    join: Any = pc.binary_join_element_wise
    return _short(join(moments, "Z", "") if column.type.tz else moments)


def _times(column: Any) -> Column:  # noqa: ANN401 - an array of times
    return _short(column.cast(pa.string()))


def _days(column: Any) -> Column:  # noqa: ANN401 - an array of dates
    """Days by ISO 8601."""
    is_in_days = _types.is_date32(column.type)
    return _iso(column if is_in_days else column.cast(pa.timestamp("ms")), unit="D")


def _iso(column: Any, **unit: Any) -> Column:  # noqa: ANN401 - an array of dates or timestamps
    """Any year that there can be, with as many digits as it has; pyarrow takes those to 32767."""
    texts: Any = pa.array(np.datetime_as_string(column.to_numpy(zero_copy_only=False), **unit))
    held: Column = pc.if_else(column.is_valid(), texts, None)
    return held


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
_WRITERS: Final = (
    (_types.is_floating, _floating),
    (_types.is_decimal, _decimal),
    (_types.is_timestamp, _moments),
    (_types.is_date, _days),
    (_types.is_time, _times),
)
