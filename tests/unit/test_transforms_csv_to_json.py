"""CSV to JSON: what is read, how it is written, and where it cannot be read."""

from __future__ import annotations

import codecs
import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforming import SIZES, Collected, PiecewiseSource, refusal, transform
from waybill.model.limits import MEBIBYTE, Limits
from waybill.transforms.csv_to_json import convert_window, csv_to_json
from waybill.transforms.csv_window import CsvWindow
from waybill.transforms.json_tables import json_to_csv, json_to_tsv
from waybill.transforms.tool import Options, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

MARKS = st.sampled_from(
    [
        "a",
        "b",
        '"',
        '""',
        ",",
        "\n",
        "\r\n",
        "\r",
        "é",
        "😀",
        "\\",
        "\x01",
        '","',
        '"\n',
        ',"',
        "\0",
    ]
)
CELLS = st.text(st.sampled_from('ab ,;|\t"\r\n\\/\x07\u2028\ufeffé😀='), max_size=6)


PARTS = st.lists(st.sampled_from(["a", "1", "é", " ", "\n", '"', "\r\n", "\t", ","]), max_size=5)


@st.composite
def wide_rows(draw: st.DrawFn) -> list[list[str]]:
    """Rows of two cells or more, as many in each."""
    width = draw(st.integers(2, 5))
    row = st.lists(PARTS.map("".join), min_size=width, max_size=width)
    return draw(st.lists(row, min_size=1, max_size=12))


def reference(text: str, *, has_header: bool, delimiter: str = ",") -> object:
    found = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = [row for row in found if row]
    if not has_header:
        return rows
    header, *rest = rows
    return [dict(zip(header, row + [""] * (len(header) - len(row)), strict=True)) for row in rest]


def by_small_windows(
    data: bytes, options: Options, *, least_bytes: int, sizes: Sequence[int]
) -> object:
    window = CsvWindow(PiecewiseSource(data, sizes), line_bytes=50, least_bytes=least_bytes)
    target = Collected()
    try:
        convert_window(window, target, options, Limits(columns=5))
    except Refused as refused:
        return refused.code, refused.line, refused.column
    return target.data


@given(
    st.lists(MARKS, max_size=30).map("".join),
    st.sampled_from([b"", b"\xff\n"]),
    st.booleans(),
    st.integers(1, 20),
    SIZES,
)
@settings(max_examples=300)
def test_any_text_is_read_alike_however_it_is_cut(
    text: str, tail: bytes, has_header: bool, least_bytes: int, sizes: list[int]
) -> None:
    options = Options(has_header=has_header, delimiter=",", tab_space=0)
    data = text.encode() + tail
    whole = by_small_windows(data, options, least_bytes=1000, sizes=[1000])
    assert by_small_windows(data, options, least_bytes=least_bytes, sizes=sizes) == whole
    if isinstance(whole, bytes):
        assert json.loads(whole) == reference(text, has_header=has_header)


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, str]:
    """The text of a table that follows the rule, with short records and blank lines."""
    delimiter = draw(st.sampled_from(",;\t| xé"))
    names = draw(st.lists(CELLS, min_size=1, max_size=4, unique=True))
    rows = draw(st.lists(st.lists(CELLS, min_size=1, max_size=len(names)), max_size=12))
    newline = draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\r\n\r\n"]))
    always = draw(st.booleans())
    lines = []
    for row in [names, *rows]:
        edges = f'"\r\n{delimiter}'
        quoted = [
            f'"{cell.replace(chr(34), chr(34) * 2)}"'
            if always or not cell or any(edge in cell for edge in edges)
            else cell
            for cell in row
        ]
        lines.append(delimiter.join(quoted))
    return delimiter, newline.join(lines) + newline * draw(st.booleans())


@given(tables(), st.sampled_from([0, 1, 2, 8]), st.integers(1, 200), SIZES)
@settings(max_examples=200)
def test_a_table_is_written_as_the_json_module_does(
    table: tuple[str, str], tab_space: int, least_bytes: int, sizes: list[int]
) -> None:
    delimiter, text = table
    for has_header in (True, False):
        options = Options(delimiter=delimiter, tab_space=tab_space, has_header=has_header)
        rows = reference(text, has_header=has_header, delimiter=delimiter)
        wanted = json.dumps(rows, indent=tab_space or None, ensure_ascii=False).encode()
        data = codecs.BOM_UTF8 + text.encode()
        window = CsvWindow(PiecewiseSource(data, sizes), line_bytes=9999, least_bytes=least_bytes)
        target = Collected()
        convert_window(window, target, options, Limits())
        assert target.data == wanted


def test_values_stay_text_and_keys_stay_in_order() -> None:
    found = transform(csv_to_json, b"b,a,c\n1,true,\n007,null,2.50\n")
    assert found.decode() == (
        '[\n  {\n    "b": "1",\n    "a": "true",\n    "c": ""\n  },\n'
        '  {\n    "b": "007",\n    "a": "null",\n    "c": "2.50"\n  }\n]'
    )


def test_one_line_where_no_indent_is_asked_for() -> None:
    found = transform(csv_to_json, b"a,b\n1,2\n3,4", Options(tab_space=0))
    assert found == b'[{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]'


def test_a_header_alone_is_an_empty_array() -> None:
    assert transform(csv_to_json, b"a,b\n") == b"[]"


def test_rows_without_a_header_may_have_any_width() -> None:
    found = transform(csv_to_json, b"a,b\nc\nd,e,f\n", Options(tab_space=0, has_header=False))
    assert found == b'[["a", "b"], ["c"], ["d", "e", "f"]]'


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [("a,b", ","), ("a;b,c;d", ";"), ("a\tb", "\t"), ("a|b", "|"), ("a", ","), ('"x;y;z",b', ",")],
)
def test_the_delimiter_is_found_in_the_first_line(line: str, delimiter: str) -> None:
    data = f"\n{line}\n,;|\t,;|\t".encode()
    row = json.loads(transform(csv_to_json, data, Options(has_header=False)))[0]
    assert row == next(csv.reader([line], delimiter=delimiter))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('"a\nb";c\n1;2\n', [["a\nb", "c"], ["1", "2"]]),
        ('"a\r\n,,\nb"\tc\n1\t2\n', [["a\r\n,,\nb", "c"], ["1", "2"]]),
        ("name\tdesc, long\nx\ty\n", [["name", "desc, long"], ["x", "y"]]),
        ("a, b, c\td\n1, 2, 3\t4", [["a, b, c", "d"], ["1, 2, 3", "4"]]),
        ("a;b, c, d\n1;2", [["a", "b, c, d"], ["1", "2"]]),
        ("a;b;c\n1;2\n3,4", [["a", "b", "c"], ["1", "2"], ["3,4"]]),
    ],
)
def test_the_delimiter_is_the_one_that_fits_the_first_records(
    text: str, rows: list[list[str]]
) -> None:
    assert rows_of(text.encode()) == rows


def rows_of(data: bytes) -> object:
    return json.loads(transform(csv_to_json, data, Options(has_header=False)))


@settings(max_examples=300)
@given(wide_rows(), st.booleans())
def test_tables_that_json_becomes_are_read_again(rows: list[list[str]], with_tabs: bool) -> None:
    if not with_tabs:  # a tab in each row of CSV could part it as well
        rows = [[cell.replace("\t", "") for cell in row] for row in rows]
    written = transform(json_to_tsv if with_tabs else json_to_csv, json.dumps(rows).encode())
    assert rows_of(written) == rows


def test_a_first_record_beyond_the_head_that_is_compared_is_told_by_its_first_line() -> None:
    names = ["a long name of a column"] * 4_000
    data = ";".join(names) + "\n1;2,3\n"
    assert rows_of(data.encode()) == [names, ["1", "2,3"]]


def test_line_ends_in_quotes_are_kept() -> None:
    data = b'a\r\n"1\n2\r\n3\r4"\r\n'
    assert json.loads(transform(csv_to_json, data)) == [{"a": "1\n2\r\n3\r4"}]


def test_a_quote_inside_a_plain_cell_is_data() -> None:
    data = b'a,b\n5" disk,x\n"q",6"" y"\n'
    wanted = [{"a": '5" disk', "b": "x"}, {"a": "q", "b": '6"" y"'}]
    assert json.loads(transform(csv_to_json, data)) == wanted


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a,b\n1,2\n3,4,5\n", 3, 5),
        ("é,b\né,2,", 2, 5),
        ('a,b\n"x\ny",2,"z"', 3, 6),
        ('a,b\n"1","2', 2, 5),
        ('a,b\n"1"x,2', 2, 4),
        ('"é" ,b\n', 1, 4),
        ("a,b,a\n", 1, 5),
        ('a,b,"a"\n', 1, 5),
        ('"a\nb",c,"a\nb"', 2, 6),
        ("a,,b,\n", 1, 6),
        ("a\n1\n\0\n", 3, 1),
        ('a\r\n1\r\r"x\0"', 4, 3),
        ("a,b\0\n", 1, 4),
    ],
)
def test_what_cannot_be_read_is_named_by_its_place(text: str, line: int, column: int) -> None:
    wanted = ("INVALID_CSV", "CSV validation failed.", line, column)
    options = Options(delimiter=",")
    assert refusal(csv_to_json, text.encode(), options) == wanted
    assert refusal(csv_to_json, text.encode(), options, sizes=[1]) == wanted


def test_a_place_is_exact_far_into_a_file() -> None:
    data = 'id,text\n"é","x\r\ny"\n'.encode() + '1,"x\r\nÄ"\n'.encode() * 300_000
    assert refusal(csv_to_json, data + 'é,"Ä",5\n'.encode())[2:] == (600_004, 7)


def test_a_line_that_is_too_long_is_refused() -> None:
    limits = Limits(line_bytes=100)
    fits = b"a,b\n1," + b"x" * 98 + b"\n"
    assert len(json.loads(transform(csv_to_json, fits, limits=limits))) == 1
    message = "A line is longer than 100 bytes (limits.line_bytes)."
    found = refusal(csv_to_json, fits + b"y" * 101, limits=limits)
    assert found == ("PAYLOAD_TOO_LARGE", message, 3, 1)
    assert refusal(csv_to_json, b'a\n"\n' + b"y" * 101 + b'"', limits=limits)[2:] == (3, 1)
    assert refusal(csv_to_json, b"a" * 101, limits=limits)[2:] == (1, 1)


def test_what_is_wrong_before_a_long_line_is_found_first() -> None:
    data = b"a\n1,2\n" + b"y" * 101
    assert refusal(csv_to_json, data, limits=Limits(line_bytes=100))[2:] == (2, 3)


def test_more_columns_than_allowed_are_refused() -> None:
    limits = Limits(columns=3)
    assert json.loads(transform(csv_to_json, b"a,b,c\n", limits=limits)) == []
    message = "A record has more than 3 cells (limits.columns)."
    found = refusal(csv_to_json, b"a,b,c,d\n", limits=limits)
    assert found == ("PAYLOAD_TOO_LARGE", message, 1, 7)
    assert refusal(csv_to_json, b"a,b\n1,2,3\n", limits=limits)[0] == "INVALID_CSV"
    options = Options(has_header=False)
    assert refusal(csv_to_json, b"a,b\na,b,c,d\n", options, limits=limits)[2:] == (2, 7)
    assert refusal(csv_to_json, b"a,b,c,d\n", options, limits=limits)[2:] == (1, 7)


def test_a_quote_that_stays_open_is_refused_without_reading_on() -> None:
    lines = b'a,b\n1,"' + b"x" * 99 + b"\n" + b"y\n" * 8 * MEBIBYTE
    source = io.BytesIO(lines)
    with pytest.raises(Refused) as refused:
        csv_to_json(source, io.BytesIO(), Options(), Limits())
    assert refused.value.code == "PAYLOAD_TOO_LARGE"
    assert (refused.value.line, refused.value.column) == (2, 3)
    assert source.tell() < len(lines)


def test_a_cell_of_many_lines_is_read() -> None:
    cell = "line, and line\r\n" * 180_000
    found = transform(csv_to_json, f'a,b\n1,"{cell}"\n2,3\n'.encode())
    assert json.loads(found) == [{"a": "1", "b": cell}, {"a": "2", "b": "3"}]


def test_many_columns_are_written_in_parts() -> None:
    names = ",".join(f"column number {number}" for number in range(4000))
    data = f"{names}\n" + "1\n" * 300
    rows = json.loads(transform(csv_to_json, data.encode()))
    assert len(rows) == 300
    assert all(len(row) == 4000 and row["column number 0"] == "1" for row in rows[::50])


@pytest.mark.parametrize("data", [b"", codecs.BOM_UTF8, b"\r\n\n", b"\n" * 3_000_000])
def test_no_record_is_no_content(data: bytes) -> None:
    assert refusal(csv_to_json, data) == ("EMPTY_INPUT", "The request body is empty.", None, None)


def test_what_is_not_utf8_is_refused() -> None:
    assert refusal(csv_to_json, b"a\n\xff\n")[0] == "INVALID_ENCODING"


@pytest.mark.parametrize("delimiter", ['"', "\n", "\r", "\0", ",,"])
def test_a_delimiter_that_cannot_be_one_is_refused(delimiter: str) -> None:
    assert refusal(csv_to_json, b"a,b", Options(delimiter=delimiter))[0] == "INVALID_OPTION"
