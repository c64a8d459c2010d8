"""What a template lets in: number formats and validations, and that they refuse nothing good.

``Spreadsheet`` enters text into a cell of the template as Excel does, by what the file says.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from python_calamine import CalamineWorkbook

from waybill.model.limits import Limits
from waybill.ports.reader import Header
from waybill.reports.templates.xlsx_template import write_xlsx_template
from waybill.testing.raw_chunks import raw_chunk
from waybill.validation.checker import Checker
from waybill.validation.compiled import CheckOptions
from waybill.validation.descriptor import parse_descriptor
from waybill.validation.rejects import iterate_rejections
from waybill.validation.sandbox import Sandbox, open_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.model.entity import Entity

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
BUILT_IN_FORMATS = {0: "General", 1: "0", 49: "@"}
DAY_ZERO = date(1899, 12, 30)
EXCEL_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?")
EXCEL_DATE = re.compile(r"(?:19|[2-9][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}")
Cell = str | float | bool


@dataclass
class Spreadsheet:
    """The template of an entity with one field, opened."""

    content: bytes

    @cached_property
    def sheet(self) -> ET.Element:
        return self._part("worksheets/sheet1")

    @cached_property
    def number_format(self) -> str:
        style = self.sheet.find(f".//{MAIN}col").get("style")
        styles = self._part("styles")
        named = {
            each.get("numFmtId"): each.get("formatCode") for each in styles.iter(f"{MAIN}numFmt")
        }
        used = list(styles.find(f"{MAIN}cellXfs") or ())[int(style or "0")].get("numFmtId")
        return named.get(used) or BUILT_IN_FORMATS[int(used or "0")]

    @cached_property
    def validation(self) -> ET.Element | None:
        return self.sheet.find(f".//{MAIN}dataValidation")

    @property
    def rule(self) -> tuple[str, str, str, list[str]]:
        """Type, operator, style of the error, and constants; of a list its values."""
        found = self.validation
        if found is None:
            return "", "", "", []
        kind = found.get("type", "")
        constants = [str(item) for item in self.items] if kind == "list" else self._constants
        return kind, found.get("operator", "between"), found.get("errorStyle", "stop"), constants

    @cached_property
    def _constants(self) -> list[str]:
        assert self.validation is not None
        return [str(each.text) for each in self.validation if each.tag.startswith(f"{MAIN}formula")]

    @property
    def items(self) -> list[Cell]:
        formula = self._constants[0]
        if formula.startswith('"'):
            return list(formula.strip('"').split(","))
        place = re.fullmatch(r"Lists!\$A\$1(?::\$A\$([0-9]+))?", formula)
        assert place, formula
        lists = CalamineWorkbook.from_filelike(BytesIO(self.content)).get_sheet_by_name("Lists")
        rows = [row[0] for row in lists.to_python()]
        assert len(rows) == int(place[1] or 1)
        return [float((x - DAY_ZERO).days) if isinstance(x, date) else x for x in rows]

    def enter(self, text: str) -> Cell:
        """What a cell holds after the text was typed into it."""
        plain = text.strip()
        if self.number_format == "@":
            return text
        if EXCEL_NUMBER.fullmatch(plain):
            return float(plain)
        if plain.upper() in {"TRUE", "FALSE"}:
            return plain.upper() == "TRUE"
        if EXCEL_DATE.fullmatch(plain):
            try:
                return float((date.fromisoformat(plain) - DAY_ZERO).days)
            except ValueError:
                return text
        return text

    def refuses(self, text: str) -> bool:
        kind, _, style, _ = self.rule
        cell = self.enter(text)
        if not kind or style != "stop" or cell == "":
            return False
        if kind == "list":
            return not any(_is_same(cell, item) for item in self.items)
        if kind == "textLength":
            return not self._is_within(len(text.encode("utf-16-le")) // 2)
        if isinstance(cell, str):
            return True
        return not self._is_within(cell) or (kind == "whole" and cell != int(cell))

    def _is_within(self, value: float) -> bool:
        _, operator, _, constants = self.rule
        ends = [float(each) for each in constants]
        return {
            "between": lambda: ends[0] <= value <= ends[-1],
            "greaterThanOrEqual": lambda: value >= ends[0],
            "lessThanOrEqual": lambda: value <= ends[0],
        }[operator]()

    def _part(self, name: str) -> ET.Element:
        with zipfile.ZipFile(BytesIO(self.content)) as archive:
            return ET.fromstring(archive.read(f"xl/{name}.xml"))  # noqa: S314 - our own file


def _is_same(cell: Cell, item: Cell) -> bool:
    if isinstance(cell, bool):
        return str(item).upper() == str(cell).upper()
    if isinstance(cell, float) and isinstance(item, str):
        return bool(EXCEL_NUMBER.fullmatch(item)) and float(item) == cell
    return cell == item


def entity_of(field: dict[str, object], **schema: object) -> Entity:
    return parse_descriptor({"fields": [{"name": "f", **field}], **schema}, name="things")


def opened(field: dict[str, object], **schema: object) -> Spreadsheet:
    return Spreadsheet(write_xlsx_template(entity_of(field, **schema)))


def limited(kind: str, **constraints: object) -> dict[str, object]:
    return {"type": kind, "constraints": constraints}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ({"type": "string"}, "@"),
        ({"type": "any"}, "@"),
        ({"type": "integer"}, "0"),
        ({"type": "integer", "groupChar": " "}, "@"),
        ({"type": "integer", "bareNumber": False}, "@"),
        (limited("integer", maximum=10**15), "@"),
        (limited("integer", maximum=10**15 - 1), "0"),
        (limited("integer", maximum="9" * 38), "@"),
        (limited("integer", enum=[1234567890123456]), "@"),
        ({"type": "year"}, "0"),
        ({"type": "number"}, "General"),
        ({"type": "number", "decimalChar": ","}, "@"),
        ({"type": "number", "bareNumber": False}, "@"),
        ({"type": "boolean"}, "General"),
        ({"type": "boolean", "trueValues": ["yes"], "falseValues": ["no"]}, "@"),
        ({"type": "date"}, "yyyy-mm-dd"),
        ({"type": "date", "format": "any"}, "yyyy-mm-dd"),
        ({"type": "date", "format": "%d.%m.%Y"}, "@"),
        ({"type": "datetime"}, "yyyy-mm-dd hh:mm:ss"),
        ({"type": "datetime", "format": "%d.%m.%Y %H:%M"}, "@"),
        ({"type": "time"}, "@"),
        ({"type": "yearmonth"}, "@"),
        ({"type": "duration"}, "@"),
        ({"type": "geopoint"}, "@"),
        ({"type": "list"}, "@"),
        ({"type": "object"}, "@"),
        ({"type": "array"}, "@"),
        ({"type": "geojson"}, "@"),
    ],
)
def test_a_column_has_the_number_format_of_its_type(
    field: dict[str, object], expected: str
) -> None:
    assert opened(field).number_format == expected


NO_RULE: tuple[str, str, str, list[str]] = ("", "", "", [])
WHOLE_ENDS = ["-999999999999999", "999999999999999"]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (limited("integer", minimum=1, maximum=5), ("whole", "between", "stop", ["1", "5"])),
        (
            limited("integer", exclusiveMinimum=1, exclusiveMaximum=5),
            ("whole", "between", "stop", ["2", "4"]),
        ),
        (limited("integer", minimum=1), ("whole", "between", "warning", ["1", WHOLE_ENDS[1]])),
        (limited("integer"), ("whole", "between", "warning", WHOLE_ENDS)),
        (
            limited("year", minimum=2000, maximum=2030),
            ("whole", "between", "stop", ["2000", "2030"]),
        ),
        (limited("integer", maximum=10**15), NO_RULE),
        (limited("integer", minimum=1, maximum="9" * 38), NO_RULE),
        (limited("number", minimum=0, maximum=1.5), ("decimal", "between", "stop", ["0", "1.5"])),
        (limited("number", minimum=1e20), ("decimal", "greaterThanOrEqual", "warning", ["1E+20"])),
        (limited("number", maximum=0), ("decimal", "lessThanOrEqual", "warning", ["0"])),
        (limited("number", maximum="INF"), NO_RULE),
        (limited("number", maximum=1.7e308), NO_RULE),
        (limited("number", minimum=1e-310), NO_RULE),
        (limited("number", maximum=0.12345678901234567), NO_RULE),
        ({**limited("number", maximum=5), "groupChar": ","}, NO_RULE),
        ({**limited("integer", minimum=1, maximum=5), "missingValues": ["", "n/a"]}, NO_RULE),
        (
            limited("date", minimum="2000-01-01", exclusiveMaximum="2001-01-01"),
            ("date", "between", "stop", ["36526", "36891"]),
        ),
        (
            limited("date", minimum="1900-01-01"),
            ("date", "greaterThanOrEqual", "stop", ["1"]),
        ),
        (limited("date", maximum="2000-01-01"), ("date", "lessThanOrEqual", "warning", ["36526"])),
        (limited("date", minimum="1899-12-31"), NO_RULE),
        (limited("date", minimum="0001-01-01", maximum="2000-01-01"), NO_RULE),
        (limited("date", exclusiveMinimum="9999-12-31"), NO_RULE),
        ({**limited("date", minimum="2000-01-01"), "format": "any"}, NO_RULE),
        ({**limited("date", minimum="01.01.2000"), "format": "%d.%m.%Y"}, NO_RULE),
        (limited("datetime", minimum="2000-01-01T00:00:00"), NO_RULE),
        (limited("string", minLength=3), ("textLength", "greaterThanOrEqual", "stop", ["3"])),
        (limited("any", maxLength=5), ("textLength", "lessThanOrEqual", "warning", ["5"])),
        (
            limited("string", minLength=3, maxLength=5),
            ("textLength", "between", "warning", ["3", "5"]),
        ),
        ({**limited("string", minLength=3), "missingValues": ["", "-"]}, NO_RULE),
        (limited("string", maxLength=40_000), NO_RULE),
        (limited("list", minLength=3), NO_RULE),
        (limited("string", pattern="^a$"), NO_RULE),
        (limited("string", enum=["DE", "FR"]), ("list", "between", "stop", ["DE", "FR"])),
        (
            {**limited("string", enum=["DE", "FR"]), "missingValues": ["", "n/a"]},
            ("list", "between", "stop", ["DE", "FR", "n/a"]),
        ),
        (
            {**limited("string", enum=["DE"], required=True), "missingValues": ["", "n/a"]},
            ("list", "between", "stop", ["DE"]),
        ),
        (
            {**limited("string", enum=["DE"]), "waybill": {"trim": "both"}},
            ("list", "between", "warning", ["DE"]),
        ),
        (
            {"type": "string", "categories": ["a", {"value": "b"}]},
            ("list", "between", "stop", ["a", "b"]),
        ),
        (limited("string", enum=[""]), NO_RULE),
        (
            {**limited("string", enum=["", "a"]), "missingValues": []},
            ("list", "between", "stop", ["a"]),
        ),
        (limited("string", enum=["a", "x" * 32_768]), NO_RULE),
        (
            limited("string", enum=["a", "x" * 32_767]),
            ("list", "between", "stop", ["a", "x" * 32_767]),
        ),
        (limited("integer", enum=[1, 2]), ("list", "between", "stop", ["1.0", "2.0"])),
        (limited("integer", enum=["007"]), NO_RULE),
        (limited("number", enum=[1.5, 2]), ("list", "between", "stop", ["1.5", "2.0"])),
        (limited("date", enum=["2000-01-01"]), ("list", "between", "stop", ["36526.0"])),
        (limited("date", enum=["1850-01-01"]), NO_RULE),
        (limited("datetime", enum=["2000-01-01T00:00:00"]), NO_RULE),
        (limited("duration", enum=["PT60S"]), ("list", "between", "warning", ["PT60S"])),
        ({"type": "boolean"}, ("list", "between", "stop", ["TRUE", "FALSE", "1", "0"])),
        (
            {"type": "boolean", "trueValues": ["yes", "y"], "falseValues": ["no"]},
            ("list", "between", "stop", ["yes", "no", "y"]),
        ),
        ({**limited("string", enum=["a"]), "waybill": {"secret": True}}, NO_RULE),
    ],
)  # fmt: skip
def test_a_column_lets_in_what_the_constraints_say(
    field: dict[str, object], expected: tuple[str, str, str, list[str]]
) -> None:
    assert opened(field).rule == expected


@pytest.mark.parametrize(
    "values",
    [
        [f"value {number}" for number in range(300)],
        ["a,b", "c"],
        ['say "a"', "b"],
        [" a", "b"],
        ["a", "b\u00a0"],
        ["two\nlines", "b"],
        ["<r>,</r>", "b"],
        ["😀" * 64, "😁" * 64],
        ["=x", "+y", "a,b"],
        ["\x07", "b"],
    ],
)
def test_values_that_fit_no_short_list_are_chosen_from_the_hidden_sheet(values: list[str]) -> None:
    template = opened(limited("string", enum=values))
    assert template.items == values
    assert "Lists" in template._constants[0]


@pytest.mark.parametrize(
    ("values", "is_inline"), [(["a" * 255], True), (["a" * 256], False), (["=x", "<&>"], True)]
)
def test_short_lists_stand_in_the_rule_itself(values: list[str], is_inline: bool) -> None:
    template = opened(limited("string", enum=values))
    assert template.items == values
    assert ("Lists" in template._constants[0]) is not is_inline


def test_a_rule_holds_to_the_last_row_and_says_what_is_wanted() -> None:
    template = opened({"title": "Rating " * 10, **limited("integer", minimum=1, maximum=5)})
    found = template.validation
    assert found is not None
    assert found.get("sqref") == "A2:A1048576"
    assert (found.get("showErrorMessage"), found.get("allowBlank")) == ("1", "1")
    assert found.get("error") == "A whole number such as 42; at least 1; at most 5."
    assert found.get("errorTitle") == ("Rating " * 10)[:31] + "…"


def test_a_long_rule_is_cut_before_its_caveat() -> None:
    values = ["😀" * 30 + str(number) for number in range(20)]
    template = opened({**limited("string", enum=values), "waybill": {"trim": "both"}})
    found = template.validation
    assert found is not None
    message = str(found.get("error"))
    assert len(message.encode("utf-16-le")) // 2 <= 255
    assert message.endswith("… Spaces around it do no harm.")


FIELDS: tuple[dict[str, object], ...] = (
    *({"type": kind} for kind in (
        "string", "any", "integer", "number", "boolean", "year", "date", "datetime", "time",
        "yearmonth", "duration", "geopoint", "list", "object", "array",
    )),
    limited("integer", minimum=1),
    limited("integer", minimum=-5, maximum=100),
    limited("integer", exclusiveMinimum=0, exclusiveMaximum=8),
    limited("integer", maximum=10**18),
    limited("integer", enum=[5, 7]),
    {**limited("integer", minimum=1, maximum=5000), "groupChar": ","},
    {**limited("integer", minimum=1, maximum=100), "bareNumber": False},
    {**limited("integer", minimum=1, maximum=5), "missingValues": ["", "n/a", "-1"]},
    limited("number", minimum=0),
    limited("number", maximum=5),
    limited("number", minimum=-1, maximum=1000),
    limited("number", exclusiveMinimum=1, maximum=7),
    limited("number", enum=[1.5, 5]),
    {**limited("number", minimum=0, maximum=9000), "decimalChar": ",", "groupChar": "."},
    {"type": "boolean", "trueValues": ["yes", "1"], "falseValues": ["no", "FALSE"]},
    {"type": "boolean", "missingValues": ["", "n/a"]},
    limited("year", minimum=1900, maximum=2100),
    limited("date", minimum="1900-01-01"),
    limited("date", maximum="2030-01-01"),
    limited("date", minimum="1800-01-01", maximum="2030-01-01"),
    limited("date", enum=["2024-01-31", "2024-02-01"]),
    {**limited("date", minimum="1900-01-01"), "format": "any"},
    {**limited("date", enum=["2024-01-31"]), "format": "any"},
    {**limited("date", enum=["31.01.2024"]), "format": "%d.%m.%Y"},
    {**limited("date", minimum="1900-01-01"), "missingValues": ["n/a"]},
    limited("datetime", minimum="2000-01-01T00:00:00"),
    limited("string", minLength=2, maxLength=3),
    limited("string", minLength=3),
    {**limited("string", minLength=2, maxLength=3), "missingValues": ["", "n"]},
    {**limited("string", maxLength=2), "waybill": {"trim": True}},
    limited("string", enum=["DE", "007", "a,b"]),
    {**limited("string", enum=["DE", "007"]), "missingValues": ["", "n/a"]},
    {**limited("string", enum=["DE", "007"]), "waybill": {"trim": "both", "default": "DE"}},
    {**limited("string", enum=["DE", "007"], required=True), "waybill": {"default": "DE"}},
    limited("duration", enum=["PT60S"]),
    limited("array", enum=["[1]"]),
)  # fmt: skip
ENTRIES = (
    "0", "1", "5", "7", "07", "007", "-1", "-5", "+5", "1.5", "1.50", "15e-1", "1e3", "1000",
    "1,000", "1.000", "1.000,5", "1,5", "95%", "€5", "NaN", "INF", "-INF", "999999999999999",
    "1000000000000000", "12345678901234567", "true", "True", "TRUE", "false", "FALSE", "yes", "no",
    "n/a", "n", "DE", " DE ", "de", "a,b", "ab", " ab ", "abc", "😀", "😀😀", "😀😀😀", "2024",
    "0044", "-0044", "12024", "2024-01-31", "2024/1/31", "20240131", "31.01.2024", "31.1.2024",
    "1850-01-01", "0001-01-01", "9999-12-31", "2024-02-01", "2024-01-31T15:00:00",
    "2024-01-31T15:00:00Z", "15:00:00", "2024-01", "PT60S", "PT1M", "1,2", "90.5, 45.5", "{}",
    "[1]", "[ 1 ]", " 5 ",
)  # fmt: skip


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    opened_sandbox = open_sandbox(
        memory_bytes=200 << 20, threads=1, temp_directory=tmp_path_factory.mktemp("spill")
    )
    yield opened_sandbox
    opened_sandbox.close()


def taken(sandbox: Sandbox, entity: Entity) -> list[str]:
    """The entries that the server takes."""
    checker = Checker(
        entity, Header(names=("f",)), CheckOptions(), limits=Limits(), sandbox=sandbox, pepper="p"
    )
    checked = checker.check(raw_chunk([[entry] for entry in ENTRIES]))
    rejected = {each.record for each in iterate_rejections([checked.rejects])}
    return [entry for record, entry in enumerate(ENTRIES, start=1) if record not in rejected]


@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_nothing_that_the_server_takes_is_refused(
    sandbox: Sandbox, field: dict[str, object]
) -> None:
    entity = entity_of(field)
    template = Spreadsheet(write_xlsx_template(entity))
    good = taken(sandbox, entity)
    assert good
    assert [entry for entry in good if template.refuses(entry)] == []


@pytest.mark.parametrize(
    ("field", "entry"),
    [
        (limited("integer", minimum=1, maximum=5), "6"),
        (limited("integer", minimum=1, maximum=5), "2.5"),
        (limited("integer", minimum=1, maximum=5), "two"),
        (limited("number", minimum=0, maximum=1.5), "1.6"),
        (limited("date", minimum="2000-01-01"), "1999-12-31"),
        (limited("date", minimum="2000-01-01"), "soon"),
        (limited("string", enum=["DE", "FR"]), "de"),
        (limited("string", minLength=3), "ab"),
        ({"type": "boolean"}, "maybe"),
    ],
)
def test_what_breaks_a_rule_is_refused(field: dict[str, object], entry: str) -> None:
    assert opened(field).refuses(entry)
