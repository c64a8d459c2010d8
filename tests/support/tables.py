"""Any table, and how libraries that are not ours write it in each format.

A value is one of Python; what it must come back as, its text and kind, is said by the writer of the
format. A new format is one more function in ``FORMATS``.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import pyarrow as pa
import xlsxwriter
from hypothesis import strategies as st
from pyarrow import parquet

from waybill.ports.reader import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from xlsxwriter.worksheet import Worksheet

    Value = str | int | float | bool | dt.date | dict[str, Any] | list[Any] | None
    Cell = tuple[str | None, int | None]

NASTY = "ab ,;|\t\"'\r\n<>&=+-@_{}[]\\/\u2028\ufeffé\u0301€😀\u200b\u202e"
TEXTS = st.text(alphabet=NASTY, max_size=8)
WHOLE = st.integers(-(2**53), 2**53)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
DATES = st.dates(dt.date(1900, 3, 1), dt.date(9999, 12, 31))
LEAVES = st.none() | st.booleans() | WHOLE | TEXTS
NESTED = st.dictionaries(st.sampled_from(["a", 'b"', "é"]), LEAVES | st.lists(LEAVES, max_size=2))
COLUMNS: dict[str, st.SearchStrategy[Value]] = {
    "text": TEXTS,
    "whole": WHOLE,
    "float": FLOATS,
    "boolean": st.booleans(),
    "date": DATES,
    "object": NESTED,
}


@dataclass(frozen=True)
class Table:
    """Columns of one type each; rows of as many values."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Value, ...]]


@dataclass
class Written:
    """A file, and what must come back of it: ``places`` are line and byte of each record."""

    content: bytes
    names: tuple[str, ...]
    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    places: list[tuple[int, int | None]] = field(default_factory=list)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    types = tuple(draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=4)))
    stem = draw(st.sampled_from(["n", "first name", "é", 'x"y', "a,b", "PK", "PAR1", "[a]"]))
    values = st.tuples(*(st.none() | COLUMNS[each] for each in types))
    names = tuple(f"{stem}{at}" if at else stem for at in range(len(types)))
    return Table(names, types, draw(st.lists(values, max_size=8)))


def text_of(value: Value) -> str | None:
    """What a person would write into a file of text."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case dt.date():
            return value.isoformat()
        case dict() | list():
            return compact(value)
        case _:
            return repr(value)


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def write_csv(table: Table, draw: st.DrawFn) -> Written:
    is_all = draw(st.booleans()) or len(table.names) == 1
    texts = [[text_of(value) for value in row] for row in table.rows]
    is_all = is_all or any("\r" in text or "\n" in text for row in texts for text in row if text)
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))

    def line(cells: list[str | None]) -> str:
        out = io.StringIO()
        quoting = csv.QUOTE_ALL if is_all else csv.QUOTE_MINIMAL
        csv.writer(out, quoting=quoting, lineterminator=end).writerow(cells)
        return out.getvalue()

    text = line(list(table.names))
    written = Written(b"", table.names)
    for row in texts:
        breaks = text.replace("\r\n", "\n").replace("\r", "\n").count("\n")
        written.places.append((breaks + 1, len(text.encode())))
        written.rows.append(tuple((each or ("" if is_all else None), None) for each in row))
        text += line(row)
    written.content = text.encode()
    return written


def write_json_lines(table: Table, draw: st.DrawFn) -> Written:
    is_ascii, end = draw(st.booleans()), draw(st.sampled_from(["\n", "\r\n", "\n\n"]))
    first = json.dumps(dict.fromkeys(table.names), ensure_ascii=is_ascii) + end
    written, text, line = Written(b"", table.names), first, 1 + end.count("\n")
    written.rows.append(((None, None),) * len(table.names))
    written.places.append((1, 0))
    for row in table.rows:
        values = [value.isoformat() if isinstance(value, dt.date) else value for value in row]
        parts = [json.dumps(value, ensure_ascii=is_ascii) for value in values]
        names = [json.dumps(name, ensure_ascii=is_ascii) for name in table.names]
        written.places.append((line, len(text.encode())))
        written.rows.append(tuple(map(json_cell, values, parts)))
        text += "{" + ", ".join(f"{n}: {p}" for n, p in zip(names, parts, strict=True)) + "}" + end
        line += end.count("\n")
    written.content = text.encode()
    return written


def write_json(table: Table, draw: st.DrawFn) -> Written:
    """A document, its first record one that has every column."""
    gap, end = draw(st.sampled_from(["", "\n", "\r\n "])), draw(st.sampled_from(["", "\n"]))
    is_ascii = draw(st.booleans())
    written, text = Written(b"", table.names), "["
    rows: list[tuple[Value, ...]] = [(None,) * len(table.names), *table.rows]
    for row in rows:
        values = [value.isoformat() if isinstance(value, dt.date) else value for value in row]
        parts = [json.dumps(value, ensure_ascii=is_ascii) for value in values]
        names = [json.dumps(name, ensure_ascii=is_ascii) for name in table.names]
        text += gap if text == "[" else "," + gap
        breaks = text.replace("\r\n", "\n").count("\n")
        written.places.append((breaks + 1, len(text.encode())))
        written.rows.append(tuple(map(json_cell, values, parts)))
        text += "{" + f",{gap}".join(f"{n}:{p}" for n, p in zip(names, parts, strict=True)) + "}"
    written.content = (text + gap + "]" + end).encode()
    return written


def json_cell(value: Value, literal: str) -> Cell:
    """A string is its characters; anything else what stands in the file."""
    match value:
        case None:
            return None, None
        case str():
            return value, Kind.STRING
        case bool():
            return literal, Kind.BOOLEAN
        case dict():
            return literal, Kind.OBJECT
        case list():
            return literal, Kind.ARRAY
        case _:
            return literal, Kind.NUMBER


def write_xml(table: Table, draw: st.DrawFn) -> Written:
    names = tuple(f"n{at}" for at in range(len(table.names)))
    gap = draw(st.sampled_from(["", "\n", "\n\n  "]))
    encoding = draw(st.sampled_from(["utf-8", "utf-16"]))
    text, written = "<rows>", Written(b"", names)
    for row in table.rows:
        text += gap
        written.places.append((text.count("\n") + 1, None))
        texts = [text_of(value) for value in row]
        written.rows.append(tuple((each or None, None) for each in texts))
        parts = [_element(name, each) for name, each in zip(names, texts, strict=True)]
        text += "<row>" + "".join(parts) + "</row>"
    written.content = (text + gap + "</rows>").encode(encoding)
    if not any(each for row in written.rows for each, _ in row):
        written.names = names if table.rows else ()
    return written


def _element(name: str, text: str | None) -> str:
    return f"<{name}>{escape(text or '', {chr(13): '&#13;', chr(10): '&#10;'})}</{name}>"


def write_xlsx(table: Table, draw: st.DrawFn) -> Written:
    top, left = draw(st.integers(0, 3)), draw(st.integers(0, 2))
    buffer, written = io.BytesIO(), Written(b"", table.names)
    is_1904 = draw(st.booleans())
    options = {"in_memory": True, "strings_to_urls": False, "date_1904": is_1904}
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet(draw(st.sampled_from(["Stores", "Bob's", "é 1"])))
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for column, name in enumerate(table.names):
            sheet.write_string(top, left + column, name)
        for number, row in enumerate(table.rows, start=top + 1):
            cells = [
                _write_cell(sheet, number, left + at, value, day) for at, value in enumerate(row)
            ]
            if any(text is not None for text, _ in cells):
                written.rows.append(tuple(cells))
                written.places.append((number + 1, None))
    written.content = buffer.getvalue()
    return written


def _write_cell(sheet: Worksheet, row: int, column: int, value: Value, day: object) -> Cell:
    match value:
        case None | "":
            return None, None
        case bool():
            sheet.write_boolean(row, column, value)
            return ("TRUE" if value else "FALSE"), Kind.CELL_BOOLEAN
        case dt.date():
            sheet.write_datetime(row, column, max(value, dt.date(1904, 1, 2)), day)
            return max(value, dt.date(1904, 1, 2)).isoformat(), Kind.CELL_DATE
        case int() | float():
            sheet.write_number(row, column, value)
            return _number(float(f"{value:.16G}")), None
        case _:
            text = text_of(value) or ""
            sheet.write_string(row, column, text)
            return text, None


def _number(value: float) -> str:
    """The shortest text of a double, whole ones below 2**63 without exponent."""
    if value.is_integer() and abs(value) < 2**63:
        return str(int(value))
    return repr(value)


def write_parquet(table: Table, draw: st.DrawFn) -> Written:
    kinds = {"whole": pa.int64(), "float": pa.float64(), "boolean": pa.bool_(), "date": pa.date32()}
    arrays = [
        pa.array(
            [text_of(row[at]) if kind in {"text", "object"} else row[at] for row in table.rows],
            kinds.get(kind, pa.string()),
        )
        for at, kind in enumerate(table.types)
    ]
    arrays = [
        each.dictionary_encode() if pa.types.is_string(each.type) and draw(st.booleans()) else each
        for each in arrays
    ]
    buffer = io.BytesIO()
    parquet.write_table(
        pa.table(arrays, names=list(table.names)),
        buffer,
        row_group_size=draw(st.integers(1, 10)),
        compression=draw(st.sampled_from(["none", "snappy", "zstd"])),
    )
    rows = [tuple(map(_parquet_cell, row)) for row in table.rows]
    places: list[tuple[int, int | None]] = [(at + 1, None) for at in range(len(rows))]
    return Written(buffer.getvalue(), table.names, rows, places)


def _parquet_cell(value: Value) -> Cell:
    match value:
        case None:
            return None, None
        case bool():
            return text_of(value), Kind.BOOLEAN
        case dt.date():
            return text_of(value), Kind.CELL_DATE
        case int() | float():
            return _number(value) if isinstance(value, float) else str(value), Kind.NUMBER
        case _:
            return text_of(value), Kind.STRING


FORMATS: dict[str, Callable[[Table, st.DrawFn], Written]] = {
    "csv": write_csv,
    "ndjson": write_json_lines,
    "json": write_json,
    "xml": write_xml,
    "xlsx": write_xlsx,
    "parquet": write_parquet,
}
