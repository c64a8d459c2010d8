"""The XLSX report, read back as the XML it is."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from waybill.errors import StorageFull
from waybill.model.finding import Finding, Level, Rejection
from waybill.reports.xlsx_report import write_xlsx
from waybill.reports.xlsx_text import CELL_UNITS

if TYPE_CHECKING:
    from pathlib import Path

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def rejected(*cells: str | None, record: int = 1) -> Rejection:
    found = Finding(code="ENUM", level=Level.ERROR, message="'x' is not allowed", field="a")
    return Rejection(record=record, line=record + 1, byte=0, cells=cells, findings=(found,))


def report(folder: Path, columns: tuple[str, ...], *rejections: Rejection) -> bytes:
    return b"".join(write_xlsx(columns, rejections, folder))


def sheet(content: bytes, number: int = 1) -> str:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return archive.read(f"xl/worksheets/sheet{number}.xml").decode()


def rows(content: bytes, number: int = 1) -> list[list[str]]:
    root = ET.fromstring(sheet(content, number))  # noqa: S314 - our own file
    return [["".join(cell.itertext()) for cell in row] for row in root.iter(f"{MAIN}row")]


def test_a_row_has_the_original_cells_and_what_is_wrong(tmp_path: Path) -> None:
    content = report(tmp_path, ("a", "b"), rejected("x", "y", record=7))
    assert rows(content) == [
        ["a", "b", "_record", "_line", "_code", "_field", "_value", "_message"],
        ["x", "y", "7", "8", "ENUM", "a", "'x' is not allowed"],
    ]


def test_formulas_and_links_are_plain_text(tmp_path: Path) -> None:
    links = ("=1+1", "https://example.org", "mailto:a@example.org", "{=1}")
    content = report(tmp_path, ("a", "b", "c", "d"), rejected(*links))
    assert rows(content)[1][:4] == ["'=1+1", *links[1:]]
    assert not re.search(r"<f>|<hyperlink", sheet(content))


def test_text_that_looks_like_markup_of_the_sheet_is_still_text(tmp_path: Path) -> None:
    text = "<r><t>bold</t></r>"
    content = report(tmp_path, ("a", "<r>&</r>"), rejected(text, "<r>&</r>"))
    assert [row[:2] for row in rows(content)] == [["a", "<r>&</r>"], [text, "<r>&</r>"]]


def test_control_characters_are_spelled_out(tmp_path: Path) -> None:
    content = report(tmp_path, ("a",), rejected("a\x00b\x1b\ufffe"))
    assert rows(content)[1][0] == "a_x0000_b_x001B__xFFFE_"


def test_the_longest_text_that_fits_is_whole(tmp_path: Path) -> None:
    content = report(tmp_path, ("a",), rejected("x" * CELL_UNITS))
    assert rows(content)[1][0] == "x" * CELL_UNITS


@pytest.mark.parametrize("text", ["x" * (CELL_UNITS + 1), "😀" * 16_384])
def test_a_longer_text_is_replaced_by_a_note_and_never_cut(tmp_path: Path, text: str) -> None:
    content = report(tmp_path, ("a",), rejected(text))
    assert rows(content)[1][0].startswith(f"[{len(text)} characters are more than a cell")


def test_a_full_sheet_is_followed_by_another_with_the_header(tmp_path: Path) -> None:
    many = (rejected("x", record=n) for n in range(1, 6))
    content = b"".join(write_xlsx(("a",), many, tmp_path, sheet_rows=3))
    records = [[row[1] for row in rows(content, number)] for number in (1, 2, 3)]
    assert records == [["_record", "1", "2"], ["_record", "3", "4"], ["_record", "5"]]


def test_the_same_rejections_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = (report(tmp_path, ("a",), rejected("x")) for _ in range(2))
    assert one == two


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    stream = write_xlsx(("a",), [rejected("x")], tmp_path)
    next(stream)
    stream.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_a_storage_fault(tmp_path: Path) -> None:
    with pytest.raises(StorageFull):
        report(tmp_path / "missing", ("a",), rejected("x"))
