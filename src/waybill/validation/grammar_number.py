"""Grammars of integer, number and year."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from waybill.validation.grammar_kit import Grammar, refuse_format
from waybill.validation.sql import full_match, literal

if TYPE_CHECKING:
    from waybill.model.entity import Field
    from waybill.validation.grammar_kit import Operands

DIGITS: Final = 38
"""Most digits of a whole number, and on either side of a decimal point."""
INT64_LARGEST: Final = 2**63 - 1
_SPECIAL: Final = "(?i:nan|-?inf)"
_SIGNS: Final = r"0-9+\-\x{2010}-\x{2015}\x{2212}\x{FE63}\x{FF0B}\x{FF0D}()"
_OTHER: Final = f"[^{_SIGNS}]"
"""What may stand around a number that is not bare."""


def integer(field: Field, on: Operands) -> Grammar:
    """Whole numbers; a bound beyond 64 bits makes the column text of up to 38 digits."""
    _only_default(field)
    pattern = f"-?{_whole(field)}"
    plain = _number_text(field, on.text, pattern, pattern)
    wide = is_wide(field)
    cast = "HUGEINT" if wide else "BIGINT"
    typed = f"TRY_CAST({plain.digits} AS {cast})"
    return Grammar(
        form=plain.form,
        shape=plain.shape,
        typed=f"CAST({typed} AS VARCHAR)" if wide else typed,
        valid=f"{on.typed} IS NOT NULL",
        canonical=on.typed if wide else f"CAST({on.typed} AS VARCHAR)",
        order=f"TRY_CAST({on.typed} AS HUGEINT)" if wide else on.typed,
        column="text" if wide else "int64",
        expected="a whole number such as 42",
        is_ordered=True,
    )


def number(field: Field, on: Operands) -> Grammar:
    """Decimal numbers as the nearest double."""
    _only_default(field)
    point = re.escape(field.decimal_char)
    mantissa = f"[+-]?{_whole(field)}(?:{point}[0-9]+)?"
    limited = f"{mantissa}(?:[eE][+-]?[0-9]{{1,3}})?|{_SPECIAL}"
    free = f"{mantissa}(?:[eE][+-]?[0-9]+)?|{_SPECIAL}"
    plain = _number_text(field, on.text, limited, free)
    return Grammar(
        form=plain.form,
        shape=plain.shape,
        typed=f"TRY_CAST({plain.digits} AS DOUBLE)",
        valid=f"{on.typed} IS NOT NULL AND CASE WHEN isfinite({on.typed}) THEN TRUE"
        f" ELSE NOT regexp_matches({on.text}, '[0-9]') END",
        canonical=f"CAST({on.typed} + 0.0::DOUBLE AS VARCHAR)",
        order=on.typed,
        rounded=_is_rounded(on, plain.digits),
        column="float64",
        expected=f"a number such as 12{field.decimal_char}50",
        is_ordered=True,
    )


def _is_rounded(on: Operands, digits: str) -> str:
    """Whether the double differs from the digits; up to 15 digits it reads back the same."""
    written = f"TRY_CAST({digits} AS DECIMAL(38, 18))"
    kept = f"TRY_CAST(CAST({on.typed} AS VARCHAR) AS DECIMAL(38, 18))"
    large = f"TRY_CAST({digits} AS HUGEINT) <> TRY_CAST({on.typed} AS HUGEINT)"
    differs = f"coalesce({written} <> {kept}, {large}, FALSE)"
    return f"CASE WHEN coalesce(length({on.text}), 0) <= 15 THEN FALSE ELSE {differs} END"


def year(field: Field, on: Operands) -> Grammar:
    """Calendar years; source: XML Schema, gYear, without time zone."""
    _only_default(field)
    return Grammar(
        form=full_match(on.text, "-?(?:[1-9][0-9]{3,8}|0[0-9]{3})"),
        typed=f"TRY_CAST({on.text} AS BIGINT)",
        valid=f"{on.typed} IS NOT NULL",
        canonical=f"CAST({on.typed} AS VARCHAR)",
        order=on.typed,
        column="int64",
        expected="a year such as 2024",
        is_ordered=True,
    )


def is_wide(field: Field) -> bool:
    """Whether a declared bound of an integer field lies beyond 64 bits."""
    rules = field.constraints
    bounds = (rules.minimum, rules.maximum, rules.exclusive_minimum, rules.exclusive_maximum)
    digits = (re.sub(r"[^0-9]", "", bound) for bound in bounds if bound is not None)
    return any(len(each) <= DIGITS and int(each or "0") > INT64_LARGEST for each in digits)


class _NumberText:
    """How the number stands in its cell: conditions on the cell, and SQL for its plain digits."""

    __slots__ = ("digits", "form", "shape")

    def __init__(self, *, form: str, shape: str, digits: str) -> None:
        self.form = form
        self.shape = shape
        self.digits = digits


def _number_text(field: Field, value: str, limited: str, free: str) -> _NumberText:
    short = f"({_has_few_digits(value)})"
    if field.bare_number:
        digits = _plain(field, value)
        return _NumberText(
            form=f"{full_match(value, limited)} AND {short}",
            shape=full_match(value, free),
            digits=digits,
        )
    inner = f"regexp_extract({value}, {literal(_unsigned(limited))})"
    sign = f"CASE WHEN regexp_matches({value}, '^[^0-9]*-') THEN '-' ELSE '' END"
    digits = f"({sign} || {_plain(field, inner)})"
    return _NumberText(
        form=f"{full_match(value, _dressed(field, limited))} AND {short}",
        shape=full_match(value, _dressed(field, free)),
        digits=f"CASE WHEN regexp_matches({value}, '[0-9]') THEN {digits} ELSE {value} END",
    )


def _has_few_digits(value: str) -> str:
    """No run of more than ``DIGITS`` digits; a counted pattern costs four times as much to make."""
    digits = f"translate({value}, '123456789', '000000000')"
    is_short = f"length({value}) <= {DIGITS}"  # OR would compute the other side all the same
    run = literal("0" * (DIGITS + 1))
    return f"CASE WHEN {is_short} THEN TRUE ELSE NOT contains({digits}, {run}) END"


def _dressed(field: Field, pattern: str) -> str:
    """The pattern with other characters around it, a sign before or after the leading ones.

    What could be part of the number is none of the others: signs, parentheses that mean a loss, and
    the field's decimal and group characters right before the digits.
    """
    marks = field.decimal_char + field.group_char.strip()
    before = f"(?:{_OTHER}*[^{_SIGNS}{re.escape(marks)}])?"
    special = f"|{_SPECIAL}" if pattern.endswith(_SPECIAL) else ""
    return f"(?:-?{before}|{_OTHER}*-)(?:{_unsigned(pattern)}){_OTHER}*{special}"


def _unsigned(pattern: str) -> str:
    """The pattern of the digits alone: without a sign in front and without the special words."""
    return pattern.removesuffix(f"|{_SPECIAL}").removeprefix("[+-]?").removeprefix("-?")


def _plain(field: Field, value: str) -> str:
    if field.group_char:
        value = f"replace({value}, {literal(field.group_char)}, '')"
    if field.decimal_char != ".":
        value = f"replace({value}, {literal(field.decimal_char)}, '.')"
    return value


def _whole(field: Field) -> str:
    """Digits, or groups of them: the last of three digits, the others of two or three."""
    if not field.group_char:
        return "[0-9]+"
    group = re.escape(field.group_char)
    return f"(?:[0-9]{{1,3}}(?:{group}[0-9]{{2,3}}){{0,11}}{group}[0-9]{{3}}|[0-9]+)"


def _only_default(field: Field) -> None:
    if field.format != "default":
        raise refuse_format(field.type.value, field.format, "default")
