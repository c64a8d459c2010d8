"""Cells of a workbook as text and kind: what a person sees there, in the notation of files.

Text and numbers have no kind: a spreadsheet turns one into the other, so both are read as CSV is.
Truth values and dates have one, for a field may write them otherwise.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.ports.reader import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    TextColumn = pa.Array[pa.StringScalar]
    KindColumn = pa.Array[pa.UInt8Scalar]

EXACT: Final = 2.0**63
"""Whole numbers below it are written without an exponent."""

_BEYOND: Final = "1e999"
"""Stands for a number that is larger than all: no field takes it, and none calls it infinite."""

_EMPTY: Final = ""


def column_of(values: Sequence[Any]) -> tuple[TextColumn, KindColumn]:
    """Text and kind of the cells of one column; an empty cell has neither."""
    types = set(map(type, values))
    if str in types and len(types) > 1 and not any(v and type(v) is str for v in values):
        values = [None if value == _EMPTY else value for value in values]
        types.remove(str)
    if len(types) > 1:
        return _mixed_column(values)
    only = types.pop() if types else str
    if only is str:
        return _without_empty(pa.array(values, pa.string())), pa.nulls(len(values), pa.uint8())
    if only in _UNIFORM:
        kind, texts_of = _UNIFORM[only]
        texts = texts_of(values)
        return texts, _kinds(texts, kind)
    kinds: KindColumn = pa.array([_KIND_OF.get(only)] * len(values), pa.uint8())
    return pa.array(cell_texts(values), pa.string()), kinds


def _mixed_column(values: Sequence[Any]) -> tuple[TextColumn, KindColumn]:
    """Cells of several types: those of each type as a column, then all in their order again."""
    places: dict[type, list[int]] = {}
    for place, value in enumerate(values):
        places.setdefault(type(value), []).append(place)
    columns = [column_of([values[place] for place in mine]) for mine in places.values()]
    order = pa.array(np.argsort(np.concatenate(list(places.values()))))
    texts, kinds = (pa.concat_arrays(parts).take(order) for parts in zip(*columns, strict=True))
    return _text(texts), _array(kinds)


def number_texts(numbers: pa.Array[Any]) -> TextColumn:
    """Floating numbers in their shortest form, whole ones without exponent or fraction."""
    texts: Any = numbers.cast(pa.string())
    if pc.any(pc.is_inf(numbers)).as_py():
        is_negative = pc.less(numbers, pa.scalar(0.0))
        beyond = pc.if_else(is_negative, f"-{_BEYOND}", _BEYOND)
        texts = pc.if_else(pc.is_inf(numbers), beyond, texts)
    whole = pc.and_(
        pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), pa.scalar(EXACT))
    )
    if not pc.any(whole).as_py():
        return _text(texts)
    integers = pc.if_else(whole, numbers, None).cast(pa.int64()).cast(pa.string())
    return _text(pc.coalesce(integers, texts))


def cell_texts(values: Sequence[Any]) -> list[str | None]:
    """The text of each cell, ``None`` for an empty one."""
    numbers = [value for value in values if type(value) is float]
    texts = iter(number_texts(pa.array(numbers, pa.float64())).to_pylist())
    return [
        (value or None)
        if (kind := type(value)) is str
        else (next(texts) if kind is float else _TEXT_OF.get(kind, str)(value))
        for value in values
    ]


def _kinds(texts: TextColumn, kind: Kind | None) -> KindColumn:
    """One kind for every cell that is not empty."""
    if kind is None:
        return pa.nulls(len(texts), pa.uint8())
    kinds: Any = pc.if_else(texts.is_valid(), pa.scalar(kind.value, pa.uint8()), None)
    return _array(kinds)


def _number_column(values: Sequence[float | None]) -> TextColumn:
    return number_texts(pa.array(values, pa.float64()))


def _boolean_column(values: Sequence[bool | None]) -> TextColumn:
    return _text(pc.if_else(pa.array(values, pa.bool_()), "TRUE", "FALSE"))


def _date_column(values: Sequence[dt.date | None]) -> TextColumn:
    return _text(pa.array(values, pa.date32()).cast(pa.string()))


def duration_text(value: dt.timedelta) -> str:
    """A duration by ISO 8601, to the microsecond."""
    sign, length = "-" if value < dt.timedelta() else "", abs(value)
    fraction = f".{length.microseconds:06}".rstrip("0") if length.microseconds else ""
    return f"{sign}P{length.days}DT{length.seconds}{fraction}S"


def _without_empty(texts: pa.Array[Any]) -> TextColumn:
    return _text(pc.if_else(pc.equal(texts, pa.scalar(_EMPTY)), None, texts))


def _text(column: Any) -> TextColumn:  # noqa: ANN401 - an array of what computing gives
    texts: TextColumn = column
    return texts


def _array(column: Any) -> KindColumn:  # noqa: ANN401 - an array of what computing gives
    kinds: KindColumn = column
    return kinds


_UNIFORM: Final[Mapping[type, tuple[Kind | None, Callable[[Sequence[Any]], TextColumn]]]] = {
    float: (None, _number_column),
    bool: (Kind.CELL_BOOLEAN, _boolean_column),
    dt.date: (Kind.CELL_DATE, _date_column),
}
"""Columns whose cells are all of one type, or empty: the usual ones, done at once."""

_KIND_OF: Final[Mapping[type, int]] = {
    bool: Kind.CELL_BOOLEAN.value,
    dt.datetime: Kind.CELL_DATE.value,
    dt.date: Kind.CELL_DATE.value,
    dt.time: Kind.CELL_DATE.value,
}
"""Kinds of the types that have one."""

_TEXT_OF: Final[Mapping[type, Callable[[Any], str | None]]] = {
    type(None): lambda _: None,
    bool: lambda value: "TRUE" if value else "FALSE",
    dt.timedelta: duration_text,
    dt.datetime: dt.datetime.isoformat,
    dt.date: dt.date.isoformat,
    dt.time: dt.time.isoformat,
}
"""What is neither text nor a number, as text."""
