"""Grammars of date, time, datetime, yearmonth and duration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from waybill.validation.grammar_kit import FormatUnknown, Grammar, refuse_format
from waybill.validation.sql import full_match, literal

if TYPE_CHECKING:
    from waybill.model.entity import Field
    from waybill.validation.grammar_kit import Operands

_DATE: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK: Final = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_OFFSET: Final = "(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_MONTHS: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_LONG_MONTHS: Final = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
)
_DIRECTIVES: Final = {
    "%Y": "[0-9]{4}",
    "%y": "[0-9]{2}",
    "%m": "(?:0?[1-9]|1[0-2])",
    "%d": "(?:0?[1-9]|[12][0-9]|3[01])",
    "%H": "(?:[01]?[0-9]|2[0-3])",
    "%I": "(?:0?[1-9]|1[0-2])",
    "%M": "[0-5]?[0-9]",
    "%S": "[0-5]?[0-9]",
    "%f": "[0-9]{1,6}",
    "%p": "(?i:am|pm)",
    "%b": f"(?i:{_MONTHS})",
    "%B": f"(?i:{_LONG_MONTHS})",
    "%a": "(?i:mon|tue|wed|thu|fri|sat|sun)",
    "%A": "(?i:monday|tuesday|wednesday|thursday|friday|saturday|sunday)",
    "%j": "[0-9]{3}",
    "%%": "%",
}
_ANY_DATE: Final = (
    (_DATE, "%Y-%m-%d"),
    ("[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}", "%Y/%m/%d"),
    ("[0-9]{8}", "%Y%m%d"),
    (r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}", "%d.%m.%Y"),
    (f"[0-9]{{1,2}} (?i:{_MONTHS}) [0-9]{{4}}", "%d %b %Y"),
    (f"[0-9]{{1,2}} (?i:{_LONG_MONTHS}) [0-9]{{4}}", "%d %B %Y"),
)
_ANY_TIME: Final = ((_CLOCK, "%H:%M:%S"), ("(?:[01][0-9]|2[0-3]):[0-5][0-9]", "%H:%M"))


def date(field: Field, on: Operands) -> Grammar:
    """Days of the calendar as ``YYYY-MM-DD``; ``any`` takes only forms that read one way."""
    expected = "a date such as 2024-01-31"
    if field.format == "default":
        day = f"TRY_CAST({on.text} AS DATE)"
        valid = f"coalesce({day} >= DATE '0001-01-01', FALSE)"
        return _moment(on, form=full_match(on.text, _DATE), valid=valid, expected=expected)
    if field.format == "any":
        return _parsed(on, _ANY_DATE, "%Y-%m-%d", f"{expected} or 31.01.2024")
    return _patterned(field, on, "%Y-%m-%d", "a date")


def time(field: Field, on: Operands) -> Grammar:
    """Times of day as ``hh:mm:ss``."""
    expected = "a time such as 15:00:00"
    if field.format == "default":
        return _moment(on, form=full_match(on.text, _CLOCK), valid="TRUE", expected=expected)
    if field.format == "any":
        return _parsed(on, _ANY_TIME, "%H:%M:%S", f"{expected} or 15:00")
    return _patterned(field, on, "%H:%M:%S", "a time")


def datetime(field: Field, on: Operands) -> Grammar:
    """Date and time; an offset turns the value to UTC, written with ``Z``."""
    expected = "a date and time such as 2024-01-31T15:00:00"
    if field.format == "default":
        return _iso_datetime(on, "T", expected)
    if field.format == "any":
        return _iso_datetime(on, "[T ]", expected)
    return _patterned(field, on, "%Y-%m-%dT%H:%M:%S", "a date and time")


def yearmonth(field: Field, on: Operands) -> Grammar:
    """Months of a year; source: XML Schema, gYearMonth, without time zone."""
    if field.format != "default":
        raise refuse_format("yearmonth", field.format, "default")
    form = full_match(on.text, "[0-9]{4}-(?:0[1-9]|1[0-2])")
    return _moment(on, form=form, valid="TRUE", expected="a month such as 2024-01")


def duration(field: Field, on: Operands) -> Grammar:
    """ISO 8601 durations; bounds compare them with a year of 365.2425 days, a month its twelfth."""
    if field.format != "default":
        raise refuse_format("duration", field.format, "default")
    count = "[0-9]{1,9}"
    day_part = "".join(f"(?:{count}{unit})?" for unit in "YMWD")
    clock = rf"(?:{count}H)?(?:{count}M)?(?:{count}(?:\.[0-9]{{1,38}})?S)?"
    form = full_match(on.text, f"-?P{day_part}(?:T{clock})?")
    return Grammar(
        form=f"{form} AND {on.text} NOT LIKE '%P' AND {on.text} NOT LIKE '%T'",
        canonical=on.text,
        order=_seconds(on.text),
        expected="a duration such as P1DT12H",
        is_ordered=True,
    )


def _moment(on: Operands, *, form: str, valid: str, expected: str) -> Grammar:
    return Grammar(
        form=form,
        valid=valid,
        canonical=on.text,
        order=on.text,
        expected=expected,
        code="DATE_INVALID",
        is_ordered=True,
    )


def _iso_datetime(on: Operands, between: str, expected: str) -> Grammar:
    """The default form; short text is canonical already, longer text has fraction or offset."""
    text = on.text
    base = f"TRY_CAST(substr({text}, 1, 19) AS TIMESTAMP)"
    return Grammar(
        form=full_match(text, rf"{_DATE}{between}{_CLOCK}(?:\.[0-9]{{1,9}})?{_OFFSET}?"),
        typed=f"CASE WHEN strlen({text}) <= 20 THEN replace({text}, ' ', 'T')"
        f" ELSE {_to_utc(text, base)} END",
        valid=f"coalesce({base} >= TIMESTAMP '0001-01-01' AND {on.typed} >= '0001'"
        f" AND substr({on.typed}, 5, 1) = '-', FALSE)",
        canonical=on.typed,
        order=f"rtrim({on.typed}, 'Z')",
        expected=expected,
        code="DATE_INVALID",
        is_ordered=True,
    )


def _to_utc(text: str, base: str) -> str:
    fraction = rf"rtrim(regexp_extract({text}, '\.[0-9]+'), '0')"
    offset = f"regexp_extract({text}, '[+-][0-9][0-9]:[0-9][0-9]$')"
    minutes = (
        f"coalesce(TRY_CAST(substr({offset}, 2, 2) AS BIGINT) * 60"
        f" + TRY_CAST(substr({offset}, 5, 2) AS BIGINT), 0)"
        f" * CASE WHEN {offset} LIKE '-%' THEN 1 ELSE -1 END"
    )
    seconds = f"strftime({base} + to_minutes({minutes}), '%Y-%m-%dT%H:%M:%S')"
    zone = f"CASE WHEN {offset} <> '' OR {text} LIKE '%Z' THEN 'Z' ELSE '' END"
    return f"{seconds} || CASE WHEN {fraction} = '.' THEN '' ELSE {fraction} END || {zone}"


def _patterned(field: Field, on: Operands, canonical: str, noun: str) -> Grammar:
    pattern = field.format.removeprefix("fmt:")
    if "%f" in pattern and "%S" in canonical:
        canonical += ".%f"
    forms = ((_pattern_form(pattern), pattern),)
    return _parsed(on, forms, canonical, f"{noun} of the form {pattern}")


def _pattern_form(pattern: str) -> str:
    """The RE2 pattern of a strptime pattern; raises ``FormatUnknown``."""
    pieces = re.findall(r"%.|[^%]+|%", pattern, flags=re.DOTALL)
    if not any(piece in _DIRECTIVES for piece in pieces):
        raise FormatUnknown(f"{pattern!r} is neither default, any nor a strptime pattern")
    unknown = [piece for piece in pieces if piece[0] == "%" and piece not in _DIRECTIVES]
    if unknown:
        known = " ".join(_DIRECTIVES)
        raise FormatUnknown(f"the directive {unknown[0]!r} is not supported; known: {known}")
    return "".join(_DIRECTIVES.get(piece) or re.escape(piece) for piece in pieces)


def _parsed(
    on: Operands, forms: tuple[tuple[str, str], ...], canonical: str, expected: str
) -> Grammar:
    """Text in one of several (RE2, strptime) forms, read into one canonical form."""
    cases = " ".join(
        f"WHEN {full_match(on.text, form)} THEN try_strptime({on.text}, {literal(pattern)})"
        for form, pattern in forms
    )
    typed = f"strftime(CASE {cases} END, {literal(canonical)})"
    return Grammar(
        typed=typed,
        valid=f"coalesce({on.typed} >= '0001', FALSE)"
        if "%Y" in canonical
        else f"{on.typed} IS NOT NULL",
        canonical=on.typed,
        order=on.typed,
        expected=expected,
        code="DATE_INVALID",
        is_ordered=True,
    )


def _seconds(value: str) -> str:
    day_part, clock = f"split_part({value}, 'T', 1)", f"split_part({value}, 'T', 2)"
    year = 365.2425 * 86400
    units = (
        (day_part, "Y", year),
        (day_part, "M", year / 12),
        (day_part, "W", 7 * 86400),
        (day_part, "D", 86400),
        (clock, "H", 3600),
        (clock, "M", 60),
        (clock, "S", 1),
    )
    terms = " + ".join(
        f"coalesce(TRY_CAST(regexp_extract({part}, '([0-9.]+){unit}', 1) AS DOUBLE), 0) * {size}"
        for part, unit, size in units
    )
    return f"(CASE WHEN {value} LIKE '-%' THEN -1 ELSE 1 END * ({terms}))"
