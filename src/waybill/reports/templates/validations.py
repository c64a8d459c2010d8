"""Which entries a spreadsheet lets into the cells of a field.

It must never refuse what the server takes. Where it cannot judge as the server does, it warns and
says why; where a field takes words that are no value of its type, it stays silent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from waybill.model.entity import FieldType, Trim
from waybill.reports.templates.cell_kinds import LARGEST_WHOLE, CellKind, cell_kind
from waybill.reports.xlsx_text import CELL_UNITS, SHEET_ROWS, units_of
from waybill.validation.grammar import Operands, grammar_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from waybill.model.entity import Field
    from waybill.reports.templates.columns import Column

T = TypeVar("T", int, float, date)
Item = str | float | date

_LARGEST_NUMBER: Final = 9.99999999999999e307
_SMALLEST_NUMBER: Final = 2.2251e-308
_FIRST_DATE: Final = date(1900, 1, 1)
_TRUTHS: Final = ("TRUE", "FALSE", "1", "0")

_ROUNDED: Final = "Excel keeps 15 digits: format a cell as text for a longer number."
_NOT_FINITE: Final = "NaN, INF and -INF are numbers too."
_EARLY: Final = "Excel has no dates before 1900; as text they are taken."
_SURROGATES: Final = "Excel counts some characters, such as emoji, as two."
_SPELLINGS: Final = "Another spelling of such a value is taken too."
_TRIMMED: Final = "Spaces around it do no harm."


class Measure(StrEnum):
    """What is held against bounds, as XlsxWriter calls it."""

    WHOLE = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    LENGTH = "length"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Both ends belong to it, at least one is there; ``caveat``: why it only warns, else empty."""

    measure: Measure
    low: float | date | None
    high: float | date | None
    caveat: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Values to choose from, as the cells hold them; ``caveat``: why it only warns, else empty."""

    items: tuple[Item, ...]
    caveat: str


def validation_of(column: Column) -> Bounds | Choice | None:
    """What holds for the cells of a column; ``None`` where nothing can be said without harm."""
    try:
        return _choice(column) or _bounds(column.field)
    except (ValueError, OverflowError):  # a value of the descriptor that Excel does not have
        return None


def _choice(column: Column) -> Choice | None:
    field, kind = column.field, cell_kind(column.field)
    if field.type is FieldType.BOOLEAN:
        allowed = _words_of(field, kind)
    elif field.secret:
        return None
    else:
        allowed = field.constraints.enum or field.categories or ()
    if not allowed:
        return None
    read = _reader(field, kind)
    values = [read(text) for text in allowed if text and text not in field.missing_values]
    words = () if column.is_needed else filter(None, field.missing_values)
    items = tuple(dict.fromkeys((*values, *words)))
    return Choice(items=_fitting(items), caveat=_caveat(field, kind)) if items else None


def _fitting(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items, if a column of a sheet can hold them.

    Raises:
        ValueError: it cannot.
    """
    is_long = any(units_of(item) > CELL_UNITS for item in items if isinstance(item, str))
    if is_long or len(items) > SHEET_ROWS:
        raise ValueError("a column of Excel cannot hold these values")
    return items


def _words_of(field: Field, kind: CellKind) -> tuple[str, ...]:
    if kind is CellKind.BOOLEAN:
        return _TRUTHS
    first = (field.true_values[0], field.false_values[0])
    return (*first, *field.true_values[1:], *field.false_values[1:])


def _reader(field: Field, kind: CellKind) -> Callable[[str], Item]:
    """Gives the cell that stands for a text of the descriptor."""
    if kind in {CellKind.TEXT, CellKind.BOOLEAN}:
        return str
    if kind is CellKind.WHOLE:
        return _whole_item
    if kind is CellKind.NUMBER:
        return _number
    if kind is CellKind.DATE and field.format == "default":
        return _day
    raise ValueError("cells of one value may hold different things")


def _caveat(field: Field, kind: CellKind) -> str:
    """Why a value that is not in the list may be right."""
    if field.trim is Trim.BOTH:
        return _TRIMMED
    if kind is not CellKind.TEXT or field.type is FieldType.BOOLEAN:
        return ""
    is_plain = grammar_of(field, Operands(text="v", typed="t")).order == "v"
    return "" if is_plain else _SPELLINGS


def _bounds(field: Field) -> Bounds | None:
    kind = cell_kind(field)
    if kind is CellKind.TEXT:
        return _length_bounds(field)
    if any(field.missing_values):
        return None
    if kind is CellKind.WHOLE:
        return _whole_bounds(field)
    if kind is CellKind.NUMBER:
        return _number_bounds(field)
    if kind is CellKind.DATE and field.format == "default":
        return _date_bounds(field)
    return None


def _length_bounds(field: Field) -> Bounds | None:
    low, high = field.constraints.min_length, field.constraints.max_length
    if field.type not in {FieldType.STRING, FieldType.ANY} or low is high is None:
        return None
    shortest, longest = low or 0, CELL_UNITS if high is None else high
    words = [len(word) for word in field.missing_values if word]
    if longest > CELL_UNITS or not all(shortest <= length <= longest for length in words):
        return None
    caveat = "" if high is None else _SURROGATES
    return Bounds(measure=Measure.LENGTH, low=low, high=high, caveat=caveat)


def _whole_bounds(field: Field) -> Bounds:
    """Always with both ends: what Excel would round is warned of."""
    low, high = _ends(field, _whole)
    return Bounds(
        measure=Measure.WHOLE,
        low=-LARGEST_WHOLE if low is None else low,
        high=LARGEST_WHOLE if high is None else high,
        caveat=_ROUNDED if low is None or high is None else "",
    )


def _number_bounds(field: Field) -> Bounds | None:
    low, high = _ends(field, _number)
    if low is high is None:
        return None
    caveat = _NOT_FINITE if low is None or high is None else ""
    return Bounds(measure=Measure.DECIMAL, low=low, high=high, caveat=caveat)


def _date_bounds(field: Field) -> Bounds | None:
    low, high = _ends(field, _day)
    if low is high is None:
        return None
    return Bounds(measure=Measure.DATE, low=low, high=high, caveat=_EARLY if low is None else "")


def _ends(field: Field, read: Callable[[str, int], T]) -> tuple[T | None, T | None]:
    """The lowest and the highest value; ``read`` takes a text and the steps to go from there.

    Raises:
        ValueError: Excel has no such value.
        OverflowError: nor a value next to it.
    """
    rules = field.constraints
    lows = ((rules.minimum, 0), (rules.exclusive_minimum, 1))
    highs = ((rules.maximum, 0), (rules.exclusive_maximum, -1))
    return (
        max((read(text, steps) for text, steps in lows if text is not None), default=None),
        min((read(text, steps) for text, steps in highs if text is not None), default=None),
    )


def _whole(text: str, steps: int = 0) -> int:
    return int(text) + steps


def _number(text: str, _steps: int = 0) -> float:
    """A number as it is: there is none next to it, so that an open end is let in."""
    value = float(text)
    is_kept = float(f"{value:.15G}") == value
    if not is_kept or (value and not _SMALLEST_NUMBER <= abs(value) <= _LARGEST_NUMBER):
        raise ValueError(f"Excel has no {text}")
    return value


def _day(text: str, steps: int = 0) -> date:
    day = date.fromisoformat(text) + timedelta(days=steps)
    if day < _FIRST_DATE:
        raise ValueError(f"Excel has no {text}")
    return day


def _whole_item(text: str) -> int:
    """A number of a list; one whose zeros a cell would lose cannot be chosen from it."""
    if str(int(text)) != text:
        raise ValueError(f"Excel has no {text}")
    return int(text)
