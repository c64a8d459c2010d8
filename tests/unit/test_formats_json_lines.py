"""NDJSON: columns found as they come, and records that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from reading import chunks_of
from waybill.errors import ColumnsGrew, FileRefused
from waybill.formats.opening import open_reader
from waybill.model.limits import Limits
from waybill.ports.reader import ReadOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from waybill.ports.reader import Reader

    Open = Callable[..., Reader]

LONG = b'{"a":1,"note":"' + b"x" * 200 + b'"}\n'


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    def read(content: bytes, options: ReadOptions | None = None, **limits: int) -> Reader:
        path = tmp_path / "input"
        path.write_bytes(content)
        return open_reader(str(path), options or ReadOptions(), Limits(**limits), chunk_bytes=1024)

    return read


def test_members_become_columns_in_order_of_appearance(opened: Open) -> None:
    reader = opened(b'{"b":"x","a":1}\n\n{"a":null,"c":true}\r\n{}\n{"c":[1, 2]}')
    assert reader.header.names == ("b", "a", "c")
    assert reader.header.is_typed
    assert reader.header.facts["format"] == "ndjson"
    [chunk] = chunks_of(reader)
    assert chunk.table.to_pylist() == [
        {"c0": "x", "c1": "1", "c2": None, "k0": 1, "k1": 2, "k2": 8},
        {"c0": None, "c1": None, "c2": "true", "k0": 8, "k1": None, "k2": 3},
        {"c0": None, "c1": None, "c2": None, "k0": 8, "k1": 8, "k2": 8},
        {"c0": None, "c1": None, "c2": "[1, 2]", "k0": 8, "k1": 8, "k2": 5},
    ]
    assert chunk.positions.locate([1, 2, 3, 4]) == [(1, 0), (3, 17), (4, 38), (5, 41)]


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (b'{"a":"open', "JSON_INVALID"),
        (b'{"a":1}}', "JSON_INVALID"),
        (b'{"a":1} {"a":2}', "JSON_INVALID"),
        (b'{"a":NaN}', "JSON_INVALID"),
        (b'{"a":01}', "JSON_INVALID"),
        (b'{"a":"\\ud800"}', "JSON_INVALID"),
        (b'{"a":"\x01"}', "JSON_INVALID"),
        (b"   ", "JSON_INVALID"),
        (b"[1]", "NOT_AN_OBJECT"),
        (b"null", "NOT_AN_OBJECT"),
        (b'{"a":1,"a":1}', "DUPLICATE_KEY"),
        (b'{"a":"\xff"}', "ENCODING_INVALID"),
        (b'{"a":"\xff \\u00e9"}', "ENCODING_INVALID"),
        (b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", "JSON_TOO_DEEP"),
        (b'{"a":' + b"[" * 100_000, "JSON_TOO_DEEP"),
    ],
)
def test_a_record_that_is_none_leaves_the_others_alone(
    opened: Open, record: bytes, code: str
) -> None:
    reader = opened(b'{"a":1}\n' + record + b'\n{"a":"{"}\n')
    chunks = chunks_of(reader)
    [bad] = [bad for chunk in chunks for bad in chunk.malformed]
    assert (bad.record, bad.line, bad.byte) == (2, 2, 8)
    assert [finding.code for finding in bad.findings] == [code]
    assert len(bad.findings[0].value or "") <= 203
    cells = [cell for chunk in chunks for cell in chunk.table["c0"].to_pylist()]
    assert cells == ["1", "{"]
    assert sum(chunk.records for chunk in chunks) == 3


def test_brackets_inside_of_strings_are_no_depth(opened: Open) -> None:
    [chunk] = chunks_of(opened(b'{"a":"' + b'[{\\"' * 100 + b'"}\n'))
    assert not chunk.malformed


def test_a_late_member_ends_the_reading_and_the_wider_reader_has_it(opened: Open) -> None:
    reader = opened(LONG * 10 + b'{"a":2,"late":"here"}\n', line_bytes=256)
    assert reader.header.names == ("a", "note")
    with pytest.raises(ColumnsGrew):
        chunks_of(reader)
    wider = reader.widened()
    assert wider.header.names == ("a", "note", "late")
    chunks = chunks_of(wider)
    assert len(chunks) > 1
    assert chunks[-1].table["c2"].to_pylist()[-1] == "here"
    marks = [mark for chunk in chunks for mark in chunk.marks]
    [found] = wider.find_records(np.array([11]), marks)
    assert (found.line, found.cells) == (11, ("2", None, "here"))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"a":1,"b":2,"c":3}\n', "TOO_MANY_COLUMNS"),
        (b'{"a":1}\n{"' + b"n" * 300 + b'":1}\n', "HEADER_NAME_TOO_LONG"),
    ],
)
def test_names_have_limits(opened: Open, content: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as caught:
        opened(content, columns=2)
    assert caught.value.code == code


def test_late_names_have_the_same_limits(opened: Open) -> None:
    late = b"".join(b'{"n%d":1}\n' % number for number in range(20))
    reader = opened(LONG * 10 + late, line_bytes=256, columns=10)
    with pytest.raises(FileRefused) as caught:
        reader.widened()
    assert caught.value.code == "TOO_MANY_COLUMNS"


@pytest.mark.parametrize(
    ("option", "value"), [("delimiter", ";"), ("has_header", False), ("escaped", True)]
)
def test_options_of_csv_contradict_ndjson(opened: Open, option: str, value: object) -> None:
    with pytest.raises(FileRefused) as caught:
        opened(b'{"a":1}\n', ReadOptions(**{option: value}))
    assert caught.value.code == "UNSUPPORTED_FORMAT"
    assert option.removeprefix("has_") in caught.value.message


def test_many_names_make_small_chunks(opened: Open) -> None:
    names = b",".join(b'"n%d":1' % number for number in range(4_000))
    first, *rest = chunks_of(opened(b"{" + names + b"}\n" + b"{}\n" * 3_000))
    assert first.records <= 1_000
    assert sum(chunk.records for chunk in rest) == 3_001 - first.records
