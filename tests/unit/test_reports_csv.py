"""The CSV report: shape, quoting, the escape, and the way back through the reader."""

from __future__ import annotations

import csv
import io
import tracemalloc
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from waybill.formats.opening import open_reader
from waybill.model.finding import Finding, Level, Rejection
from waybill.model.limits import Limits
from waybill.ports.reader import ReadOptions
from waybill.reports.csv_report import write_csv
from waybill.reports.layout import REPORT_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def finding(**changes: object) -> Finding:
    base = {"code": "PATTERN", "level": Level.ERROR, "message": "'x' does not match", "field": "a"}
    return Finding(**{**base, "value": "x", **changes})


def rejection(*cells: str | None, record: int = 1, findings: object = None) -> Rejection:
    return Rejection(
        record=record,
        line=record + 1,
        byte=10,
        cells=cells,
        findings=(finding(),) if findings is None else findings,
    )


def report(columns: tuple[str, ...], *rejections: Rejection) -> str:
    return b"".join(write_csv(columns, rejections)).decode()


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_original_columns_come_first_in_their_order_and_spelling() -> None:
    text = report(("Name ", "iata"), rejection("x", "y"))
    assert text == (
        "Name ,iata,_record,_line,_code,_field,_value,_message\n"
        "x,y,1,2,PATTERN,a,x,'x' does not match\n"
    )


def test_a_report_without_rejections_is_its_header() -> None:
    assert report(("a",)) == "a,_record,_line,_code,_field,_value,_message\n"


def test_a_missing_cell_stays_apart_from_an_empty_one() -> None:
    assert report(("a", "b"), rejection(None, "")).splitlines()[1].startswith(',"",1,2,')


def test_separators_quotes_and_line_breaks_are_quoted() -> None:
    text = report(("a", "b", "c"), rejection("x,y", 'say "x"', "two\r\nlines"))
    assert rows(text)[1][:3] == ["x,y", 'say "x"', "two\r\nlines"]


def test_a_column_name_with_another_delimiter_is_quoted_so_that_none_is_guessed() -> None:
    assert report(("a;b;c;d",)).startswith('"a;b;c;d",_record')


def test_cells_that_a_spreadsheet_would_run_are_neutralised() -> None:
    for cell in ("=1+1", "+46", "-x", "@a", "\ta", "\rA", "\nA", "\0a", "\uff1d1", "  =1", "'abc"):
        assert rows(report(("a",), rejection(cell)))[1][0] == "'" + cell


def test_a_trigger_after_a_separator_inside_a_cell_stays_inside_its_quotes() -> None:
    assert rows(report(("a",), rejection('x,=1+1";=2')))[1][0] == 'x,=1+1";=2'


def test_plain_numbers_are_left_alone() -> None:
    assert rows(report(("a", "b"), rejection("-5.00", "-1")))[1][:2] == ["-5.00", "-1"]


def test_a_value_is_neutralised_and_a_message_keeps_its_quotation_marks() -> None:
    wrong = finding(value="=1+1", message="'=1+1' is not a date")
    text = report(("a",), rejection("=1+1", findings=(wrong,)))
    assert rows(text)[1][-2:] == ["'=1+1", "'=1+1' is not a date"]


def test_a_message_that_begins_with_a_trigger_is_neutralised() -> None:
    text = report(("a",), rejection("x", findings=(finding(message="=1+1 is no date"),)))
    assert rows(text)[1][-1] == "'=1+1 is no date"


def test_several_findings_are_one_line_with_one_part_each() -> None:
    second = finding(code="REQUIRED", field="b", value=None, message="b is required")
    text = report(("a",), rejection("x", findings=(finding(), second)))
    assert rows(text)[1][3:] == [
        "PATTERN; REQUIRED",
        "a; b",
        "x; ",
        "'x' does not match; b is required",
    ]


def test_parts_that_hold_the_separator_can_be_told_apart() -> None:
    first, second = finding(value='a; "b"'), finding(value="c")
    joined = rows(report(("a",), rejection("x", findings=(first, second))))[1][-2]
    assert joined == '"a; ""b"""; c'
    assert next(csv.reader([joined], delimiter=";", skipinitialspace=True)) == ['a; "b"', "c"]


def test_columns_of_an_earlier_report_are_not_repeated() -> None:
    columns = ("a", "_record", "_line", "_code", "_field", "_value", "_message", "b")
    text = report(columns, rejection("1", "7", "8", "X", "a", "v", "m", "2", record=3))
    assert rows(text) == [
        ["a", "b", *REPORT_COLUMNS],
        ["1", "2", "3", "4", "PATTERN", "a", "x", "'x' does not match"],
    ]


def test_a_short_record_keeps_the_report_columns_in_place() -> None:
    assert rows(report(("a", "b", "c"), rejection("1")))[1][:5] == ["1", "", "", "1", "2"]


def test_the_cells_beyond_the_header_are_shown_with_their_finding() -> None:
    ragged = finding(code="FIELD_COUNT", field=None, value=None, message="too many")
    text = report(("a",), rejection("1", "2", "x;y", findings=(ragged,)))
    assert rows(text)[1] == ["1", "1", "2", "FIELD_COUNT", "", '2; "x;y"', "too many"]


cells = st.none() | st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("=+-@'\",;\n\r\t \uff1d19."),
    max_size=8,
)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5))
def test_what_is_sent_in_again_has_the_same_cells(
    tmp_path_factory: object, table: list[tuple[str | None, str | None]]
) -> None:
    folder = tmp_path_factory.mktemp("report")
    text = report(("@id", "b"), *(rejection(*row, record=n) for n, row in enumerate(table, 1)))
    assert read_back(folder / "report.csv", text) == table


def read_back(path: Path, text: str) -> list[tuple[str | None, str | None]]:
    path.write_bytes(text.encode())
    reader = open_reader(str(path), ReadOptions(), Limits())
    try:
        assert reader.header.names == ("@id", "b", *REPORT_COLUMNS)
        chunks = list(reader.map_chunks(lambda chunk: chunk.table.to_pylist()))
    finally:
        reader.close()
    return [(row["c0"], row["c1"]) for chunk in chunks for row in chunk]


def test_memory_does_not_grow_with_the_number_of_rejections() -> None:
    def many(count: int) -> Iterator[Rejection]:
        return (rejection("x" * 50, record=number) for number in range(count))

    def peak(count: int) -> int:
        tracemalloc.start()
        for _ in write_csv(("a",), many(count)):
            pass
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    assert peak(20_000) < peak(10_000) * 1.2
