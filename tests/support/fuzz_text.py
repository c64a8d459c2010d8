"""Damaged text, plain and packed: what is read of it, against readers that are not ours."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from csv_oracle import Expected, QuoteOpen, letter_by_letter
from fuzz_mutations import JSON_TOKENS, damage, damage_tokens, damage_zip
from fuzz_tables import LIMITS, table_of
from in_process import Job, told
from json_oracle import elements_of, expected_of
from waybill.errors import ColumnsGrew, FileRefused
from waybill.formats.opening import open_reader
from waybill.model.limits import MEBIBYTE
from waybill.model.options import FileFormat
from waybill.ports.reader import Kind, ReadOptions
from waybill.validation.codes import CATALOGUE
from workbooks import archive

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from fuzz_tables import Case
    from waybill.ports.reader import Reader


@dataclass
class Read:
    """What a reader gave before it ended; a malformed record has no cells."""

    names: tuple[str, ...] = ()
    records: dict[int, tuple[Any, int, int | None]] = field(default_factory=dict)
    bad: set[int] = field(default_factory=set)
    refusal: FileRefused | None = None


def read_all(path: Path, options: ReadOptions, chunk_bytes: int) -> Read:
    """The records of a text format, every one accounted for."""
    found = Read()
    try:
        reader = open_reader(str(path), options, LIMITS, chunk_bytes=chunk_bytes)
        try:
            _take_chunks(found, reader)
        except ColumnsGrew:
            found = Read()
            _take_chunks(found, reader.widened())
    except FileRefused as refusal:
        found.refusal = refusal
    assert found.refusal is None or found.refusal.code in CATALOGUE
    assert found.refusal is None or "it ended with" not in found.refusal.message
    return found


def _take_chunks(found: Read, reader: Reader) -> None:
    found.names = reader.header.names
    for chunk in reader.map_chunks(lambda chunk: chunk):
        assert chunk.first_record == len(found.records) + 1
        numbers = chunk.record_numbers.tolist()
        places = chunk.positions.locate(numbers)
        for number, row, place in zip(numbers, chunk.table.to_pylist(), places, strict=True):
            found.records[number] = (tuple(row.values()), *place)
        for bad in chunk.malformed:
            found.records[bad.record] = (bad.cells, bad.line, bad.byte)
            found.bad.add(bad.record)
        assert len(found.records) == chunk.first_record + chunk.records - 1


def csv_case(random: Random) -> Case:
    rows, delimiter = table_of(random), random.choice(",;\t|")
    buffer = io.StringIO()
    writer = csv.writer(
        buffer,
        delimiter=delimiter,
        quoting=random.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
        lineterminator=random.choice(("\n", "\r\n", "\r")),
    )
    writer.writerows([[f"n{at}" for at in range(len(rows[0]))], *rows])
    encoding = random.choice(("utf-8", "utf-8", "utf-16", "cp1252", ""))
    content = damage(random, buffer.getvalue().encode(encoding or "utf-8", "replace"))
    options = ReadOptions(delimiter=delimiter, encoding=encoding, threads=1)
    size = random.randint(1, 90)
    return content, lambda path: _check_csv(path, options, size)


def _check_csv(path: Path, options: ReadOptions, size: int) -> None:
    found = read_all(path, options, size)
    again = read_all(path, options, MEBIBYTE)
    assert (found.names, found.records, found.bad) == (again.names, again.records, again.bad)
    try:
        text = path.read_bytes().decode(options.encoding or "ascii")
    except UnicodeDecodeError:
        return
    text = text.removeprefix("\ufeff") if options.encoding == "utf-8" else text
    if found.refusal and not found.records:
        return
    expected, is_open = _expected(text, options.delimiter)
    assert (found.refusal is not None and found.refusal.code == "QUOTE_UNCLOSED") == is_open
    records = [Expected(*found.records[number]) for number in sorted(found.records)]
    assert records == [record for record, _ in expected[1:]]


def _expected(text: str, delimiter: str) -> tuple[list[tuple[Expected, bool]], bool]:
    """The records before a quote that is never closed, and whether there is one."""
    try:
        return letter_by_letter(text, delimiter), False
    except QuoteOpen as error:
        return error.records, True


def json_lines_case(random: Random) -> Case:
    text = random.choice((b"\n", b"\r\n", b"\n\n")).join(_json_records(random))
    first = b'{"a":1,"b":2}\n' if random.random() < 0.9 else b""
    content = first + _spoiled_json(random, text)
    size = random.choice((16, 64, MEBIBYTE))
    return content, lambda path: _check_json_lines(path, size, is_certain=bool(first))


def json_case(random: Random) -> Case:
    gap = random.choice((b"", b"\n", b" "))
    text = b"[" + gap + (b"," + gap).join([b'{"a":1,"b":2}', *_json_records(random)]) + gap + b"]"
    content = b"[" + _spoiled_json(random, text[1:])
    size = random.choice((16, 64, MEBIBYTE))
    return content, lambda path: _check_json(path, size)


def _json_records(random: Random) -> list[bytes]:
    values = (None, True, -1.5, 12, "x", 'q"\\', "é", [1, {"a": []}], {})
    return [
        json.dumps(
            {name: random.choice(values) for name in random.sample("abcd", random.randint(0, 4))},
            ensure_ascii=random.random() < 0.5,
        ).encode()
        for _ in range(random.randint(1, 10))
    ]


def _spoiled_json(random: Random, text: bytes) -> bytes:
    is_by_token = random.random() < 0.5
    return damage_tokens(random, text, JSON_TOKENS) if is_by_token else damage(random, text)


def _check_json(path: Path, size: int) -> None:
    """A document that is JSON is read as it is; in any other, the damage is told."""
    options = ReadOptions(
        encoding="utf-8", format=FileFormat.JSON, threads=1, column_names=("a", "b")
    )
    found = read_all(path, options, size)
    elements = elements_of(path.read_bytes())
    if elements is None:
        assert found.refusal is not None or found.bad
        return
    if found.refusal is not None:
        assert found.refusal.code in {"HEADER_NAME_TOO_LONG", "RECORDS_NOT_FOUND"}
        return
    assert sorted(found.records) == list(range(1, len(elements) + 1))
    for number, members in enumerate(elements, start=1):
        assert (members is None) == (number in found.bad), number
        if members is not None:
            assert _members(found, number) == members


def _check_json_lines(path: Path, size: int, *, is_certain: bool) -> None:
    found = read_all(path, ReadOptions(encoding="utf-8", threads=1), size)
    if not is_certain:
        return
    if found.refusal is not None:
        assert found.refusal.code == "HEADER_NAME_TOO_LONG"
        return
    expected = [expected_of(line) for line in re.split(rb"[\r\n]", path.read_bytes()) if line]
    assert sorted(found.records) == list(range(1, len(expected) + 1))
    for number, members in enumerate(expected, start=1):
        assert (members is None) == (number in found.bad), number
        if members is not None:
            assert _members(found, number) == members


def _members(found: Read, number: int) -> dict[str, Any]:
    row, width = found.records[number][0], len(found.names)
    return {
        name: text if kind == Kind.STRING else json.loads(text)
        for name, text, kind in zip(found.names, row[:width], row[width:], strict=True)
        if kind not in {None, Kind.ABSENT}
    }


def packed_case(random: Random) -> Case:
    text = b"n,m\n" + b"".join(b"%d,x%d\n" % (at, at) for at in range(random.randint(0, 300)))
    match random.choice(("gzip", "zip", "zstd")):
        case "gzip":
            content = b"".join(gzip.compress(text, mtime=0) for _ in range(random.randint(1, 2)))
            return damage(random, content), _check_gzip
        case "zstd":
            sink = pa.BufferOutputStream()
            with pa.CompressedOutputStream(sink, "zstd") as stream:
                stream.write(text)
            content = damage(random, sink.getvalue().to_pybytes())
            return content, lambda path: read_all(path, ReadOptions(threads=1), 64) and None
        case _:
            content = archive({"a.csv": text})
            content = random.choice((damage, damage_zip))(random, content)
            return content, lambda path: _check_zip(path, text)


def _check_gzip(path: Path) -> None:
    found, content = (
        read_all(path, ReadOptions(threads=1, delimiter=","), MEBIBYTE),
        path.read_bytes(),
    )
    if not content.startswith(b"\x1f\x8b"):
        return
    try:
        text = gzip.decompress(content).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        assert found.refusal is not None
        return
    if found.refusal is None:
        cells = [found.records[number][0] for number in sorted(found.records)]
        assert cells == [tuple(line.split(",")) for line in text.splitlines()[1:]]


def _check_zip(path: Path, whole: bytes) -> None:
    told(Job.INSPECT, path, limits=LIMITS)
    answer = told(Job.UNPACK, path, limits=LIMITS)
    if answer.refusal is None:
        assert answer.data == whole


FRONT = (
    b"PK\x03\x04", b"PK", b"PAR1", b"<", b"<?xml ", b"[", b"{", b"\x1f\x8b", b"\x28\xb5\x2f\xfd",
    b"\xff\xfe", b"\xd0\xcf\x11\xe0", b"", b"id,n\n", b" ", b"\0\0\xfe\xff",
)  # fmt: skip


def any_case(random: Random) -> Case:
    """Anything behind the first bytes of a format, through the door that the server uses."""
    body = random.choice((random.randbytes(random.randint(0, 200)), b"a,b\n1,2\n", b"</r>", b"]}"))
    content = random.choice(FRONT) + body
    return content, lambda path: read_all(path, ReadOptions(threads=1), 64) and None
