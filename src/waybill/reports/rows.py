"""Rows on their way into a file: what a cell may be, and its one text."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TypeAlias

Cell: TypeAlias = str | int | float | bool | Decimal | date | None
"""A value in a row; a ``date`` may be a ``datetime``. ``None`` is a missing one."""


def text_of(value: int | float | Decimal | date) -> str:  # noqa: PYI041 - a float is no whole number
    """The value as it stands in a text file: booleans as words, times as in ISO 8601."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
