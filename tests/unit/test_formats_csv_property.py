"""Any table, written in any honest way, comes back whole and with exact positions."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from csv_oracle import Expected, QuoteOpen, letter_by_letter
from waybill.formats.opening import open_reader
from waybill.model.limits import Limits
from waybill.ports.reader import RawChunk, ReadOptions

CELLS = st.one_of(
    st.none(),
    st.just(""),
    st.text(alphabet=st.sampled_from('ab ,;|\t"\r\n\u2028\ufeffé€😀='), max_size=6),
)
BOMS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}
NEWLINES = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str, list[Expected], int]:
    """Text, delimiter, its records by an oracle that only ever counts forward, and the width."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    width = draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=12))
    text = delimiter.join(f"n{column}" for column in range(width)) + draw(NEWLINES)
    expected = []
    for row in rows:
        for _ in range(draw(st.integers(0, 2)) if draw(st.booleans()) else 0):
            text += draw(NEWLINES)
        written = delimiter.join(write(cell, delimiter, draw) for cell in row)
        if written:
            expected.append(Expected(tuple(row), count_lines(text) + 1, len(text.encode())))
        text += written + draw(NEWLINES)
    if draw(st.booleans()) and expected and text[-1] in "\r\n" and text[-2] not in "\r\n":
        text = text[:-1]
    return text, delimiter, expected, width


def write(cell: str | None, delimiter: str, draw: st.DrawFn) -> str:
    if cell is None:
        return ""
    if not cell or any(mark in cell for mark in '"\r\n' + delimiter) or draw(st.booleans()):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def count_lines(text: str) -> int:
    return text.replace("\r\n", "\n").replace("\r", "\n").count("\n")


def read(content: bytes, options: ReadOptions, chunk_bytes: int) -> tuple[list[RawChunk], int]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "input"
        path.write_bytes(content)
        reader = open_reader(
            str(path),
            options,
            Limits(),
            chunk_bytes=chunk_bytes,
            chunk_records=1 + chunk_bytes % 3,
        )
        return list(reader.map_chunks(lambda chunk: chunk)), len(reader.header.names)


def records_of(chunks: list[RawChunk]) -> list[Expected]:
    found = {}
    for chunk in chunks:
        rows = zip(*(column.to_pylist() for column in chunk.table.columns), strict=True)
        numbers = chunk.record_numbers.tolist()
        places = chunk.positions.locate(numbers)
        for number, cells, (line, byte) in zip(numbers, rows, places, strict=True):
            found[number] = Expected(cells, line, byte)
        for bad in chunk.malformed:
            found[bad.record] = Expected(bad.cells, bad.line, bad.byte)
        assert sorted(found) == list(range(1, chunk.first_record + chunk.records))
    return [found[number] for number in sorted(found)]


@given(files(), st.integers(1, 90))
def test_every_record_comes_back_with_its_line_and_byte(
    file: tuple[str, str, list[Expected], int], chunk_bytes: int
) -> None:
    text, delimiter, expected, width = file
    chunks, columns = read(text.encode(), ReadOptions(delimiter=delimiter), chunk_bytes)
    assert columns == width
    assert records_of(chunks) == expected


@given(files(), st.integers(1, 90))
def test_malformed_records_are_exactly_those_of_another_width(
    file: tuple[str, str, list[Expected], int], chunk_bytes: int
) -> None:
    text, delimiter, expected, width = file
    chunks, _ = read(text.encode(), ReadOptions(delimiter=delimiter), chunk_bytes)
    ragged = [bad.record for chunk in chunks for bad in chunk.malformed]
    assert ragged == [n for n, row in enumerate(expected, start=1) if len(row.cells) != width]


@settings(max_examples=40)
@given(
    files(),
    st.sampled_from(sorted(BOMS)),
    st.booleans(),
    st.integers(1, 90),
)
def test_encoding_and_compression_change_neither_values_nor_positions(
    file: tuple[str, str, list[Expected], int], encoding: str, packed: bool, chunk_bytes: int
) -> None:
    text, delimiter, expected, _ = file
    content = BOMS[encoding] + text.encode(encoding)
    content = gzip.compress(content) if packed else content
    chunks, _ = read(content, ReadOptions(delimiter=delimiter), chunk_bytes)
    assert records_of(chunks) == expected


@settings(max_examples=300)
@given(st.text(alphabet='ab,"\n\r', max_size=40), st.integers(1, 30))
def test_odd_quotes_are_read_as_a_letter_by_letter_reader_would(
    body: str, chunk_bytes: int
) -> None:
    text = "x,y\n" + body
    try:
        expected = letter_by_letter(text, ",")
    except QuoteOpen:
        return  # has tests of its own
    chunks, _ = read(text.encode(), ReadOptions(delimiter=","), chunk_bytes)
    assert records_of(chunks) == [record for record, _ in expected[1:]]
    broken = [n for n, (_, is_broken) in enumerate(expected[1:], start=1) if is_broken]
    found = [
        bad.record
        for chunk in chunks
        for bad in chunk.malformed
        if any(finding.code == "QUOTE_INVALID" for finding in bad.findings)
    ]
    assert found == broken


@settings(max_examples=60)
@given(files(), st.integers(1, 90), st.data())
def test_any_records_are_found_again(
    file: tuple[str, str, list[Expected], int], chunk_bytes: int, data: st.DataObject
) -> None:
    text, delimiter, _, _ = file
    with TemporaryDirectory() as folder:
        path = Path(folder) / "input"
        path.write_bytes(text.encode("utf-16"))
        reader = open_reader(
            str(path),
            ReadOptions(delimiter=delimiter),
            Limits(),
            chunk_bytes=chunk_bytes,
            chunk_records=1 + chunk_bytes % 3,
        )
        chunks = list(reader.map_chunks(lambda chunk: chunk))
        expected = records_of(chunks)
        good = [number for chunk in chunks for number in chunk.record_numbers.tolist()]
        wanted = sorted(data.draw(st.sets(st.sampled_from(good)))) if good else []
        marks = [mark for chunk in chunks for mark in chunk.marks]
        found = list(reader.find_records(np.array(wanted, dtype=np.int64), marks))
    assert [each.record for each in found] == wanted
    assert [Expected(each.cells, each.line, each.byte) for each in found] == [
        expected[number - 1] for number in wanted
    ]
