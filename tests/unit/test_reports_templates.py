"""Templates: their columns in CSV and XLSX, the notes, and that both come back as they are."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from waybill.errors import RequestInvalid
from waybill.formats.header import read_columns
from waybill.model.entity import Entity, Field, FieldType
from waybill.model.limits import Limits
from waybill.model.options import Operation, UnknownColumns
from waybill.ports.reader import ReadOptions
from waybill.reports.templates.csv_template import write_csv_template
from waybill.reports.templates.xlsx_template import write_xlsx_template
from waybill.validation.columns import match_columns
from waybill.validation.descriptor import parse_descriptor
from waybill.validation.formula import escape

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
ODD_NAMES = (
    "=x", "+y", "-5", "@z", "a,b;c\td|e", 'q"q', "Straße", "名前", "007", "'quoted", " spaced ",
    "<r>&</r>", "a_x0041_b", "http://example.com", "{=1}", "x" * 256, "😀" * 256,
)  # fmt: skip


def entity_of(*fields: dict[str, object], name: str = "things", **schema: object) -> Entity:
    return parse_descriptor({"fields": list(fields), **schema}, name=name)


def named(*names: str) -> Entity:
    fields = tuple(Field(name=name, type=FieldType.STRING) for name in names)
    return Entity(name="things", fields=fields, key=names)


def part(content: bytes, name: str) -> ET.Element:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return ET.fromstring(archive.read(f"xl/{name}.xml"))  # noqa: S314 - our own file


def header(content: bytes) -> list[str]:
    """The first row of the first sheet, as a library reads it that knows nothing of us."""
    first = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0)
    return [str(cell) for cell in first.to_python()[0]]


def notes(entity: Entity) -> dict[str, list[str]]:
    """The lines of the note of each column."""
    content = write_xlsx_template(entity)
    found = part(content, "comments1").iter(f"{MAIN}comment")
    texts = ["".join(comment.itertext()).splitlines() for comment in found]
    return dict(zip(header(content), texts, strict=True))


def bound(entity: Entity, names: tuple[str, ...]) -> list[int]:
    """The columns of the entity's fields under a header, in the entity's order."""
    columns = match_columns(
        entity, names, operation=Operation.UPSERT, unknown=UnknownColumns.REJECT
    )
    return [each.index for each in columns.bound]


def csv_columns(entity: Entity) -> tuple[str, ...]:
    text = write_csv_template(entity)
    columns = read_columns(text, ReadOptions(), Limits(), whole=True)
    assert columns.delimiter == ","
    return columns.names


def test_a_csv_template_is_one_line_with_every_field_and_the_action() -> None:
    action = {"action": {"column": "op", "actions": {"D": "delete"}}}
    entity = entity_of({"name": "id"}, {"name": "a;b"}, waybill=action)
    assert write_csv_template(entity) == b'id,"a;b",op\n'


def test_an_action_column_that_is_a_field_too_stands_once() -> None:
    action = {"action": {"column": "op", "actions": {"D": "delete"}}}
    assert write_csv_template(entity_of({"name": "op"}, waybill=action)) == b"op\n"


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_come_back_from_both_templates_as_the_fields_that_they_are(name: str) -> None:
    entity = named("plain", name)
    assert bound(entity, csv_columns(entity)) == [0, 1]
    assert header(write_xlsx_template(entity)) == ["plain", name]


NAMES = st.lists(
    st.text(
        st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
        min_size=1,
        max_size=20,
    ).filter(lambda name: name.strip() and not name.startswith(("_", "\ufeff"))),
    min_size=1,
    max_size=5,
    unique_by=(str, lambda name: name.lstrip("'")),  # =x and '=x are one to a CSV header
)


@settings(max_examples=60)
@given(NAMES)
def test_any_names_come_back_from_both_templates(names: list[str]) -> None:
    entity = named(*names)
    assert bound(entity, csv_columns(entity)) == list(range(len(names)))
    assert header(write_xlsx_template(entity)) == names


def test_no_name_of_a_csv_template_is_run_by_a_spreadsheet() -> None:
    assert csv_columns(named("=cmd|' /C calc'!A0")) == (escape("=cmd|' /C calc'!A0"),)


def test_a_workbook_has_no_formula_and_no_link() -> None:
    names = [name for name in ODD_NAMES if name.isprintable()]
    odd = [{"name": name, "description": name, "title": name} for name in names]
    with zipfile.ZipFile(BytesIO(write_xlsx_template(entity_of(*odd)))) as archive:
        text = archive.read("xl/worksheets/sheet1.xml").decode()
        assert not any("hyperlink" in name or "external" in name for name in archive.namelist())
    assert not re.search(r"<f>|<hyperlink", text)


def test_the_header_is_frozen_bold_and_marks_what_is_needed() -> None:
    needed = {"name": "id", "constraints": {"required": True}}
    defaulted = {"name": "c", "constraints": {"required": True}, "waybill": {"default": "x"}}
    entity = entity_of(needed, {"name": "key"}, {"name": "b"}, defaulted, primaryKey="key")
    content = write_xlsx_template(entity)
    sheet, styles = part(content, "worksheets/sheet1"), part(content, "styles")
    pane = sheet.find(f".//{MAIN}pane")
    assert pane is not None
    assert (pane.get("ySplit"), pane.get("state")) == ("1", "frozen")
    formats = [int(cell.get("s", "0")) for cell in sheet.iter(f"{MAIN}c")]
    assert formats[0] == formats[1] != formats[2] == formats[3]
    cell_formats = list(styles.find(f"{MAIN}cellXfs") or ())
    fonts = list(styles.find(f"{MAIN}fonts") or ())
    for each in formats:
        font = fonts[int(cell_formats[each].get("fontId", "0"))]
        assert font.find(f"{MAIN}b") is not None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("airports", "airports"),
        ("a" * 40, "a" * 31),
        ("History", "History_"),
        ("lists", "lists_"),
    ],
)
def test_the_sheet_is_named_after_the_entity_as_far_as_excel_can(name: str, expected: str) -> None:
    values = [f"value, {number}" for number in range(3)]
    entity = entity_of({"name": "a", "constraints": {"enum": values}}, name=name)
    workbook = CalamineWorkbook.from_filelike(BytesIO(write_xlsx_template(entity)))
    assert workbook.sheet_names == [expected, "Lists"]
    assert "Hidden" in str(workbook.sheets_metadata[1].visible)


def test_a_workbook_is_the_same_bytes_each_time() -> None:
    entity = named(*ODD_NAMES)
    assert write_xlsx_template(entity) == write_xlsx_template(entity)


def test_an_entity_of_two_hundred_fields_has_a_column_a_note_and_a_rule_for_each() -> None:
    fields = [{"name": f"f{n}", "type": "integer", "description": "x" * 300} for n in range(200)]
    content = write_xlsx_template(entity_of(*fields))
    assert header(content) == [f"f{n}" for n in range(200)]
    assert len(list(part(content, "comments1").iter(f"{MAIN}comment"))) == 200
    assert len(list(part(content, "worksheets/sheet1").iter(f"{MAIN}dataValidation"))) == 200


def test_a_note_says_all_that_is_to_be_known() -> None:
    field = {
        "name": "store",
        "type": "integer",
        "title": "Store number",
        "description": "As printed\non the door.",
        "example": 12,
        "constraints": {"required": True, "unique": True, "minimum": 1, "exclusiveMaximum": 1000},
        "missingValues": ["", "n/a", "-"],
    }
    entity = entity_of(
        field,
        {"name": "day", "type": "date", "format": "%d.%m.%Y", "waybill": {"default": "01.01.2024"}},
        {"name": "code", "constraints": {"pattern": "^S[0-9]+$", "minLength": 2, "maxLength": 9}},
        primaryKey=["store", "day"],
        uniqueKeys=[["day", "code"]],
        foreignKeys=[
            {"fields": "store", "reference": {"resource": "stores", "fields": "number"}},
            {"fields": "code", "reference": {"resource": "", "fields": "code"}},
        ],
    )
    assert notes(entity) == {
        "store": [
            "Store number",
            "As printed",
            "on the door.",
            "Integer: A whole number such as 42; at least 1; less than 1000.",
            "Key, together with day.",
            "Required.",
            "Unique.",
            "Missing: an empty cell, or n/a, -.",
            "Example: 12",
            "Must exist: number of stores.",
        ],
        "day": [
            "Date: A date of the form %d.%m.%Y.",
            "Key, together with store.",
            "Unique together: day, code.",
            "An empty cell means: 01.01.2024",
        ],
        "code": [
            "Any: Text; length at least 2; length at most 9; of the pattern ^S[0-9]+$.",
            "Unique together: day, code.",
            "Must exist: code of things.",
        ],
    }


def test_a_note_says_what_the_action_column_takes() -> None:
    action = {"action": {"column": "op", "actions": {"D": "delete", "U": "upsert"}}}
    note = notes(entity_of({"name": "id"}, waybill=action))["op"]
    assert note[0] == "What to do with the record: d (delete), u (upsert). Empty: as the job says."


def test_a_workbook_holds_no_value_of_a_secret() -> None:
    secret = {
        "name": "pin",
        "type": "string",
        "example": "hush1",
        "constraints": {"enum": ["hush1", "hush2"], "required": True},
        "waybill": {"secret": True, "default": "hush2"},
    }
    content = write_xlsx_template(entity_of(secret))
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert not any(b"hush" in archive.read(name) for name in archive.namelist())
    assert notes(entity_of(secret))["pin"] == [
        "String: Text; one of 2 values.",
        "Secret: kept as a hash, shown nowhere.",
    ]


def test_long_and_unprintable_words_are_cut_and_cleaned() -> None:
    values = [f"value {number}" for number in range(300)]
    entity = entity_of(
        {
            "name": "a",
            "title": "bell\x07 and \ufffe",
            "description": "😀" * 40_000,
            "constraints": {"enum": values},
        },
    )
    title, description, rule = notes(entity)["a"]
    assert title == "bell  and  "
    assert description == "😀" * 499 + "…"
    assert rule.endswith("value 19 and 280 more.")


def test_many_keys_and_references_do_not_overfill_a_note() -> None:
    fields = [{"name": f"{n:03}{'x' * 250}"} for n in range(300)]
    keys = [[fields[0]["name"], field["name"]] for field in fields[1:]]
    lines = notes(entity_of(*fields, uniqueKeys=keys))[str(fields[0]["name"])]
    assert lines[-1].endswith("…")


def test_an_entity_wider_than_a_sheet_gets_no_workbook() -> None:
    fields = tuple(Field(name=f"f{n}", type=FieldType.STRING) for n in range(16_385))
    with pytest.raises(RequestInvalid, match=r"16,385 columns, a sheet of XLSX 16,384") as caught:
        write_xlsx_template(Entity(name="things", fields=fields))
    assert caught.value.code == "TEMPLATE_TOO_WIDE"
