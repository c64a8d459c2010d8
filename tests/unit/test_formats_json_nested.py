"""Members of members fill columns: the texts and kinds that a JSON library finds there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waybill.formats.opening import open_reader
from waybill.model.limits import Limits
from waybill.model.options import FileFormat
from waybill.ports.reader import Kind, MemberPath, ReadOptions

if TYPE_CHECKING:
    from pathlib import Path

    from waybill.ports.reader import RawChunk, Reader

STORES = MemberPath(pointer="/in/stores", names=("stores", "shops", "/in/stores"))
DEEP = MemberPath(pointer="/in/a~1b/x", names=("x", "/in/a~1b/x"))
KINDS = {str: Kind.STRING, int: Kind.NUMBER, bool: Kind.BOOLEAN, dict: Kind.OBJECT}
KINDS |= {list: Kind.ARRAY, type(None): None}


def opened(path: Path, text: str, **options: object) -> Reader:
    path.write_text(text)
    known = ReadOptions(member_paths=(STORES, DEEP), **options)
    return open_reader(str(path), known, Limits())


def chunk_of(reader: Reader) -> RawChunk:
    [chunk] = reader.map_chunks(lambda chunk: chunk)
    return chunk


def cells(reader: Reader, name: str) -> list[tuple[str | None, int | None]]:
    at = reader.header.names.index(name)
    table = chunk_of(reader).table
    texts, kinds = table[f"c{at}"].to_pylist(), table[f"k{at}"].to_pylist()
    return list(zip(texts, kinds, strict=True))


def test_a_nested_member_is_a_column_under_its_path(tmp_path: Path) -> None:
    lines = [
        '{"id": 1, "in": {"stores": [1, "b"], "other": {"stores": 0}}}',
        '{"id": 2, "in": {"stores": null}}',
        '{"id": 3, "in": {}}',
        '{"id": 4}',
        '{"id": 5, "in": null}',
        '{"id": 6, "in": {"other": 1, "stores": "\\u00e4\\"", "a/b": {"x": 1.50}}}',
    ]
    reader = opened(tmp_path / "in", "\n".join(lines))
    assert reader.header.names == ("id", "in", "/in/stores", "/in/a~1b/x")
    absent = (None, Kind.ABSENT)
    assert cells(reader, "/in/stores") == [
        ('[1, "b"]', Kind.ARRAY),
        (None, None),
        absent,
        absent,
        absent,
        ('ä"', Kind.STRING),
    ]
    deep = cells(opened(tmp_path / "in", "\n".join(lines)), "/in/a~1b/x")
    assert deep == [absent] * 5 + [("1.50", Kind.NUMBER)]


def test_it_fills_the_column_of_the_fields_own_member(tmp_path: Path) -> None:
    text = '{"shops": 1, "in": {}}\n{"in": {"stores": 2}}\n{"shops": null}\n'
    reader = opened(tmp_path / "in", text)
    assert reader.header.names == ("shops", "in", "/in/a~1b/x")
    assert cells(reader, "shops") == [("1", Kind.NUMBER), ("2", Kind.NUMBER), (None, None)]


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ('{"stores": 1, "in": {"stores": 1}}', "DUPLICATE_KEY"),
        ('{"stores": null, "in": {"stores": null}}', "DUPLICATE_KEY"),
        ('{"in": {"stores": 1, "stores": 2}}', "DUPLICATE_KEY"),
        ('{"in": "x"}', "KIND_MISMATCH"),
        ('{"in": [{"stores": 1}]}', "KIND_MISMATCH"),
        ('{"in": {"a/b": 5}}', "KIND_MISMATCH"),
    ],
)
def test_what_can_be_read_in_two_ways_or_in_none_is_rejected_alone(
    tmp_path: Path, record: str, code: str
) -> None:
    text = '{"stores": 0, "in": {}}\n' + record + '\n{"in": {"stores": 3}}\n'
    chunk = chunk_of(opened(tmp_path / "in", text))
    assert chunk.record_numbers.tolist() == [1, 3]
    assert chunk.table["c0"].to_pylist() == ["0", "3"]
    assert [(bad.record, bad.line, bad.findings[0].code) for bad in chunk.malformed] == [
        (2, 2, code)
    ]


def test_records_without_the_outer_member_have_no_such_column(tmp_path: Path) -> None:
    assert opened(tmp_path / "in", '{"id": 1}').header.names == ("id",)
    table = opened(tmp_path / "in", 'id,in\n1,"{""stores"": 1}"\n')
    assert table.header.names == ("id", "in")


def test_places_lead_to_the_nested_member(tmp_path: Path) -> None:
    text = '{"all": [{"in": {"stores": 1}}]}'
    reader = opened(tmp_path / "in", text, format=FileFormat.JSON)
    assert reader.header.places is not None
    assert list(reader.header.places.steps) == ["/in", "/in/stores", "/in/a~1b/x"]


def test_records_are_found_again_with_their_nested_cells(tmp_path: Path) -> None:
    text = "".join(f'{{"in": {{"stores": {n}}}}}\n' for n in range(100))
    reader = opened(tmp_path / "in", text)
    marks = chunk_of(reader).marks
    again = opened(tmp_path / "in", text, known_columns=reader.header.names)
    assert again.header.names == reader.header.names
    [found] = again.find_records(np.array([42]), marks)
    assert found.cells == ('{"stores": 41}', "41", None)
    assert found.kinds == "on-"


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.lists(st.none())
INNER = st.dictionaries(st.sampled_from(["stores", "a", "in", 'q"']), VALUES, max_size=3)
RECORDS = st.lists(st.dictionaries(st.sampled_from(["in", "b"]), INNER), min_size=1, max_size=6)


@given(records=RECORDS)
@settings(max_examples=60, deadline=None)
def test_nested_cells_are_those_of_a_json_library(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, dict[str, Any]]]
) -> None:
    text = "\n".join(map(json.dumps, [{"in": {}}, *records]))
    reader = opened(tmp_path_factory.getbasetemp() / "nested", text, encoding="utf-8")
    found = cells(reader, "/in/stores")[1:]
    for record, (shown, kind) in zip(records, found, strict=True):
        inner = record.get("in", {})
        if "stores" not in inner:
            assert (shown, kind) == (None, Kind.ABSENT)
            continue
        value = inner["stores"]
        assert kind == KINDS[type(value)]
        assert (shown if isinstance(value, str) or value is None else json.loads(shown)) == value
