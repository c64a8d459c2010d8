"""Truth values and dates of typed formats in the words that a field writes them in, as SQL.

A spreadsheet keeps a date as a date whatever the field's format is, and turns ``2024-01`` into the
first of January: what comes as a date is put into the field's own form before it is judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.model.entity import FieldType
from waybill.ports.reader import Kind
from waybill.validation.sql import full_match, literal

if TYPE_CHECKING:
    from waybill.model.entity import Field

_MOMENTS: Final = (FieldType.DATE, FieldType.TIME, FieldType.DATETIME, FieldType.YEARMONTH)
_MIDNIGHT: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T00:00:00(?:\.0+)?Z?"
_WHOLE_SECOND: Final = r"[0-9:]{8}\.0+"
_WHOLE: Final = r"-?[0-9]+\.0+"
_DATE_CHARACTERS: Final = 10


def is_rewritten(field: Field) -> bool:
    """Whether cells of the field are put into other words where they are no text."""
    return field.type is FieldType.BOOLEAN or field.type in _MOMENTS or _takes_numbers(field)


def cell_value(field: Field, index: int) -> str:
    """The text of a cell of ``c<index>`` with the kind ``k<index>``, in the field's words."""
    if field.type is FieldType.BOOLEAN:
        return _word(field, index)
    if field.type in _MOMENTS:
        is_date = f"k{index} = {Kind.CELL_DATE.value}"
        return f"CASE WHEN {is_date} THEN {_moment(field, index)} ELSE c{index} END"
    if _takes_numbers(field):
        is_whole = f"k{index} = {Kind.NUMBER.value} AND {full_match(f'c{index}', _WHOLE)}"
        return f"CASE WHEN {is_whole} THEN string_split(c{index}, '.')[1] ELSE c{index} END"
    return f"c{index}"


def _takes_numbers(field: Field) -> bool:
    """Whether numbers are texts here: then 136.0 is 136, as programs write it."""
    return field.type is FieldType.STRING and "number" in field.kinds


def _word(field: Field, index: int) -> str:
    """The declared word for a true or false that the file has as such."""
    yes, no = literal(field.true_values[0]), literal(field.false_values[0])
    word = f"CASE lower(c{index}) WHEN 'true' THEN {yes} WHEN 'false' THEN {no} END"
    kinds = f"({Kind.BOOLEAN.value}, {Kind.CELL_BOOLEAN.value})"
    return f"CASE WHEN k{index} IN {kinds} THEN {word} ELSE c{index} END"


def _moment(field: Field, index: int) -> str:
    """A date, time or both as the field has it; one that does not fit stays as it is."""
    cell = f"c{index}"
    exact = _fitted(field.type, cell)
    if field.format in {"default", "any"}:
        return exact
    pattern = literal(field.format.removeprefix("fmt:"))
    moment = f"'1970-01-01T' || {exact}" if field.type is FieldType.TIME else exact
    return f"coalesce(strftime(TRY_CAST({moment} AS TIMESTAMP), {pattern}), {cell})"


def _fitted(kind: FieldType, cell: str) -> str:
    if kind is FieldType.DATE:
        is_day, fitted = full_match(cell, _MIDNIGHT), f"substr({cell}, 1, {_DATE_CHARACTERS})"
    elif kind is FieldType.DATETIME:
        is_day, fitted = f"strlen({cell}) = {_DATE_CHARACTERS}", f"{cell} || 'T00:00:00'"
    elif kind is FieldType.TIME:
        is_day, fitted = full_match(cell, _WHOLE_SECOND), f"substr({cell}, 1, 8)"
    else:
        is_day, fitted = f"{cell} LIKE '____-__-01%'", f"substr({cell}, 1, 7)"
    return f"CASE WHEN {is_day} THEN {fitted} ELSE {cell} END"
