"""XLSX: which sheet and row, what cells become, and what is refused before it is opened."""

from __future__ import annotations

import datetime as dt
import gzip
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xlsxwriter.utility import xl_rowcol_to_cell

from reading import (
    chunks_of,
    kinds_of,
    lines_of,
    malformed_of,
    open_content,
    refusal,
    rows_of,
)
from waybill.errors import FileRefused
from waybill.formats.contained.sheet_extent import Extent, find_extent
from waybill.formats.opening import open_reader
from waybill.formats.places import SheetPlaces
from waybill.model.limits import Limits
from waybill.model.options import FileFormat
from waybill.ports.reader import Kind, ReadOptions
from waybill.reports.layout import NOTE_OF_LENGTH
from workbooks import archive, cell, package, table, workbook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from waybill.ports.reader import Reader

    Open = Callable[..., Reader]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SMALL = [["id", "name"], [1, "Ann"], [2, "Bob"]]


@pytest.fixture
def open_bytes(tmp_path: Path) -> Open:
    return lambda content, **options: open_content(tmp_path, content, **options)


def test_the_first_row_names_the_columns_and_rows_are_lines(open_bytes: Open) -> None:
    reader = open_bytes(table(SMALL))
    assert reader.header.names == ("id", "name")
    assert reader.header.line == 1
    assert reader.header.facts == {"format": "xlsx", "sheet": "Stores", "compression": "none"}
    assert rows_of(reader) == [("1", "Ann"), ("2", "Bob")]
    assert lines_of(reader) == [2, 3]


def test_numbers_are_written_as_people_write_them(open_bytes: Open) -> None:
    numbers = [1, -5, 0.5, 12345678901234, 0.1 + 0.2, 1e-7, 1e300, 1e15]
    reader = open_bytes(table([["n"], *[[number] for number in numbers]]))
    texts = [text for (text,) in rows_of(reader)]
    assert texts == [
        "1", "-5", "0.5", "12345678901234", "0.3", "1e-7", "1e+300", "1000000000000000",
    ]  # fmt: skip
    assert {kind for (kind,) in kinds_of(reader)} == {None}


def test_a_column_of_texts_and_numbers_reads_like_both(open_bytes: Open) -> None:
    reader = open_bytes(table([["n"], ["007"], [7], ["x"], [2.5], [""], [10]]))
    assert [text for (text,) in rows_of(reader)] == ["007", "7", "x", "2.5", "10"]


def test_dates_and_truth_values_have_kinds(open_bytes: Open) -> None:
    def fill(book: Workbook, sheet: Worksheet) -> None:
        def style(text: str) -> object:
            return book.add_format({"num_format": text})

        sheet.write_row(0, 0, ["day", "moment", "clock", "yes", "long"])
        sheet.write_datetime(1, 0, dt.date(2024, 2, 29), style("d/m/yy"))
        moment = dt.datetime(2024, 2, 29, 13, 5, 6)  # noqa: DTZ001 - a sheet has no zones
        sheet.write_datetime(1, 1, moment, style("yyyy-mm-dd hh:mm:ss"))
        sheet.write_datetime(1, 2, dt.time(13, 5), style("hh:mm"))
        sheet.write_boolean(1, 3, True)
        sheet.write_number(1, 4, 1.5, style("[hh]:mm:ss"))

    reader = open_bytes(workbook(fill))
    assert rows_of(reader) == [
        ("2024-02-29", "2024-02-29T13:05:06", "13:05:00", "TRUE", "P1DT43200S")
    ]
    date, boolean = Kind.CELL_DATE, Kind.CELL_BOOLEAN
    assert kinds_of(reader) == [(date, date, date, boolean, None)]


@pytest.mark.parametrize(("is_1904", "day"), [(False, "2024-01-01"), (True, "2028-01-02")])
def test_s24_days_are_counted_from_the_year_of_the_workbook(
    open_bytes: Open, is_1904: bool, day: str
) -> None:
    def fill(book: Workbook, sheet: Worksheet) -> None:
        sheet.write_string(0, 0, "day")
        sheet.write_number(1, 0, 45292, book.add_format({"num_format": "yyyy-mm-dd"}))

    assert rows_of(open_bytes(workbook(fill, date_1904=is_1904))) == [(day,)]


def test_a_table_may_begin_anywhere_and_have_gaps(open_bytes: Open) -> None:
    def fill(_: Workbook, sheet: Worksheet) -> None:
        sheet.write_row(4, 2, ["id", "name"])
        sheet.write_row(6, 2, [1, "Ann"])
        sheet.write_row(9, 2, [2, "Bob"])

    reader = open_bytes(workbook(fill))
    assert rows_of(reader) == [("1", "Ann"), ("2", "Bob")]
    assert lines_of(reader) == [7, 10]
    assert reader.header.line == 5


def test_a_row_wider_than_the_header_is_malformed_at_its_place(open_bytes: Open) -> None:
    rows = [*SMALL, [3, "Cid", "", "more"], [4, "Dan"]]
    reader = open_bytes(table(rows))
    assert rows_of(reader) == [("1", "Ann"), ("2", "Bob"), ("4", "Dan")]
    [record] = malformed_of(reader)
    assert (record.record, record.line) == (3, 4)
    assert record.cells == ("3", "Cid", None, "more")
    assert record.findings[0].code == "FIELD_COUNT"


def test_sheet_and_header_row_can_be_chosen(open_bytes: Open) -> None:
    def fill(book: Workbook, sheet: Worksheet) -> None:
        sheet.write_string(0, 0, "other")
        second = book.add_worksheet("Bob's")
        second.write_string(0, 0, "A list of stores")
        second.write_row(2, 0, ["id", "name"])
        second.write_row(3, 0, [1, "Ann"])

    content = workbook(fill)
    reader = open_bytes(content, sheet="Bob's", header_row=3)
    assert rows_of(reader) == [("1", "Ann")]
    assert refusal(lambda: open_bytes(content, sheet="x")).code == "SHEET_NOT_FOUND"
    empty = refusal(lambda: open_bytes(content, sheet="Bob's", header_row=2))
    assert empty.code == "HEADER_ROW_EMPTY"


def test_a_hidden_sheet_is_not_the_first(open_bytes: Open) -> None:
    def fill(book: Workbook, sheet: Worksheet) -> None:
        sheet.write_string(0, 0, "hidden")
        book.add_worksheet("Shown").write_string(0, 0, "shown")
        book.worksheets()[1].activate()
        sheet.hide()

    assert open_bytes(workbook(fill)).header.names == ("shown",)


def test_without_a_header_the_columns_are_the_declared_ones(open_bytes: Open) -> None:
    reader = open_bytes(table(SMALL[1:]), has_header=False, column_names=("id", "name", "city"))
    assert rows_of(reader) == [("1", "Ann", None), ("2", "Bob", None)]


def test_an_empty_sheet_has_no_columns(open_bytes: Open) -> None:
    reader = open_bytes(table([]))
    assert reader.header.names == ()
    assert chunks_of(reader) == []


def test_an_error_in_a_cell_is_never_read_as_nothing(open_bytes: Open) -> None:
    rows = (
        f'<row r="1">{cell("A1", "id")}{cell("B1", "n")}</row>'
        f'<row r="2">{cell("A2", "1")}<c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
        f'<row r="3">{cell("A3", "2")}<c r="B3"><f>A1</f></c></row>'
        f'<row r="4">{cell("A4", "3")}<c r="B4"><f>A1</f><v>4</v></c></row>'
    )
    reader = open_bytes(package(rows))
    assert rows_of(reader) == [("3", "4")]
    bad = malformed_of(reader)
    assert [(b.line, b.findings[0].code, b.findings[0].column) for b in bad] == [
        (2, "CELL_ERROR", 2),
        (3, "FORMULA_NOT_CALCULATED", 2),
    ]
    assert bad[0].findings[0].value == "#DIV/0!"


def test_a_formula_whose_result_is_an_empty_text_is_an_empty_cell(open_bytes: Open) -> None:
    rows = (
        f'<row r="1">{cell("A1", "id")}{cell("B1", "n")}</row>'
        f'<row r="2">{cell("A2", "1")}<c r="B2" t="str"><f>IF(A2="","",A2)</f><v></v></c></row>'
    )
    assert rows_of(open_bytes(package(rows))) == [("1", None)]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ('<c\nr="B2"\nt="e"><v>#N/A</v></c>', "CELL_ERROR"),
        ('<c r="B2" t = "e" ><v>#N/A</v></c >', "CELL_ERROR"),
        ('<c r="B2" s="0" ><f>A1</f ><v/></c >', "FORMULA_NOT_CALCULATED"),
    ],
)
def test_an_odd_cell_is_found_however_it_is_spaced(open_bytes: Open, cells: str, code: str) -> None:
    header = f'<row r="1">{cell("A1", "id")}{cell("B1", "n")}</row>'
    reader = open_bytes(package(f'{header}<row r="2">{cell("A2", "1")}{cells}</row>'))
    assert [bad.findings[0].code for bad in malformed_of(reader)] == [code]


def test_rows_of_odd_cells_only_are_records_too(open_bytes: Open) -> None:
    rows = (
        f'<row r="1">{cell("A1", "id")}{cell("B1", "n")}</row>'
        '<row r="3"><c r="B3"><f>A1</f></c></row>'
        f'<row r="4">{cell("A4", "1")}</row>'
        '<row r="6"><c r="A6"><f>A1</f></c></row>'
    )
    reader = open_bytes(package(rows))
    assert rows_of(reader) == [("1", None)]
    bad = malformed_of(open_bytes(package(rows)))
    assert [(b.record, b.line, b.findings[0].column) for b in bad] == [(1, 3, 2), (3, 6, 1)]


def test_cells_are_named_rightly_beside_empty_ones_with_a_format(open_bytes: Open) -> None:
    rows = (
        f'<row r="1"><c r="A1" s="0"/>{cell("C1", "id")}{cell("D1", "n")}</row>'
        f'<row r="2"><c r="A2" s="0"/>{cell("C2", "1")}<c r="D2" t="e"><v>#N/A</v></c></row>'
        '<row r="3"><c r="A3"><f>A1</f></c></row>'
    )
    reader = open_bytes(package(rows))
    bad = malformed_of(reader)
    assert [(b.line, b.findings[0].column, b.cells) for b in bad] == [
        (2, 2, ("1", "#N/A")),
        (3, None, (None, None)),
    ]
    assert reader.header.places == SheetPlaces(sheet="Stores", first_column=2)


def test_an_empty_cell_is_none_whatever_its_column_holds(open_bytes: Open) -> None:
    def fill(book: Workbook, sheet: Worksheet) -> None:
        sheet.write_row(0, 0, ["id", "x"])
        for row, value in enumerate([1.5, True, "", dt.date(2024, 2, 29)], start=1):
            sheet.write(row, 0, row)
            sheet.write(row, 1, value, book.add_format({"num_format": "yyyy-mm-dd"}))

    rows = rows_of(open_bytes(workbook(fill, default_date_format="yyyy-mm-dd")))
    assert [text for _, text in rows] == ["1900-01-01T12:00:00", "TRUE", None, "2024-02-29"]


@pytest.mark.parametrize(
    "text",
    [
        '<row r="2"><c r="A2"><v>1</v></ow>',
        '<row r="2"><c r="A2" t="str"><v><![CDATA[x]]></v></c></row>',
        '<row r="2"><c r="A2" t="str"><v>1<!-- 2 --></v></c></row>',
        '<row r="2"><c r="A2" t="s"><v>-1</v></c></row>',
        '<row r="2"><c r="A2" t="s"><v>x</v></c></row>',
        '<row r="2"><c r="A2" t="s"><f>A1</f><v>x</v></c></row>',
        '</sheetData><sheetData><row r="2"><c r="A2"><v>1</v></c></row>',
    ],
)
def test_what_the_library_would_pass_over_is_refused(open_bytes: Open, text: str) -> None:
    rows = f'<row r="1">{cell("A1", "id")}</row>{text}'
    strings = "<sst><si><t>wrong</t></si></sst>"
    assert refusal(lambda: open_bytes(package(rows, strings=strings))).code == "XLSX_INVALID"


def test_damaged_strings_are_refused(open_bytes: Open) -> None:
    rows = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    damaged = package(rows, strings="<sst><si><t>one</si><si><t>two</t></si></sst>")
    assert refusal(lambda: open_bytes(damaged)).code == "XLSX_INVALID"


def test_records_are_found_again(open_bytes: Open) -> None:
    reader = open_bytes(table([["n"], *[[number] for number in range(20_000)]]))
    marks = [mark for chunk in chunks_of(reader) for mark in chunk.marks]
    wanted = np.array([1, 8_193, 20_000])
    found = list(reader.find_records(wanted, marks))
    assert [(each.record, each.line, each.cells) for each in found] == [
        (1, 2, ("0",)),
        (8_193, 8_194, ("8192",)),
        (20_000, 20_001, ("19999",)),
    ]


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: archive({"stores.xlsx": data})])
def test_a_packed_workbook_is_read(open_bytes: Open, pack: Callable[[bytes], bytes]) -> None:
    assert rows_of(open_bytes(pack(table(SMALL)))) == [("1", "Ann"), ("2", "Bob")]


def test_our_own_report_comes_back_unescaped(open_bytes: Open) -> None:
    reader = open_bytes(table([["name", "_record"], ["'=1+1", 5]]))
    assert reader.header.escaped
    assert rows_of(reader) == [("=1+1", "5")]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"format": FileFormat.CSV}, "format declares"),
        ({"file_name": "stores.csv"}, "its name promises"),
        ({"delimiter": ";"}, "delimiter"),
        ({"encoding": "latin-1"}, "encoding"),
        ({"records_path": "/stores"}, "records_path"),
    ],
)
def test_s13_a_contradiction_is_an_error(
    open_bytes: Open, options: dict[str, object], word: str
) -> None:
    error = refusal(lambda: open_bytes(table(SMALL), **options))
    assert error.code == "UNSUPPORTED_FORMAT"
    assert "an XLSX workbook" in error.message
    assert word in error.message


def test_what_is_declared_beats_the_name(open_bytes: Open) -> None:
    reader = open_bytes(table(SMALL), file_name="stores.csv", format=FileFormat.XLSX)
    assert reader.header.names == ("id", "name")


# hostile workbooks


def row(*addresses: str) -> str:
    number = addresses[0].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f'<row r="{number}">' + "".join(cell(each, "x") for each in addresses) + "</row>"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (row("A1") + row("A200000000"), "XLSX_INVALID"),  # S7
        (row("A1") + row("XFD1048576"), "XLSX_AREA_LIMIT"),  # S64
        (row("A1") + row("ZZ100000"), "XLSX_AREA_LIMIT"),
        ("".join(row(f"A{n}", f"BZZ{n}") for n in range(1, 20_001)), "XLSX_AREA_LIMIT"),  # S8, S65
        (row("A1", "XFE1"), "XLSX_INVALID"),
        (row("A1", "A0"), "XLSX_INVALID"),
        (row("A1") + row("A2") + row("A2"), "XLSX_INVALID"),
        (row("A1") + row("A3") + row("A2"), "XLSX_INVALID"),
        ('<row r="1"><c r="A1"><v>', "XLSX_INVALID"),
    ],
)
def test_the_used_area_is_judged_before_the_library_sees_it(
    open_bytes: Open, rows: str, code: str
) -> None:
    assert refusal(lambda: rows_of(open_bytes(package(rows)))).code == code


def test_s8_a_gap_of_a_million_rows_costs_little(open_bytes: Open) -> None:
    reader = open_bytes(package(row("A1") + row("A2") + row("A1048576")))
    assert lines_of(reader) == [2, 1_048_576]


def test_s6_shared_strings_beyond_the_limit_are_refused(open_bytes: Open) -> None:
    strings = "<sst>" + "<si><t>abcdefgh</t></si>" * 20 + "</sst>"
    limits = Limits(xlsx_shared_string_bytes=100)
    error = refusal(lambda: open_bytes(package(row("A1"), strings=strings), limits=limits))
    assert error.code == "DECOMPRESSION_LIMIT"
    assert "xlsx_shared_string_bytes of 100" in error.message


def test_s9_a_document_type_in_any_part_is_refused(open_bytes: Open) -> None:
    strings = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><sst><si><t>&a;</t></si></sst>'
    error = refusal(lambda: open_bytes(package(row("A1"), strings=strings)))
    assert error.code == "XML_DTD_FORBIDDEN"
    assert "sharedStrings.xml" in error.message


def test_s10_a_reference_out_of_the_file_is_a_warning(open_bytes: Open) -> None:
    rels = (
        b'<Relationships><Relationship TargetMode="External" Target="file:///x"/></Relationships>'
    )
    more = {"xl/worksheets/_rels/sheet1.xml.rels": rels}
    reader = open_bytes(package(row("A1"), more=more))
    assert [warning.code for warning in reader.warnings] == ["EXTERNAL_REFERENCE"]


def test_s13_macros_are_refused(open_bytes: Open) -> None:
    content = package(row("A1"), more={"xl/vbaProject.bin": b"x"})
    assert refusal(lambda: open_bytes(content)).code == "MACROS_NOT_ACCEPTED"


def test_s13_other_office_documents_are_named(open_bytes: Open) -> None:
    content = archive({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<x/>"})
    error = refusal(lambda: open_bytes(content))
    assert (error.code, "Word document" in error.message) == ("UNSUPPORTED_FORMAT", True)


def test_s13_an_encrypted_workbook_says_so(open_bytes: Open) -> None:
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    content = head + "EncryptedPackage".encode("utf-16-le")
    assert refusal(lambda: open_bytes(content)).code == "ENCRYPTED_FILE"


HIDDEN = ("A1", "A900000", "XFD1048576", "B1")


@pytest.mark.parametrize("start", ['<c r="', '<c s="0" r="', '<c\tr="', "<q:c r = '"])
def test_a_cell_of_another_row_hides_nowhere(open_bytes: Open, start: str) -> None:
    end = "'" if start.endswith("'") else '"'
    hidden = "".join(
        f"{start}{address}{end}><v>1</v></{start[1:].split(maxsplit=1)[0]}>" for address in HIDDEN
    )
    error = refusal(lambda: rows_of(open_bytes(package(f'<row r="1">{hidden}</row>'))))
    assert error.code == "XLSX_INVALID"
    assert "row" in error.message


@pytest.mark.parametrize("column", ["XFE", "AAAA", "a", ""])
def test_an_address_beyond_a_sheet_is_shown(open_bytes: Open, column: str) -> None:
    error = refusal(lambda: open_bytes(package(row("A1", f"{column}1"))))
    assert (error.code, f"'{column}1'" in error.message) == ("XLSX_INVALID", True)


def test_a_text_that_reads_like_the_end_of_a_row_ends_none(open_bytes: Open) -> None:
    text = "".join(f"{number * 7919 % 99_991}row>" for number in range(20_000))
    rows = [f'<row r="{n}">{cell(f"A{n}", text)}{cell(f"B{n}", "b")}</row>' for n in range(2, 20)]
    assert rows_of(open_bytes(package(row("A1", "B1") + "".join(rows)))) == [(text, "b")] * 18


def _numbered(*values: str, start: str = "<c") -> str:
    """Rows of one cell, without any address."""
    return "".join(f"<row>{start}><v>{value}</v></{start[1:]}></row>" for value in values)


def test_rows_and_cells_without_a_place_follow_one_another(open_bytes: Open) -> None:
    rows = row("A3", "B3") + '<row r="7"><c><v>1</v></c><c r="B7"><v>2</v></c></row>'
    reader = open_bytes(package(rows + _numbered("3", "4")))
    assert rows_of(reader) == [("1", "2"), ("3", None), ("4", None)]
    assert lines_of(reader) == [7, 8, 9]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ('<row r="2"><c><v>1</v></c></row><row r="2"><c><v>2</v></c></row>', "rows are not in"),
        ('<row r="5"><c><v>1</v></c></row><row r="2"><c><v>2</v></c></row>', "rows are not in"),
        ('<row r="2"><c r="A2"/></row><row r="2"><c\tr="A2"><v>1</v></c></row>', "rows are not in"),
        ('<q:row r="2"><q:c r="A2"/></q:row><q:row r="2"/>', "rows are not in"),
        ('<row r="2"><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row>', "comes twice"),
        ('<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>2</v></c></row>', "comes twice"),
        ('<row r="2"><c s="0" r="A2"/><c r="B3"><v>9</v></c><c r="C2"/></row>', "has a cell 'B3'"),
        ('<row r="2"><c r="A2"/><c r="B3"><v>9</v></c></row>', "not of its row"),
        ('<row r="0"><c r="A1"/></row>', "row '0'"),
        ('<row r="x"/>', "row 'x'"),
        ('<row s="1" r="x"/>', "row 'x'"),
    ],
)
def test_what_the_library_would_lose_is_refused(open_bytes: Open, rows: str, reason: str) -> None:
    error = refusal(lambda: rows_of(open_bytes(package(row("A1", "B1") + rows))))
    assert (error.code, reason in error.message) == ("XLSX_INVALID", True), error.message


@pytest.mark.parametrize(
    ("odd", "code"),
    [
        ('<c r="B2" foo=">" t="e"><v>#N/A</v></c>', "CELL_ERROR"),
        ("<c r='B2' t='e'><v>#N/A</v></c>", "CELL_ERROR"),
        ('<x-y:c r="B2" t="e"><x-y:v>#REF!</x-y:v></x-y:c>', "CELL_ERROR"),
        ('<x-y:c r="B2"><x-y:f>A1</x-y:f></x-y:c>', "FORMULA_NOT_CALCULATED"),
        ('<c r="B2"><f>A1</f><v xml:space="preserve"></v></c>', "FORMULA_NOT_CALCULATED"),
        ('<c r="B2"><v/><f>A1</f></c>', "FORMULA_NOT_CALCULATED"),
        ('<c r="B2"><f>A1</f><v> </v></c>', "FORMULA_NOT_CALCULATED"),
        ('<c r="B2"><f t="shared" si="0"/></c>', "FORMULA_NOT_CALCULATED"),
    ],
)
def test_an_odd_cell_is_found_however_it_is_written(open_bytes: Open, odd: str, code: str) -> None:
    rows = row("A1", "B1") + f'<row r="2"><c r="A2"><v>1</v></c>{odd}</row>'
    [record] = malformed_of(open_bytes(package(rows)))
    assert (record.line, record.findings[0].code, record.findings[0].column) == (2, code, 2)


@pytest.mark.parametrize(
    "value",
    ['<v xml:space="preserve">x</v>', "<v >x</v>", "<v>18446744073709551617</v>", "<v></v>"],
)
def test_a_string_without_a_number_is_refused(open_bytes: Open, value: str) -> None:
    rows = row("A1") + f'<row r="2"><c r="A2" t="s">{value}</c></row>'
    strings = "<sst><si><t>zero</t></si></sst>"
    error = refusal(lambda: rows_of(open_bytes(package(rows, strings=strings))))
    assert (error.code, "no number" in error.message) == ("XLSX_INVALID", True)


def test_a_text_that_reads_like_markup_costs_no_time(open_bytes: Open) -> None:
    """What is said of cells must not be looked for from every place of a text."""
    text = "".join(f't="s"{number * 7919 % 99_991}' for number in range(60_000))
    rows = row("A1") + f'<row r="2">{cell("A2", text)}</row>'
    assert rows_of(open_bytes(package(rows), limits=Limits(parser_seconds=10))) == [(text,)]


def test_a_column_whose_name_is_an_error_is_refused(open_bytes: Open) -> None:
    rows = f'<row r="1">{cell("A1", "a")}<c r="B1" t="e"><v>#REF!</v></c></row>' + row("A2")
    error = refusal(lambda: open_bytes(package(rows)))
    assert (error.code, "#REF!" in error.message) == ("XLSX_INVALID", True)


def test_a_duration_beyond_all_measure_is_refused_and_a_number_is_not_infinite(
    open_bytes: Open,
) -> None:
    def fill(book: Workbook, sheet: Worksheet) -> None:
        sheet.write_row(0, 0, ["a"])
        sheet.write_number(1, 0, 79_123_456_789, book.add_format({"num_format": "[h]:mm:ss"}))

    error = refusal(lambda: rows_of(open_bytes(workbook(fill))))
    assert (error.code, "too large" in error.message) == ("XLSX_INVALID", True)
    rows = (
        row("A1", "B1") + '<row r="2"><c r="A2"><v>1e999</v></c><c r="B2"><v>-1e999</v></c></row>'
    )
    assert rows_of(open_bytes(package(rows))) == [("1e999", "-1e999")]


def test_long_cells_go_in_smaller_batches(open_bytes: Open) -> None:
    """One text of 32,000 characters in 2,000 rows is 64 MB of cells in a small file."""
    strings = f"<sst><si><t>{'x' * 32_000}</t></si></sst>"
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(2, 2_001))
    chunks = chunks_of(open_bytes(package(row("A1") + cells, strings=strings)))
    assert sum(chunk.records for chunk in chunks) == 1_999
    assert max(chunk.table.nbytes for chunk in chunks) < 20 << 20
    assert [chunk.first_record for chunk in chunks[:2]] == [1, 1 + chunks[0].records]


def test_a_row_larger_than_a_batch_is_rejected_alone(open_bytes: Open) -> None:
    strings = f"<sst><si><t>{'x' * 32_000}</t></si></sst>"
    names = [f"{first}{second}" for first in "ABCDEFGHIJKLMNOPQRSTUVWX" for second in LETTERS]
    wide = "".join(f'<c r="{name}2" t="s"><v>0</v></c>' for name in names)
    header = "".join(cell(f"{name}1", name) for name in names)
    rows = f'<row r="1">{header}</row><row r="2">{wide}</row>' + row("AA3")
    reader = open_bytes(package(rows, strings=strings))
    assert lines_of(reader) == [3]
    [record] = malformed_of(open_bytes(package(rows, strings=strings)))
    assert (record.line, record.findings[0].code) == (2, "RECORD_TOO_LONG")


def test_a_scratch_folder_may_be_named_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.gz").write_bytes(gzip.compress(table(SMALL)))
    reader = open_reader("a.gz", ReadOptions(), Limits(), scratch=".")
    assert rows_of(reader) == [("1", "Ann"), ("2", "Bob")]


def test_a_note_that_stands_for_a_long_value_is_not_taken_for_it(open_bytes: Open) -> None:
    note = NOTE_OF_LENGTH.format(size=40_000)
    content = table([["name", "_record"], [note, 5], ["Ann", 6]])
    assert rows_of(open_bytes(content)) == [("Ann", "6")]
    [record] = malformed_of(open_bytes(content))
    assert (record.findings[0].code, record.findings[0].column) == ("NOT_MENDED", 1)
    assert len(rows_of(open_bytes(table([["name"], [note]])))) == 1


ROWS_OF_CELLS = st.lists(
    st.tuples(st.integers(-1, 3), st.lists(st.integers(0, 30), max_size=5, unique=True)),
    min_size=1,
    max_size=6,
)


def _sheet(rows: list[tuple[int, list[int]]], start: str) -> bytes:
    """Rows each so far below the one before; ``start``: how a cell begins, up to its address."""
    number, parts = 0, ["<worksheet><sheetData>"]
    for step, columns in rows:
        number += step
        cells = "".join(
            f'{start}r="{xl_rowcol_to_cell(max(number, 1) - 1, column)}"/>' for column in columns
        )
        parts.append(f'<row r="{number}">{cells}</row>')
    return "".join((*parts, "</sheetData></worksheet>")).encode()


def _extent_or_reason(sheet: bytes) -> Extent | str:
    try:
        return replace(find_extent([sheet], Limits()), is_regular=True)
    except FileRefused as refused:
        return refused.code


@given(ROWS_OF_CELLS, st.booleans())
def test_every_way_to_write_a_sheet_has_the_same_extent(
    rows: list[tuple[int, list[int]]], is_sorted: bool
) -> None:
    if is_sorted:
        rows = [(abs(step) + 1, sorted(columns)) for step, columns in rows]
    found = [_extent_or_reason(_sheet(rows, start)) for start in ("<c ", '<c s="1" ', "<c\n")]
    assert found[0] == found[1] == found[2]
    assert not is_sorted or isinstance(found[0], Extent)
