"""Damaged arrays: the verdict of NDJSON on each element, the same in every chunk, nothing lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from waybill.errors import FileRefused
from waybill.formats.opening import open_reader
from waybill.model.limits import Limits
from waybill.model.options import FileFormat
from waybill.ports.reader import Kind, ReadOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest

    Found = dict[int, tuple[int, object]]

SCALARS = st.none() | st.booleans() | st.integers(-99, 99) | st.sampled_from(["x", 'q"', "\\", "é"])
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2), max_leaves=4)
RECORDS = st.lists(st.dictionaries(st.sampled_from("ab"), VALUES), min_size=1, max_size=6)
SPLINTERS = st.sampled_from(
    [bytes([byte]) for byte in b'{}[]:,"\\ \n\ranu0e-.\xff\x00']
    + [b"\\u00e9", b'"a":1,', b"\\ud800", b"[" * 70 + b"]" * 70, b"{}", b"]}"]
)
DAMAGE = st.lists(st.tuples(st.integers(0, 300), SPLINTERS), max_size=4)
FIRST, LAST = b'{"a":1,"b":2}', b'{"a":"last"}'


def damaged(text: bytes, damage: Sequence[tuple[int, bytes]]) -> bytes:
    for at, splinter in damage:
        text = text[: at % (len(text) + 1)] + splinter + text[at % (len(text) + 1) :]
    return text


def is_closed(element: bytes) -> bool:
    """Whether quotes and brackets of an element are in pairs, so that it ends where it should."""
    depth, is_inside, backslashes = 0, False, 0
    for byte in element:
        if byte == ord('"') and backslashes % 2 == 0:
            is_inside = not is_inside
        elif not is_inside and byte in b"{[":
            depth += 1
        elif not is_inside and byte in b"}]":
            if depth == 0 and byte == ord("]"):
                return False
            depth = max(0, depth - 1)
        elif not is_inside and depth == 0 and byte == ord(","):
            return False
        backslashes = backslashes + 1 if byte == ord("\\") else 0
    return depth == 0 and not is_inside and backslashes == 0


@settings(max_examples=300)
@given(records=RECORDS, damages=st.lists(DAMAGE, min_size=6, max_size=6), is_ascii=st.booleans())
def test_an_element_has_the_verdict_that_its_line_has(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[dict[str, Any]],
    damages: list[list[tuple[int, bytes]]],
    is_ascii: bool,
) -> None:
    whole = [json.dumps(record, ensure_ascii=is_ascii).encode() for record in records]
    broken = [damaged(each, damage) for each, damage in zip(whole, damages, strict=False)]
    broken = [each.strip(b" \n\r") for each in broken]
    elements = [
        each
        for each in (FIRST, *broken, LAST)
        if each and is_closed(each) and b"\n" not in each and b"\r" not in each
    ]
    path = tmp_path_factory.getbasetemp() / "elements"
    lines, _ = read(path, b"\n".join(elements), FileFormat.NDJSON)
    array, refused = read(path, b"[" + b",\n".join(elements) + b"]", FileFormat.JSON)
    assert refused is None
    assert len(array) == len(elements)
    assert {at: found for at, (_, found) in array.items()} == {
        at: found for at, (_, found) in lines.items()
    }


@settings(max_examples=300)
@given(
    records=RECORDS,
    damage=DAMAGE,
    separator=st.sampled_from([b",", b" ,\r\n", b"\n\n,\n"]),
    frame=st.sampled_from([(b"[", b"]"), (b' {"m":{"n":[1]},"r": [\r\n', b'\r],"s":"]"}\n')]),
)
def test_a_damaged_document_is_never_taken_for_a_whole_one(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[dict[str, Any]],
    damage: list[tuple[int, bytes]],
    separator: bytes,
    frame: tuple[bytes, bytes],
) -> None:
    rows = separator.join([FIRST, *(json.dumps(record).encode() for record in records), LAST])
    text = frame[0] + damaged(rows, damage) + frame[1]
    path = tmp_path_factory.getbasetemp() / "documents"
    found, refused = read(path, text, FileFormat.JSON)
    for chunk_bytes in (16, 100):
        assert read(path, text, FileFormat.JSON, chunk_bytes) == (found, refused)
    assert sorted(found) == list(range(1, len(found) + 1))
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        assert refused is not None or any(isinstance(one, str) for _, one in found.values())
        return
    assert refused is None
    array = document if isinstance(document, list) else document["r"]
    assert len(found) == len(array)
    for (byte, one), value in zip(found.values(), array, strict=True):
        assert text[byte : byte + 1] not in b" \r\n,"
        if isinstance(one, dict):
            assert one == {name: each for name, each in value.items() if each is not None}
        else:
            assert one in {"NOT_AN_OBJECT", "DUPLICATE_KEY", "JSON_TOO_DEEP"}


def read(
    path: Path, text: bytes, format_: FileFormat, chunk_bytes: int = 1 << 20
) -> tuple[Found, tuple[str, int | None, int | None] | None]:
    """Of each record its byte and its members, or its code; and the refusal that ended it."""
    path.write_bytes(text)
    options = ReadOptions(encoding="utf-8", format=format_, column_names=("a", "b"))
    found: Found = {}
    try:
        reader = open_reader(
            str(path), options, Limits(header_name_characters=10_000), chunk_bytes=chunk_bytes
        )
        names = reader.header.names
        for chunk in reader.map_chunks(lambda chunk: chunk):
            numbers = chunk.record_numbers.tolist()
            places = chunk.positions.locate(numbers)
            rows = zip(numbers, places, chunk.table.to_pylist(), strict=True)
            for record, (_, byte), row in rows:
                cells = {name: (row[f"c{at}"], row[f"k{at}"]) for at, name in enumerate(names)}
                found[record] = (
                    byte,
                    {
                        name: text if kind == 1 else json.loads(text)
                        for name, (text, kind) in cells.items()
                        if kind not in {None, Kind.ABSENT}
                    },
                )
            found |= {bad.record: (bad.byte, bad.findings[0].code) for bad in chunk.malformed}
    except FileRefused as error:
        return dict(sorted(found.items())), (error.code, error.line, error.byte)
    return dict(sorted(found.items())), None
