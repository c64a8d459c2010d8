"""Asks the engine itself whether patterns compile and texts fit a field's grammar."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from waybill.validation.grammar import Operands, grammar_of
from waybill.validation.sandbox import SETTINGS
from waybill.validation.sql import conjunction, full_match, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.model.entity import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A text of the descriptor that must fit the grammar of a field."""

    field: Field
    text: str
    pointer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A lower and an upper bound of a field; ``is_open``: an end itself is no value."""

    field: Field
    low: str
    high: str
    is_open: bool
    pointer: str


def pattern_fault(pattern: str) -> str | None:
    """Why RE2 cannot compile the pattern, ``None`` where it can."""
    try:
        _connection().execute(f"SELECT {full_match(literal(''), pattern)}").fetchone()
    except duckdb.Error as error:
        return str(error).removeprefix("Invalid Input Error: ").strip()
    return None


def misfits(claims: Sequence[Claim]) -> list[Claim]:
    """The claims whose text is no value of their field, in order."""
    if not claims:
        return []
    columns = ", ".join(_holds(claim) for claim in claims)
    row = _connection().execute(f"SELECT {columns}").fetchone() or ()
    return [claim for claim, fits in zip(claims, row, strict=True) if fits is not True]


def crossed(ranges: Sequence[Range]) -> list[Range]:
    """The ranges that hold no value, in order; both ends must be values of the field."""
    if not ranges:
        return []
    columns = ", ".join(_is_crossed(each) for each in ranges)
    row = _connection().execute(f"SELECT {columns}").fetchone() or ()
    return [each for each, is_empty in zip(ranges, row, strict=True) if is_empty]


def operands_of(field: Field, text: str) -> Operands:
    """Operands that stand for one constant text of the field."""
    value = literal(text)
    typed = grammar_of(field, Operands(text=value, typed="NULL")).typed
    return Operands(text=value, typed=f"({typed})" if typed else value)


def _holds(claim: Claim) -> str:
    rules = grammar_of(claim.field, operands_of(claim.field, claim.text))
    return f"({conjunction((rules.form, rules.valid))})"


def _is_crossed(each: Range) -> str:
    low, high = (
        grammar_of(each.field, operands_of(each.field, text)).order
        for text in (each.low, each.high)
    )
    return f"({low} {'>=' if each.is_open else '>'} {high})"


def _connection() -> duckdb.DuckDBPyConnection:
    return _instance().cursor()


@functools.cache
def _instance() -> duckdb.DuckDBPyConnection:
    instance = duckdb.connect(":memory:", config={**SETTINGS, "threads": "1"})
    instance.execute("SET lock_configuration = true")
    return instance
