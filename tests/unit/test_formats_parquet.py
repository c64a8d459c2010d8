"""Parquet: every type as the text that files of text have, and what is refused."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import io
import random
import struct
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from pyarrow import parquet

from reading import kinds_of, lines_of, malformed_of, open_content, refusal, rows_of
from waybill.errors import FileRefused
from waybill.formats.contained.parquet_columns import texts_of
from waybill.model.limits import Limits
from waybill.ports.reader import Kind
from workbooks import archive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from waybill.ports.reader import Reader

    Open = Callable[..., Reader]

MOMENT = dt.datetime(2024, 2, 29, 13, 5, 6)  # noqa: DTZ001 - read in and without a zone


@pytest.fixture
def open_bytes(tmp_path: Path) -> Open:
    return lambda content, **options: open_content(tmp_path, content, **options)


def parquet_of(table: pa.Table | dict[str, object], **options: object) -> bytes:
    buffer = io.BytesIO()
    rows = table if isinstance(table, pa.Table) else pa.table(table)
    parquet.write_table(rows, buffer, **options)
    return buffer.getvalue()


COLUMNS: list[tuple[pa.Array, str, Kind]] = [
    (pa.array([7], pa.int8()), "7", Kind.NUMBER),
    (pa.array([2**64 - 1], pa.uint64()), "18446744073709551615", Kind.NUMBER),
    (pa.array([1.5]), "1.5", Kind.NUMBER),
    (pa.array([3.0]), "3", Kind.NUMBER),
    (pa.array([Decimal("1.50")]), "1.50", Kind.NUMBER),
    (pa.array([0.1], pa.float32()), "0.1", Kind.NUMBER),
    (pa.array([1.5], pa.float16()), "1.5", Kind.NUMBER),
    (pa.array([Decimal(0)], pa.decimal128(20, 9)), "0.000000000", Kind.NUMBER),
    (pa.array([Decimal("1E-20")], pa.decimal128(38, 20)), "0." + 19 * "0" + "1", Kind.NUMBER),
    (pa.array([True]), "true", Kind.BOOLEAN),
    (pa.array(["Ann"]), "Ann", Kind.STRING),
    (pa.array([""]), "", Kind.STRING),
    (pa.array(["Ann"]).dictionary_encode(), "Ann", Kind.STRING),
    (pa.array(["Ann"], pa.large_string()), "Ann", Kind.STRING),
    (pa.array([b"Ann"]), "Ann", Kind.STRING),
    (pa.array([MOMENT.date()]), "2024-02-29", Kind.CELL_DATE),
    (pa.array([MOMENT], pa.timestamp("s")), "2024-02-29T13:05:06", Kind.CELL_DATE),
    (pa.array([MOMENT], pa.timestamp("us", "UTC")), "2024-02-29T13:05:06Z", Kind.CELL_DATE),
    (pa.array([MOMENT.replace(microsecond=120_000)]), "2024-02-29T13:05:06.12", Kind.CELL_DATE),
    (pa.array([MOMENT.time()], pa.time32("s")), "13:05:06", Kind.CELL_DATE),
    (pa.array([2**31 - 1], pa.date32()), "5881580-07-11", Kind.CELL_DATE),
    (pa.array([2**62], pa.timestamp("ms")), "146140482-04-24T15:36:27.904", Kind.CELL_DATE),
    (pa.array([1], pa.time64("ns")), "00:00:00.000000001", Kind.CELL_DATE),
    (pa.array([{"a": 1, "b": None}]), '{"a":1,"b":null}', Kind.OBJECT),
    (pa.array([[1, 2]]), "[1,2]", Kind.ARRAY),
    (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), '{"a":1}', Kind.OBJECT),
    (pa.array([[(b"a", 1)]], pa.map_(pa.binary(), pa.int64())), '{"a":1}', Kind.OBJECT),
    (
        pa.array([[(0, [("a", 1)])]], pa.map_(pa.date32(), pa.map_(pa.string(), pa.int8()))),
        '{"1970-01-01":{"a":1}}',
        Kind.OBJECT,
    ),
    (
        pa.array([[{"a": 2**62}, None]], pa.list_(pa.struct({"a": pa.timestamp("us")}))),
        '[{"a":"148108-07-06T14:00:27.387904"},null]',
        Kind.ARRAY,
    ),
    (
        pa.array([{"a": 1}], pa.struct({"a": pa.time64("ns")})),
        '{"a":"00:00:00.000000001"}',
        Kind.OBJECT,
    ),
    (pa.array([{"a": 0.1}], pa.struct({"a": pa.float32()})), '{"a":0.1}', Kind.OBJECT),
]


@pytest.mark.parametrize(("column", "text", "kind"), COLUMNS)
def test_each_type_has_its_text_and_kind(
    open_bytes: Open, column: pa.Array, text: str, kind: Kind
) -> None:
    both = pa.concat_arrays([column, pa.nulls(1, column.type)])
    reader = open_bytes(parquet_of({"x": both}))
    assert rows_of(reader) == [(text,), (None,)]
    assert kinds_of(open_bytes(parquet_of({"x": both}))) == [(kind,), (None,)]


def test_rows_have_their_numbers_as_lines(open_bytes: Open) -> None:
    reader = open_bytes(parquet_of({"n": list(range(10_000))}, row_group_size=3_000))
    assert reader.header.facts == {"format": "parquet", "compression": "none"}
    assert lines_of(reader) == list(range(1, 10_001))


def test_a_type_without_text_is_refused_by_name(open_bytes: Open) -> None:
    error = refusal(lambda: open_bytes(parquet_of({"gap": pa.array([dt.timedelta(1)])})))
    assert (error.code, "'gap'" in error.message) == ("PARQUET_TYPE", True)


def test_bytes_that_are_no_text_reject_their_row_alone(open_bytes: Open) -> None:
    content = parquet_of({"n": [1, 2, 3], "x": pa.array([b"a", b"\xff", b"c"])})
    assert rows_of(open_bytes(content)) == [("1", "a"), ("3", "c")]
    [record] = malformed_of(open_bytes(content))
    assert (record.record, record.findings[0].code) == (2, "ENCODING_INVALID")


def test_nan_inside_of_an_object_rejects_its_row(open_bytes: Open) -> None:
    content = parquet_of({"x": pa.array([{"a": 1.0}, {"a": float("nan")}])})
    [record] = malformed_of(open_bytes(content))
    assert (record.record, record.findings[0].code) == (2, "JSON_INVALID")


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: archive({"stores.parquet": data})])
def test_a_packed_file_is_read(open_bytes: Open, pack: Callable[[bytes], bytes]) -> None:
    assert rows_of(open_bytes(pack(parquet_of({"n": [1]})))) == [("1",)]


def test_s73_a_small_file_of_many_rows_meets_the_ratio(open_bytes: Open) -> None:
    rows = pa.table({"x": pa.array(["x" * 1000]).dictionary_encode().take([0] * 100_000)})
    content = parquet_of(rows)
    assert len(content) < 500_000
    assert refusal(lambda: rows_of(open_bytes(content))).code == "DECOMPRESSION_LIMIT"


def test_s73_damage_is_always_one_of_our_errors(open_bytes: Open) -> None:
    content = parquet_of({"n": list(range(500)), "x": ["a"] * 500})
    source = random.Random(73)  # noqa: S311 - the same damage each time
    for _ in range(12):
        damaged = bytearray(content)
        for _ in range(8):
            damaged[source.randrange(4, len(damaged))] = source.randrange(256)
        with contextlib.suppress(FileRefused):  # any other error fails
            assert len(rows_of(open_bytes(bytes(damaged)))) <= 500


def test_a_cut_file_is_invalid(open_bytes: Open) -> None:
    content = parquet_of({"n": [1]})
    assert refusal(lambda: open_bytes(content[:-20])).code == "PARQUET_INVALID"


def test_a_report_in_parquet_has_no_escapes_to_undo(open_bytes: Open) -> None:
    reader = open_bytes(parquet_of({"x": ["'=1+1"], "_record": [1]}))
    assert rows_of(reader) == [("'=1+1", "1")]


def test_nested_values_are_the_same_in_any_slice() -> None:
    inner = pa.map_(pa.string(), pa.list_(pa.int8()))
    rows = [{"m": [("a", [1]), ("b", [])], "l": [1, 2]}, None, {"m": None, "l": None}, {"m": []}]
    column = pa.array(rows * 3, pa.struct({"m": inner, "l": pa.list_(pa.int8(), 2)}))
    whole = texts_of(column)[0].to_pylist()
    assert whole[:3] == ['{"m":{"a":[1],"b":[]},"l":[1,2]}', None, '{"m":null,"l":null}']
    for begin in range(len(column)):
        assert texts_of(column.slice(begin, 3))[0].to_pylist() == whole[begin : begin + 3]


@pytest.mark.parametrize(
    ("column", "code"),
    [
        (pa.array([[("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64())), "DUPLICATE_KEY"),
        (pa.array([[(b"\xff", 1)]], pa.map_(pa.binary(), pa.int64())), "ENCODING_INVALID"),
        (pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]), "DUPLICATE_KEY"),
    ],
)
def test_what_an_object_cannot_hold_rejects_its_row(
    open_bytes: Open, column: pa.Array, code: str
) -> None:
    [bad] = malformed_of(open_bytes(parquet_of({"x": column})))
    assert bad.findings[0].code == code


def test_text_that_is_no_utf8_rejects_its_row_alone(open_bytes: Open) -> None:
    content = parquet_of({"x": ["Ann", "BXb", "Cid"]}, use_dictionary=False, compression="none")
    reader = open_bytes(content.replace(b"BXb", b"B\xffb"))
    assert [bad.findings[0].code for bad in malformed_of(reader)] == ["ENCODING_INVALID"]
    assert rows_of(reader) == [("Ann",), ("Cid",)]


@pytest.mark.parametrize("make", [pa.list_, lambda kind: pa.struct({"a": kind})])
def test_values_nested_too_deeply_are_refused(
    open_bytes: Open, make: Callable[[pa.DataType], pa.DataType]
) -> None:
    kind: pa.DataType = pa.int8()
    for _ in range(70):
        kind = make(kind)
    content = parquet_of({"x": pa.nulls(1, kind)})
    assert refusal(lambda: open_bytes(content)).code in {"PARQUET_TYPE", "PARQUET_INVALID"}


def test_text_that_is_none_rejects_its_row_alone(open_bytes: Open) -> None:
    offsets = pa.py_buffer(struct.pack("<4i", 0, 3, 5, 8))
    names = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"Ann\xff\xfeBob")])
    reader = open_bytes(parquet_of({"name": names}))
    [record] = malformed_of(reader)
    assert (record.line, record.findings[0].code) == (2, "ENCODING_INVALID")
    assert rows_of(reader) == [("Ann",), ("Bob",)]


def test_a_lack_of_memory_is_not_called_damage(open_bytes: Open) -> None:
    text = pa.array(["x" * 2**20]).dictionary_encode()
    rows = pa.DictionaryArray.from_arrays(pa.array([0] * 3_000), text.dictionary)
    limits = Limits(parser_memory_bytes=2**30, inflate_ratio=10**6)
    error = refusal(lambda: rows_of(open_bytes(parquet_of({"name": rows}), limits=limits)))
    assert error.code == "PARSER_MEMORY"
    assert f"parser_memory_bytes of {2**30}" in error.message
