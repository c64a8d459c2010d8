"""Splitting JSON objects by arrays gives what a JSON library gives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.formats.json_members import split_members
from waybill.ports.reader import Kind

KINDS = {str: Kind.STRING, int: Kind.NUMBER, float: Kind.NUMBER, bool: Kind.BOOLEAN}
KINDS |= {dict: Kind.OBJECT, list: Kind.ARRAY}
NAMES = st.sampled_from(["a", "b", 'q"', "back\\", "dé", "{}[]:,", ""])
TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text('"\\{}[]:, \n')
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, width=32) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(NAMES, VALUES, max_size=5), min_size=1, max_size=6)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" , ", "\t:\r")])


@given(objects=OBJECTS, separators=SEPARATORS, is_ascii=st.booleans())
def test_each_member_has_its_text_and_kind(
    objects: list[dict[str, Any]], separators: tuple[str, str], is_ascii: bool
) -> None:
    lines = [json.dumps(one, ensure_ascii=is_ascii, separators=separators) for one in objects]
    members = split_members("\n".join(lines).encode())
    assert set(members.columns.names) == {name for one in objects for name in one}
    wanted = ["a", "b", 'q"', "back\\", "dé", "{}[]:,", "", "in none of them"]
    for name, (texts, kinds) in members.cells(wanted).items():
        for one, text, kind in zip(objects, texts.to_pylist(), kinds.to_pylist(), strict=True):
            value = one.get(name)
            absent = None if name in one else Kind.ABSENT
            assert kind == (absent if value is None else KINDS[type(value)])
            if isinstance(value, str) or value is None:
                assert text == value
            else:
                assert json.loads(text) == value


@pytest.mark.parametrize(
    ("objects", "repeated"),
    [
        ([b'{"a":1,"a":2}', b'{"a":1}'], [0]),
        ([b'{"a":1}', b'{"a":null,"b":1,"\\u0061":2}'], [1]),
        ([b'{"a":{"a":1}}', b"{}", b'{"b":[{"b":1,"b":1}]}'], []),
    ],
)
def test_a_member_named_twice_is_told(objects: list[bytes], repeated: list[int]) -> None:
    assert split_members(b"\n".join(objects)).repeated.tolist() == repeated


def test_the_text_of_a_number_stays_as_it_was_written() -> None:
    texts, _ = split_members(b'{"a": 1.50e3 }\n{"a":-0.0}').cells(["a"])["a"]
    assert texts.to_pylist() == ["1.50e3", "-0.0"]
