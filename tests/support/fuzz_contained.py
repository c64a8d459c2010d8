"""Damaged workbooks, XML and Parquet: what a child says of them, against other readers."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from lxml import etree
from pyarrow import parquet

from fuzz_mutations import (
    SHEET_TOKENS,
    XML_TOKENS,
    damage,
    damage_tokens,
    damage_zip,
    parts_of,
)
from fuzz_tables import LIMITS, WORDS, table_of
from in_process import Job, told, told_whole
from sheet_oracle import Damaged, Unusual, cells_of_package
from workbooks import SHEET, STRINGS, archive, cell, package, table

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from fuzz_tables import Case
    from in_process import Told
    from sheet_oracle import SheetCell

    Element = Any
    Rows = dict[int, dict[int, SheetCell]]


def xlsx_case(random: Random) -> Case:
    parts = parts_of(_base_workbook(random))
    name = random.choice((SHEET,) * 8 + (STRINGS,) * 3 + tuple(parts))
    if random.random() < 0.1:
        content = random.choice((damage, damage_zip))(random, archive(parts))
        return content, lambda path: _check_told(told(Job.WORKBOOK, path, limits=LIMITS))
    spoil = random.choice((damage, *(lambda r, c: damage_tokens(r, c, SHEET_TOKENS),) * 4))
    parts[name] = spoil(random, parts.get(name, b"<sst/>"))
    check = _check_sheet if name in {SHEET, STRINGS} else _check_workbook
    return archive(parts), check


def _base_workbook(random: Random) -> bytes:
    rows = table_of(random)
    if random.random() < 0.5:
        values = [
            [random.choice((word, 1, -2.5, 1e15, True, None)) for word in row] for row in rows
        ]
        return table([[f"n{at}" for at in range(len(rows[0]))], *values])
    texts = [
        f'<row r="{number}">'
        + "".join(
            random.choice(
                (
                    cell(f"{'ABCD'[at]}{number}", "x"),
                    f'<c r="{"ABCD"[at]}{number}"><v>{number}</v></c>',
                    f'<c r="{"ABCD"[at]}{number}" t="str"><f>A1</f><v>y</v></c>',
                    f'<c r="{"ABCD"[at]}{number}" t="s"><v>0</v></c>',
                    f'<c r="{"ABCD"[at]}{number}" s="0"/>',
                )
            )
            for at in range(len(row))
        )
        + "</row>"
        for number, row in enumerate(rows, start=1)
    ]
    return package(
        "".join(texts),
        strings="<sst><si><t>one</t></si><si><r><t>t</t></r><r><t>wo</t></r></si></sst>",
    )


def _check_told(answer: Told) -> None:
    assert sorted({**answer.rows, **answer.faults}) == list(range(1, answer.records + 1))
    assert answer.refusal is not None or answer.table is not None


def _check_workbook(path: Path) -> None:
    _check_told(told(Job.WORKBOOK, path, limits=LIMITS))


def _check_sheet(path: Path) -> None:
    answer = told(Job.WORKBOOK, path, limits=LIMITS)
    _check_told(answer)
    try:
        rows: Rows | str = cells_of_package(path.read_bytes())
    except Damaged as error:
        rows = str(error)
    except Unusual:
        return
    if answer.refusal is not None:
        return
    assert isinstance(rows, dict), f"read although {rows}"
    numbers = list(rows)
    if not rows:
        assert answer.records == 0
        return
    header = numbers[0]
    assert answer.table is not None
    assert answer.table.line == header
    first = answer.table.first_column  # perhaps a column of empty texts
    assert first <= min(column for cells in rows.values() for column in cells)
    width = max(rows[header]) - first + 1
    assert len(answer.names) == width
    assert [answer.lines[record] for record in sorted(answer.lines)] == numbers[1:]
    for record, number in enumerate(numbers[1:], start=1):
        _check_row(answer, record, {at - first: each for at, each in rows[number].items()}, width)


def _check_row(answer: Told, record: int, cells: dict[int, SheetCell], width: int) -> None:
    odd = {each.odd for each in cells.values() if each.odd}
    if odd:
        assert answer.faults.get(record) in odd
        return
    if max(cells) >= width:
        assert answer.faults.get(record) == "FIELD_COUNT"
        return
    row = answer.rows[record]
    for column in range(width):
        _check_cell(row[column], cells.get(column))


def _check_cell(found: tuple[str | None, int | None], cell: SheetCell | None) -> None:
    text, kind = found
    if cell is None:
        assert text is None
    elif cell.kind == "n" and kind is None:
        assert text is not None
        assert text == cell.text or float(text) == float(cell.text)
    elif cell.kind in {"str", "inlineStr"}:
        assert text == cell.text
    else:
        assert text is not None


def xml_case(random: Random) -> Case:
    texts = ["<r>"]
    for _ in range(random.randint(1, 8)):
        fields = "".join(
            random.choice(
                ("<b>1</b>", "<c d='x'>y</c>", "<b/>", "t", " ", "<d><e>1</e><e/></d>", "&amp;")
            )
            for _ in range(random.randint(0, 4))
        )
        begin = random.choice(("<a>", "<a x='1'>"))
        texts += [begin, fields, "</a>", random.choice(("", "\n"))]
    text = "".join((*texts, "</r>"))
    encoding = random.choice(("utf-8", "utf-8", "utf-8", "utf-16"))
    spoiled = (
        damage_tokens(random, text.encode(), XML_TOKENS) if random.random() < 0.7 else text.encode()
    )
    content = spoiled.decode().encode(encoding)
    content = damage(random, content) if spoiled == text.encode() else content
    path = random.choice(("", "", "", "a", "/r/a", "b"))
    rows = random.choice((1, 3, 8_192))
    return content, lambda file: _check_xml(file, path, rows)


def _check_xml(file: Path, records_path: str, batch_rows: int) -> None:
    answer = told_whole(
        Job.XML, file, limits=LIMITS, records_path=records_path, batch_rows=batch_rows
    )
    _check_told(answer)
    parser = etree.XMLParser(remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(file.read_bytes(), parser)
    except etree.XMLSyntaxError:
        root = None
    if answer.refusal is not None:
        return
    assert root is not None, "read although it is no XML"
    expected = [_fields(each) for each in _elements(root, records_path)]
    assert answer.records == len(expected)
    for record, fields in enumerate(expected, start=1):
        row = zip(answer.names, answer.rows[record], strict=True)
        found = {
            name: json.loads(text) if kind else text
            for name, (text, kind) in row
            if text is not None
        }
        assert found == {name: value for name, value in fields.items() if value not in (None, "")}


def _elements(root: Element, path: str) -> list[Element]:
    match path:
        case "":
            return list(root)
        case "/r/a":
            return (
                [each for each in root if _local(each.tag) == "a"]
                if _local(root.tag) == "r"
                else []
            )
        case name:
            return _outermost(root, name)


def _outermost(element: Element, name: str) -> list[Element]:
    if _local(element.tag) == name:
        return [element]
    return [found for child in element for found in _outermost(child, name)]


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _fields(element: Element) -> dict[str, Any]:
    found: dict[str, list[Any]] = {}
    for name, text in element.attrib.items():
        if "XMLSchema-instance" not in name and "XML/1998" not in name:
            found.setdefault(_local(name), []).append(text)
    for child in element:
        inner = _fields(child)
        value = inner.get("#text") if set(inner) == {"#text"} else inner or child.text or None
        found.setdefault(_local(child.tag), []).append(value)
    own = (element.text or "") + "".join(child.tail or "" for child in element)
    fields = {name: values[0] if len(values) == 1 else values for name, values in found.items()}
    return {**fields, "#text": own} if own.strip() else fields


def parquet_case(random: Random) -> Case:
    rows = random.randint(0, 40)
    numbers = [random.choice((None, at)) for at in range(rows)]
    columns: dict[str, Any] = {
        "n": pa.array(numbers, random.choice((pa.int8(), pa.int64(), pa.float32(), pa.float64()))),
        "s": pa.array([random.choice((None, *WORDS)) for _ in range(rows)]),
        "t": pa.array(numbers, pa.int64()).cast(pa.timestamp(random.choice(("s", "us", "ns")))),
        "l": pa.array(
            [random.choice((None, [], [1, None])) for _ in range(rows)], pa.list_(pa.int64())
        ),
        "o": pa.array(
            [random.choice((None, {"a": 1}, {"a": None})) for _ in range(rows)],
            pa.struct({"a": pa.int16()}),
        ),
        "d": pa.array(
            [random.choice((None, "x", "y")) for _ in range(rows)], pa.string()
        ).dictionary_encode(),
        "b": pa.array([random.choice((None, True)) for _ in range(rows)], pa.bool_()),
    }
    chosen = random.sample(sorted(columns), random.randint(1, 4))
    buffer = io.BytesIO()
    parquet.write_table(
        pa.table({name: columns[name] for name in chosen}),
        buffer,
        row_group_size=random.choice((5, 1000)),
        compression=random.choice(("none", "snappy", "zstd", "gzip")),
        use_dictionary=random.random() < 0.5,
        data_page_version=random.choice(("1.0", "2.0")),
        write_page_checksum=random.random() < 0.2,
    )
    content = damage(random, buffer.getvalue()) if random.random() < 0.95 else buffer.getvalue()
    return content, _check_parquet


def _check_parquet(path: Path) -> None:
    answer = told(Job.PARQUET, path, limits=LIMITS)
    _check_told(answer)
    if answer.refusal is not None:
        return
    opened = parquet.ParquetFile(path)
    assert answer.records == opened.metadata.num_rows
    expected = opened.read(use_threads=False)
    for column, name in enumerate(answer.names):
        if pa.types.is_string(expected.schema.field(column).type):
            texts = expected.column(column).cast(pa.binary()).to_pylist()
            for record, row in answer.rows.items():
                text = row[column][0]
                assert texts[record - 1] == (text if text is None else text.encode()), name
