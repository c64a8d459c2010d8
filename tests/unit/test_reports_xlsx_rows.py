"""Rows as XLSX, read back as the XML it is."""

from __future__ import annotations

import re
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from python_calamine import CalamineWorkbook
from xlsxwriter.worksheet import Worksheet

from waybill.errors import ValueNotRepresentable
from waybill.reports.xlsx_rows import write_xlsx_rows
from waybill.reports.xlsx_text import CELL_UNITS, SHEET_ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from waybill.reports.rows import Cell

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def workbook(folder: Path, names: Sequence[str], *rows: Sequence[Cell], **options: int) -> bytes:
    return b"".join(write_xlsx_rows(names, rows, folder, title="Rows", **options))


def cells(content: bytes, number: int = 1) -> list[list[tuple[str, str]]]:
    """Kind and text of every cell: ``n`` a number, ``b`` a boolean, ``inlineStr`` a text."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        root = ET.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))  # noqa: S314 - our own
    return [
        [(cell.get("t", "n"), "".join(cell.itertext())) for cell in row]
        for row in root.iter(f"{MAIN}row")
    ]


def one(folder: Path, value: Cell) -> tuple[str, str]:
    return cells(workbook(folder, ("a",), (value,)))[1][0]


def test_the_limits_are_those_of_the_format() -> None:
    sheet = Worksheet()
    assert (SHEET_ROWS, CELL_UNITS) == (1_048_576, 32_767)
    assert (sheet.xls_rowmax, sheet.xls_strmax) == (SHEET_ROWS, CELL_UNITS)


def test_values_are_read_back_in_their_types(tmp_path: Path) -> None:
    moment = datetime(2024, 1, 31, 15, 4, 5)  # noqa: DTZ001 - a cell has no zone
    row = (7, "x", -5.5, True, date(1900, 3, 1), moment, 0, False, "")
    content = workbook(tmp_path, tuple("abcdefghi"), row)
    found = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()
    assert found[1] == list(row)


@pytest.mark.parametrize("text", ["=1+1", "@x", "+1 2", "\tx", "\uff1d1"])
def test_s27_a_formula_is_text_with_its_escape(tmp_path: Path, text: str) -> None:
    assert one(tmp_path, text) == ("inlineStr", "'" + text)


@pytest.mark.parametrize("text", ["https://example.org", "mailto:a@example.org", "<r>x</r>", " x "])
def test_s27_a_text_is_never_a_link_or_markup(tmp_path: Path, text: str) -> None:
    content = workbook(tmp_path, ("a",), (text,))
    assert cells(content)[1] == [("inlineStr", text)]
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert not re.search(rb"<f>|<hyperlink", archive.read("xl/worksheets/sheet1.xml"))
        assert not [name for name in archive.namelist() if "sheets/_rels" in name]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        (0.1, "0.1"),
        (1e300, "1E+300"),
        (Decimal("12.50"), "12.5"),
        (Decimal(2**53), "9007199254740992"),
    ],
)
def test_a_number_that_a_cell_gives_back_exactly_is_one(
    tmp_path: Path, value: Cell, text: str
) -> None:
    assert one(tmp_path, value) == ("n", text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2**53 + 1, "9007199254740993"),
        (-(2**53) - 1, "-9007199254740993"),
        (0.1 + 0.2, "0.30000000000000004"),
        (float("nan"), "nan"),
        (float("-inf"), "'-inf"),
        (Decimal("0.12345678901234567890"), "0.12345678901234567890"),
        (Decimal("9" * 38), "9" * 38),
        (Decimal(10**21), "1000000000000000000000"),
        (date(1900, 2, 28), "1900-02-28"),
        (datetime(1899, 1, 1, 1, 0), "1899-01-01T01:00:00"),  # noqa: DTZ001 - a cell has no zone
        (datetime(2024, 1, 1, 0, 0, 0, 1), "2024-01-01T00:00:00.000001"),  # noqa: DTZ001 - see above
        (datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01T00:00:00+00:00"),
    ],
)
def test_a_value_that_a_cell_would_round_or_shift_is_text(
    tmp_path: Path, value: Cell, text: str
) -> None:
    assert one(tmp_path, value) == ("inlineStr", text)


def test_the_longest_text_that_fits_is_whole(tmp_path: Path) -> None:
    assert one(tmp_path, "x" * CELL_UNITS) == ("inlineStr", "x" * CELL_UNITS)
    faces = "😀" * (CELL_UNITS // 2)
    assert one(tmp_path, faces) == ("inlineStr", faces)


@pytest.mark.parametrize(
    "text", ["x" * (CELL_UNITS + 1), "😀" * 16_384, "=" * CELL_UNITS], ids=["x", "😀", "escaped"]
)
def test_s27_a_longer_text_fails_the_file_and_says_where(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueNotRepresentable) as caught:
        workbook(tmp_path, ("_record", "note"), (1, "fine"), (17, text))
    assert (caught.value.code, caught.value.record) == ("VALUE_NOT_REPRESENTABLE", 17)
    assert caught.value.message == (
        f"column 'note' of record 17: {len(text)} characters are more than a cell of XLSX holds "
        "(32767); take CSV or NDJSON, which hold every value"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x1f", "\ufffe", "\uffff"])
def test_s27_a_character_that_xml_cannot_hold_fails_the_file(
    tmp_path: Path, character: str
) -> None:
    with pytest.raises(ValueNotRepresentable, match=r"column 'b' of record 2: XLSX has no place"):
        workbook(tmp_path, ("a", "b"), ("x", "y"), ("x", f"a{character}b"))


@pytest.mark.parametrize("text", ["a\tb", "a\nb", "\x7f\x85", "x_x0041_y", "\ud7ff\ue000"])
def test_every_other_character_is_kept(tmp_path: Path, text: str) -> None:
    found = one(tmp_path, text)[1]
    assert re.sub("_x005F_", "_", found) == text


def test_a_carriage_return_is_spelled_out_for_xml_would_make_it_a_line_feed(tmp_path: Path) -> None:
    assert one(tmp_path, "a\r\nb")[1] == "a_x000D_\nb"


def test_two_escapes_that_share_an_underscore_are_refused_not_altered(tmp_path: Path) -> None:
    with pytest.raises(ValueNotRepresentable):
        one(tmp_path, "_x0041_x0042_")


def test_a_column_name_that_no_cell_holds_fails_the_file(tmp_path: Path) -> None:
    with pytest.raises(ValueNotRepresentable, match=r"column 'a\\x00': XLSX") as caught:
        workbook(tmp_path, ("a\x00",))
    assert caught.value.record is None


def test_a_full_sheet_is_followed_by_another_with_the_header(tmp_path: Path) -> None:
    rows = [(number,) for number in range(1, 6)]
    content = workbook(tmp_path, ("_record",), *rows, sheet_rows=3)
    texts = [[text for ((_, text),) in cells(content, number)] for number in (1, 2, 3)]
    assert texts == [["_record", "1", "2"], ["_record", "3", "4"], ["_record", "5"]]


def test_rows_that_just_fill_a_sheet_need_no_other(tmp_path: Path) -> None:
    content = workbook(tmp_path, ("_record",), (1,), (2,), sheet_rows=3)
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert "xl/worksheets/sheet2.xml" not in archive.namelist()


@pytest.mark.long
def test_s27_no_row_is_lost_at_the_real_limit(tmp_path: Path) -> None:
    rows = ((number,) for number in range(1, SHEET_ROWS + 1))
    content = b"".join(write_xlsx_rows(("_record",), rows, tmp_path, title="Rows"))
    book = CalamineWorkbook.from_filelike(BytesIO(content))
    first, second = (book.get_sheet_by_index(at).to_python() for at in (0, 1))
    assert (len(first), first[-1]) == (SHEET_ROWS, [SHEET_ROWS - 1])
    assert second == [["_record"], [SHEET_ROWS]]


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (workbook(tmp_path, ("a",), ("x",)) for _ in range(2))
    assert first == second
