"""Chunks of a CSV file: rows, positions, malformed records, order, limits."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reading import read_until_refused
from waybill.errors import FileRefused
from waybill.formats.opening import open_reader
from waybill.model.limits import Limits
from waybill.ports.reader import RawChunk, Reader, ReadOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Open = Callable[..., Reader]


@pytest.fixture
def read(tmp_path: Path) -> Open:
    def opened(content: bytes, chunk_bytes: int = 1 << 20, **limits: int) -> Reader:
        path = tmp_path / "input"
        path.write_bytes(content)
        options = ReadOptions(delimiter=",")
        return open_reader(str(path), options, Limits(**limits), chunk_bytes=chunk_bytes)

    return opened


def numbers(count: int) -> bytes:
    return b"a,b\n" + b"".join(b"%d,x\n" % n for n in range(1, count + 1))


def test_s16b_each_kind_of_newline_ends_one_line(read: Open) -> None:
    [chunk], _ = read_until_refused(read("a,b\r1,x\r\n2,y\n\r\n\r\r3,\u2028\n4,z".encode()))
    assert chunk.table["c0"].to_pylist() == ["1", "2", "3", "4"]
    assert chunk.table["c1"].to_pylist()[2] == "\u2028"
    assert [line for line, _ in chunk.positions.locate([1, 2, 3, 4])] == [2, 3, 7, 8]


def test_blank_lines_of_a_single_column_are_skipped_and_counted(read: Open) -> None:
    [chunk], _ = read_until_refused(read(b'a\n\n1\n\n""\n'))
    assert chunk.table["c0"].to_pylist() == ["1", ""]
    assert [line for line, _ in chunk.positions.locate([1, 2])] == [3, 5]


def test_null_and_quoted_empty_stay_apart(read: Open) -> None:
    [chunk], _ = read_until_refused(read(b'a,b\n,""\n"",'))
    assert chunk.table.to_pydict() == {"c0": [None, ""], "c1": ["", None]}


def test_s70_ragged_records_come_with_all_their_cells(read: Open) -> None:
    [chunk], _ = read_until_refused(read(b'a,b\n1\n2,x\n3,"y\nz",w\n4,v\n'))
    first, second = chunk.malformed
    assert (first.record, first.line, first.byte, first.cells) == (1, 2, 4, ("1",))
    assert (second.record, second.line, second.cells) == (3, 4, ("3", "y\nz", "w"))
    assert second.findings[0].code == "FIELD_COUNT"
    assert "3 cells" in second.findings[0].message
    assert chunk.record_numbers.tolist() == [2, 4]
    assert chunk.records == 4


def test_s70_text_after_a_closing_quote_rejects_the_record_alone(read: Open) -> None:
    [chunk], _ = read_until_refused(read(b'a,b\n1,"x"y\n2,z\n'))
    [bad] = chunk.malformed
    assert (bad.record, bad.line, bad.cells) == (1, 2, ("1", "xy"))
    assert [finding.code for finding in bad.findings] == ["QUOTE_INVALID"]
    assert chunk.table.to_pydict() == {"c0": ["2"], "c1": ["z"]}


def test_a_bare_quote_within_an_unquoted_cell_is_data(read: Open) -> None:
    text = b'a,b\n1,5" pipe\n2,"quoted, \nso"\n3,""\n4,6" pipe\n'
    for chunk_bytes in (1, 7, 1000):
        chunks, error = read_until_refused(read(text, chunk_bytes))
        assert error is None
        cells = [cell for chunk in chunks for cell in chunk.table["c1"].to_pylist()]
        assert cells == ['5" pipe', "quoted, \nso", "", '6" pipe']
        lines = [
            line
            for chunk in chunks
            for line, _ in chunk.positions.locate(chunk.record_numbers.tolist())
        ]
        assert lines == [2, 3, 5, 6]


@pytest.mark.parametrize("tail", [b"", b"2,x\n" * 9, b"2,5\r\n" * 9])
def test_s15_an_unclosed_quote_names_the_line_where_it_opened(read: Open, tail: bytes) -> None:
    chunks, error = read_until_refused(read(b'a,b\n1,x\n1,"y\n' + tail, 8))
    assert error is not None
    assert (error.code, error.line, error.byte) == ("QUOTE_UNCLOSED", 3, 10)
    assert sum(chunk.records for chunk in chunks) == 1


def test_s15_an_unclosed_quote_is_found_before_the_whole_file_is_read(read: Open) -> None:
    reader = read(b'a,b\n1,"y\n' + b"some,line\n" * 5_000_000)
    chunks, error = read_until_refused(reader)
    assert chunks == []
    assert error is not None
    assert (error.code, error.line) == ("QUOTE_UNCLOSED", 2)


def test_s14_a_line_beyond_the_limit_is_refused_after_the_records_before_it(read: Open) -> None:
    chunks, error = read_until_refused(
        read(b"a,b\n1,x\n2," + b"y" * 100 + b"\n3,z\n", line_bytes=50)
    )
    assert error is not None
    assert (error.code, error.line, error.byte) == ("LINE_TOO_LONG", 3, 8)
    assert sum(chunk.records for chunk in chunks) == 1


def test_a_line_as_long_as_the_limit_is_taken(read: Open) -> None:
    for newline in (b"\n", b"\r", b"\r\n"):
        line = b"2," + b"y" * 48
        chunks, error = read_until_refused(
            read(newline.join((b"a,b", line, line, b"")), line_bytes=50 + len(newline) - 1)
        )
        assert error is None
        assert sum(chunk.records for chunk in chunks) == 2
    _, error = read_until_refused(read(b"a,b\n" + b"2," + b"y" * 49, line_bytes=50))
    assert error is not None


def test_s14_a_huge_quoted_cell_on_one_line_is_a_long_line(read: Open) -> None:
    _, error = read_until_refused(read(b'a,b\n1,"' + b"y" * 3_000_000 + b'"\n'))
    assert error is not None
    assert (error.code, error.byte) == ("LINE_TOO_LONG", 4)


def test_s14_a_file_without_newline_is_refused(read: Open) -> None:
    with pytest.raises(FileRefused) as caught:
        read(b"x" * (3 << 20))
    assert (caught.value.code, caught.value.byte) == ("LINE_TOO_LONG", 0)


def test_chunks_follow_one_another_without_gap(read: Open) -> None:
    chunks, _ = read_until_refused(read(numbers(1_000), 100))
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    assert chunks[0].first_record == 1
    for chunk, following in pairwise(chunks):
        assert following.first_record == chunk.first_record + chunk.records
        mark = following.marks[0]
        assert mark.record + 1 == following.first_record
        assert following.positions.locate([mark.record + 1]) == [(mark.line, mark.byte)]
    assert chunks[-1].first_record + chunks[-1].records - 1 == 1_000
    assert chunks[-1].input_bytes <= len(numbers(1_000))


def test_results_keep_file_order_whatever_finishes_first(read: Open) -> None:
    second_done = threading.Event()

    def work(chunk: RawChunk) -> int:
        if chunk.ordinal == 0:
            second_done.wait(timeout=20)
        second_done.set() if chunk.ordinal == 1 else None
        return chunk.ordinal

    results = list(read(numbers(100), 100).map_chunks(work))
    assert results == sorted(results)


def test_records_are_found_again_without_reading_what_lies_between(
    tmp_path: Path, read: Open
) -> None:
    text = numbers(400_000)
    reader = read(text)
    chunks, _ = read_until_refused(reader)
    marks = [mark for chunk in chunks for mark in chunk.marks]
    assert len(marks) > len(chunks)
    middle = len(text) // 2
    (tmp_path / "input").write_bytes(text[:middle] + b'"' + text[middle + 1 :])
    wanted = np.array([1, 2, 100_000, 399_999, 400_000])
    found = list(reader.find_records(wanted, marks))
    assert [record.record for record in found] == wanted.tolist()
    assert [record.line for record in found] == [record + 1 for record in wanted.tolist()]
    assert [record.cells[0] for record in found] == [str(record) for record in wanted.tolist()]


def test_no_more_than_a_few_chunks_are_worked_on_ahead(read: Open) -> None:
    seen = []
    results = read(numbers(2_000), 100).map_chunks(lambda chunk: seen.append(chunk.ordinal))
    next(results)
    results.close()
    assert len(seen) <= 3


def test_an_error_of_the_work_comes_out(read: Open) -> None:
    reader = read(numbers(100), 100)
    with pytest.raises(ZeroDivisionError):
        list(reader.map_chunks(lambda chunk: chunk.ordinal // 0))


def test_positions_of_malformed_and_good_records_agree_across_chunks(read: Open) -> None:
    text = numbers(50).replace(b"\n7,x", b"\n7,x,y").replace(b"\n30,x", b'\n30,"x"x')
    whole, _ = read_until_refused(read(text))
    parts, _ = read_until_refused(read(text, 20))
    flat = [bad for chunk in parts for bad in chunk.malformed]
    assert flat == list(whole[0].malformed)
    assert [bad.record for bad in flat] == [7, 30]
