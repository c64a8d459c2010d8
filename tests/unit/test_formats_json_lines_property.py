"""Damaged NDJSON, line by line, against a JSON library: no line is lost, moved or taken wrongly."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from json_oracle import expected_of
from waybill.formats.opening import open_reader
from waybill.model.limits import Limits
from waybill.ports.reader import Kind, ReadOptions

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

FIRST = b'{"a":1,"b":2}'
SCALARS = st.none() | st.booleans() | st.integers(-99, 99) | st.sampled_from(["x", 'q"', "\\", "é"])
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2), max_leaves=4)
RECORDS = st.lists(st.dictionaries(st.sampled_from("ab"), VALUES), min_size=1, max_size=6)
SPLINTERS = st.sampled_from(
    [bytes([byte]) for byte in b'{}[]:,"\\ \n\ranu0e-.\xff\x00']
    + [b"\\u00e9", b'"a":1,', b"\\ud800"]
)
DAMAGE = st.lists(st.tuples(st.integers(0, 300), SPLINTERS), max_size=4)


@settings(max_examples=300)
@given(
    records=RECORDS,
    damage=DAMAGE,
    is_ascii=st.booleans(),
    chunk_bytes=st.sampled_from([16, 64, 1 << 20]),
)
def test_each_line_is_what_it_is_alone(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[dict[str, Any]],
    damage: list[tuple[int, bytes]],
    is_ascii: bool,
    chunk_bytes: int,
) -> None:
    lines = [json.dumps(record, ensure_ascii=is_ascii).encode() for record in records]
    text = b"\n".join(lines)
    for at, splinter in damage:
        text = text[: at % (len(text) + 1)] + splinter + text[at % (len(text) + 1) :]
    text = FIRST + b"\n" + text
    found = _read(tmp_path_factory.getbasetemp() / "lines", text, chunk_bytes)
    expected = [expected_of(line) for line in re.split(rb"[\r\n]", text) if line]
    assert sorted(found) == list(range(1, len(expected) + 1))
    for record, members in enumerate(expected, start=1):
        if members is None:
            assert isinstance(found[record], str)
        else:
            assert found[record] == members


def _read(path: Path, text: bytes, chunk_bytes: int) -> dict[int, dict[str, Any] | str]:
    path.write_bytes(text)
    reader = open_reader(
        str(path), ReadOptions(encoding="utf-8"), Limits(), chunk_bytes=chunk_bytes
    )
    names, found = reader.header.names, {}
    for chunk in reader.map_chunks(lambda chunk: chunk):
        rows = zip(chunk.record_numbers.tolist(), chunk.table.to_pylist(), strict=True)
        for record, row in rows:
            cells = {name: (row[f"c{at}"], row[f"k{at}"]) for at, name in enumerate(names)}
            found[record] = {
                name: text if kind == 1 else json.loads(text)
                for name, (text, kind) in cells.items()
                if kind not in {None, Kind.ABSENT}
            }
        found.update({bad.record: bad.findings[0].code for bad in chunk.malformed})
    return found
