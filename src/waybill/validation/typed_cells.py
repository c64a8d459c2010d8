"""The values of raw cells by the grammars of their fields, for records that were judged before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from waybill.model.entity import FieldType
from waybill.validation.arrow_text import empty_rows
from waybill.validation.grammar import column_of
from waybill.validation.rules import plan_field
from waybill.validation.session import SessionPool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from waybill.model.entity import Field
    from waybill.ports.reader import Header
    from waybill.validation.columns import BoundField
    from waybill.validation.rules import FieldPlan
    from waybill.validation.sandbox import Sandbox

_WIDE: Final = pa.decimal128(38, 0)
_BY_COLUMN: Final[Mapping[str, pa.DataType]] = {
    "int64": pa.int64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
}
_BY_TYPE: Final[Mapping[FieldType, pa.DataType]] = {
    FieldType.INTEGER: _WIDE,
    FieldType.DATE: pa.date32(),
    FieldType.DATETIME: pa.timestamp("us"),
}
_FINER: Final = r"'\.[0-9]{6}[0-9]*[1-9]'"
"""RE2: a time with more than microseconds."""
_ODD: Final = r"'Z$|\.[0-9]*[1-9]'"
"""RE2: a time in UTC, or with a fraction of a second."""


def arrow_type(field: Field) -> pa.DataType:
    """The type of a column with a field's values.

    Whole numbers beyond 64 bits are decimals, where the field's bounds allow them at all. A
    datetime is in UTC where the file has an offset, else as written. What has no type of its own,
    objects and arrays too, is its text.
    """
    return _BY_COLUMN.get(column_of(field)) or _BY_TYPE.get(field.type, pa.string())


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedCells:
    """Typed columns by the index of their column in the file.

    ``too_fine``: row numbers of times that are finer than a microsecond, which is all that their
    column holds; where there are any. They are null in ``columns``.
    """

    columns: Mapping[int, pa.ChunkedArray[pa.Scalar[pa.DataType]]]
    too_fine: Mapping[int, np.ndarray]


class CellTyper:
    """Types the cells of one file; ``values`` may run in several threads.

    A cell that is no value of its field, as a record to be deleted may have, is null, or its text
    where the column is text.
    """

    def __init__(
        self,
        fields: Sequence[BoundField],
        header: Header,
        sandbox: Sandbox,
        *,
        as_written: bool = False,
    ) -> None:
        """Compile the statement.

        ``as_written``: also null is what the type holds less exactly than the file: numbers that a
        double rounds, NaN and INF, datetimes with an offset or a fraction of a second.
        """
        self._plans = [
            plan_field(bound, is_key=False, is_escaped=header.escaped, is_typed=header.is_typed)
            for bound in fields
        ]
        self._statement = _statement(self._plans, is_typed=header.is_typed, as_written=as_written)
        empty = empty_rows(len(header.names), is_typed=header.is_typed)
        self._sessions = SessionPool(sandbox, empty)

    def values(self, rows: pa.Table) -> TypedCells:
        """The typed columns of raw cells as ``ports/reader.py`` describes the table of a chunk."""
        with self._sessions.session() as session:
            result = session.table(self._statement, rows)
        fine = {
            plan.index: np.flatnonzero(result.column(f"fine{plan.index}").to_numpy())
            for plan in self._plans
            if plan.field.type is FieldType.DATETIME
        }
        return TypedCells(
            columns={plan.index: result.column(f"x{plan.index}") for plan in self._plans},
            too_fine={index: found for index, found in fine.items() if len(found)},
        )

    def close(self) -> None:
        """Give up the prepared statement."""
        self._sessions.close()


def _statement(plans: Sequence[FieldPlan], *, is_typed: bool, as_written: bool) -> str:
    """SQL over the view ``chunk``: ``x<index>`` of each field, ``fine<index>`` of datetimes."""
    kinds = [f"k{plan.index}" for plan in plans if is_typed]
    values = ", ".join([f"{plan.value} AS v{plan.index}" for plan in plans] + kinds)
    typed = "".join(f", {plan.typed} AS t{plan.index}" for plan in plans if plan.typed)
    outputs = ", ".join(each for plan in plans for each in _outputs(plan, as_written=as_written))
    items = "".join(f", {plan.items} AS i{plan.index}" for plan in plans if plan.items)
    cells = f"(SELECT *{items} FROM chunk)"  # noqa: S608 - see below
    rows = f"SELECT *{typed} FROM (SELECT {values or '1 AS one'} FROM {cells})"  # noqa: S608 - columns by number, texts by literal()
    return f"SELECT {outputs or '1 AS one'} FROM ({rows})"  # noqa: S608 - see above


def _outputs(plan: FieldPlan, *, as_written: bool) -> Iterator[str]:
    name = plan.typed_name
    kind = arrow_type(plan.field)
    if kind == pa.string():
        text = f"CASE WHEN {plan.fits} THEN {name} ELSE v{plan.index} END" if plan.typed else name
        yield f"{text} AS x{plan.index}"
        return
    holds = plan.fits
    if plan.field.type is FieldType.DATETIME:
        is_fine = f"coalesce({plan.fits} AND regexp_matches({name}, {_FINER}), FALSE)"
        yield f"{is_fine} AS fine{plan.index}"
        holds = f"{holds} AND NOT regexp_matches({name}, {_ODD if as_written else _FINER})"
    elif as_written and plan.grammar.rounded:
        holds = f"{holds} AND isfinite({name}) AND NOT {plan.grammar.rounded}"
    yield f"CASE WHEN {holds} THEN {_cast(name, kind)} END AS x{plan.index}"


def _cast(name: str, kind: pa.DataType) -> str:
    if kind == pa.timestamp("us"):
        return f"TRY_CAST(rtrim({name}, 'Z') AS TIMESTAMP)"
    if kind == pa.date32():
        return f"TRY_CAST({name} AS DATE)"
    return f"TRY_CAST({name} AS DECIMAL(38, 0))" if kind == _WIDE else name
