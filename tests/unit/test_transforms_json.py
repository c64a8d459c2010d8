from __future__ import annotations

import base64
import csv
import io
import itertools
import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from json_reference import first_wrong, line_and_column
from transforming import ALL, random_sizes, transform
from waybill.model.limits import Limits
from waybill.transforms import json_items, json_keys, json_rewriting, json_text
from waybill.transforms.json_base64 import base64_to_json, json_to_base64
from waybill.transforms.json_formatting import format_json, minify_json, validate_json
from waybill.transforms.json_keys import KeyBook, Keys
from waybill.transforms.json_tables import json_to_csv, json_to_tsv
from waybill.transforms.json_xml import json_to_xml, xml_name
from waybill.transforms.json_yaml import json_to_yaml
from waybill.transforms.tool import PIECE_BYTES, Options, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.transforms.tool import Action

Json = Any
"""What the json module makes."""

More = Any
"""Options of a tool, and of ``convert``."""

TOOLS = (
    format_json, validate_json, minify_json, json_to_csv, json_to_tsv, json_to_xml, json_to_yaml,
    json_to_base64,
)  # fmt: skip


def convert(
    tool: Action, content: bytes | str, *, seed: int | None = None, limits: Limits | None = None,
    **options: More,
) -> bytes:  # fmt: skip
    data = content.encode() if isinstance(content, str) else content
    sizes = ALL if seed is None else random_sizes(seed, (1, 2, 3, 7, 30, 1000))
    return transform(tool, data, Options(**options), sizes=sizes, limits=limits)


def refusal(tool: Action, content: bytes | str, **more: More) -> Refused:
    with pytest.raises(Refused) as caught:
        convert(tool, content, **more)
    return caught.value


def place(tool: Action, content: bytes | str, **more: More) -> tuple[str, int | None, int | None]:
    refused = refusal(tool, content, **more)
    return refused.code, refused.line, refused.column


@contextmanager
def pieces_of(size: int) -> Iterator[None]:
    """So much is looked at together instead of a piece, so that small documents are cut, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "PIECE_BYTES", size)
        patch.setattr(json_rewriting, "PIECE_BYTES", size)
        yield


@pytest.fixture(params=[PIECE_BYTES, 40, 300])
def piece_bytes(request: pytest.FixtureRequest) -> Iterator[None]:
    with pieces_of(request.param):
        yield


# ---- values and texts


def _texts() -> st.SearchStrategy[str]:
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def _values() -> st.SearchStrategy[Any]:
    numbers = st.one_of(
        st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 9)
    )
    return st.recursive(
        st.one_of(st.none(), st.booleans(), numbers, _texts()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=6), st.dictionaries(_texts(), inner, max_size=6)
        ),
        max_leaves=20,
    )


@st.composite
def _spaced(draw: st.DrawFn, value: Json) -> str:
    """One of the many ways to write it."""
    text = json.dumps(
        value, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 0, 3]))
    )
    space = draw(st.sampled_from(["", " ", "\r\n", "\t\r"]))
    return space + text.replace("\n", space + "\n") + space


_DOCUMENTS = _values().flatmap(_spaced)
_SIZES = st.sampled_from([16, 40, 300, PIECE_BYTES])


@st.composite
def _spoilt(draw: st.DrawFn) -> str:
    """A document with something wrong, perhaps."""
    text = draw(_DOCUMENTS)
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(text)))
        size = draw(st.integers(0, 2))
        new = draw(st.sampled_from([*'{}[],:"\\0-9.eEtfn u\x01é\n\r', "\\u", "01", '"a":1,']))
        text = text[:at] + new + text[at + size :]
    return text


# ---- what is right


@settings(max_examples=150)
@given(_DOCUMENTS, _SIZES, st.integers(0, 8))
def test_formatted_json_is_what_the_json_module_writes(text: str, size: int, tab: int) -> None:
    value = json.loads(text)
    expected = msgspec.json.format(text.encode().lstrip(b"\r\n\t "), indent=tab)
    with pieces_of(size):
        found = convert(format_json, text, tab_space=tab)
        minified = convert(minify_json, text)
    assert found == expected
    assert json.loads(found) == json.loads(minified) == value
    assert b"\n" not in minified
    assert list(_names_in(json.loads(found))) == list(_names_in(value))


def _names_in(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names_in(inner)


@settings(max_examples=300)
@given(_spoilt(), _SIZES, st.integers(0, 99))
def test_the_first_wrong_character_is_told(text: str, size: int, seed: int) -> None:
    most = 6
    wrong = first_wrong(text, most)
    limits = Limits(nesting_depth=most)
    with pieces_of(size):
        if wrong is None:
            written = convert(format_json, text, limits=limits, seed=seed)
            assert json.loads(written) == json.loads(text)
        elif not text.strip(" \t\r\n"):
            assert refusal(format_json, text).code == "EMPTY_INPUT"
        else:
            is_json_so_far = first_wrong(text, len(text)) != wrong
            code = "PAYLOAD_TOO_LARGE" if is_json_so_far else "INVALID_JSON"
            expected = (code, *line_and_column(text, wrong))
            assert place(format_json, text, limits=limits, seed=seed) == expected


@settings(max_examples=60)
@given(_values().flatmap(_spaced), st.integers(0, 99), st.sampled_from(TOOLS))
def test_cuts_change_nothing(text: str, seed: int, tool: Action) -> None:
    whole = _outcome(tool, text)
    for size in (16, 100):
        with pieces_of(size):
            assert _outcome(tool, text, seed=seed) == whole


def _outcome(tool: Action, text: str, **more: More) -> bytes | tuple[object, ...]:
    try:
        return convert(tool, text, **more)
    except Refused as refused:
        return (refused.code, refused.line, refused.column)


def test_the_sample_of_the_vendor_is_formatted_as_shown() -> None:
    text = '{"name":"John","age":30}'
    expected = b'{\n "name": "John",\n "age": 30\n}'
    assert convert(format_json, text, tab_space=1) == expected
    assert convert(validate_json, text, tab_space=7) == expected


def test_one_line_is_written_with_spaces_behind_commas_and_colons() -> None:
    assert convert(format_json, '{"a":[1,2,{}],"b":[]}', tab_space=0) == (
        b'{"a": [1, 2, {}], "b": []}'
    )


@pytest.mark.usefixtures("piece_bytes")
def test_numbers_and_texts_stay_as_they_are_written() -> None:
    text = '[-0,1E400,1.50,12345678901234567890123,"\\u00e9\\/é","\\ud800","\\udc00\\ud83d"]'
    assert convert(minify_json, text) == text.encode()


@pytest.mark.usefixtures("piece_bytes")
@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{\n"a" 1}', 2, 5),
        ("[1,]", 1, 4),
        ('{"a":1,}', 1, 8),
        ("[01]", 1, 3),
        ("[1.]", 1, 4),
        ("[NaN]", 1, 2),
        ("[-Infinity]", 1, 3),
        ('["\x01"]', 1, 3),
        ('["é\\x"]', 1, 5),
        ('["\\u12g4"]', 1, 7),
        ("[1", 1, 3),
        ("tru", 1, 4),
        ("-", 1, 2),
        ('"a', 1, 3),
        ('"' + "a" * 39, 1, 41),
        ("[1]\r\n\r x", 3, 2),
        ("[1] [2],[3]", 1, 5),
        ("1,2", 1, 2),
        ("]", 1, 1),
        ("{]", 1, 2),
        ("[}", 1, 2),
        ("{1:2}", 1, 2),
        ('{"a":1,"b":2,"a":3}', 1, 14),
        ('{"a":1,"\\u0061":3}', 1, 8),
        ('{"a":1,"a" 3}', 1, 8),
        ('{"x":{"a":1},"y":[{"a":1},{"a":2,"a":1}]}', 1, 34),
    ],
)
def test_a_fault_is_told_at_its_place(text: str, line: int, column: int) -> None:
    assert place(format_json, text) == ("INVALID_JSON", line, column)
    assert refusal(format_json, text).message == "JSON validation failed."


@pytest.mark.usefixtures("piece_bytes")
@pytest.mark.parametrize("bracket", ["[", "{", "[ "])
def test_a_comma_behind_an_opening_bracket_is_found_where_the_text_is_cut(bracket: str) -> None:
    text = f'[1,{bracket},"{"a" * 400}"]'
    assert place(minify_json, text) == ("INVALID_JSON", 1, 4 + len(bracket))


@pytest.mark.usefixtures("piece_bytes")
@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b" \r\n\t"])
@pytest.mark.parametrize("tool", TOOLS)
def test_nothing_is_empty(content: bytes, tool: Action) -> None:
    refused = refusal(tool, content, seed=1)
    assert (refused.code, refused.message) == ("EMPTY_INPUT", "The request body is empty.")


@pytest.mark.usefixtures("piece_bytes")
def test_bytes_that_are_not_utf_8_are_told_unless_a_fault_comes_first() -> None:
    for content in (
        b"\xff",
        b"[1]\xff",
        b'["\xc3',
        b'["\xed\xa0\x80"]',
        b"[" + b" " * 90 + b"\xc3(",
    ):
        refused = refusal(format_json, content, seed=3)
        assert refused.code == "INVALID_ENCODING"
        assert refused.message == "The content is not valid UTF-8."
    assert place(format_json, b"[1}\xff") == ("INVALID_JSON", 1, 3)
    assert place(format_json, b'{"a":1,"a":2\xff') == ("INVALID_JSON", 1, 8)


def test_a_byte_order_mark_is_dropped_and_no_column() -> None:
    assert convert(minify_json, b"\xef\xbb\xbf[1]", seed=5) == b"[1]"
    assert place(minify_json, b"\xef\xbb\xbf[x]", seed=5) == ("INVALID_JSON", 1, 2)


@pytest.mark.usefixtures("piece_bytes")
def test_containers_may_be_nested_up_to_the_limit() -> None:
    limits = Limits(nesting_depth=3)
    assert convert(minify_json, "[[[1]], 2]", limits=limits) == b"[[[1]],2]"
    assert place(minify_json, "[[[[1]]]]", limits=limits) == ("PAYLOAD_TOO_LARGE", 1, 4)
    assert place(minify_json, "[1, [[[1]]]]", limits=limits) == ("PAYLOAD_TOO_LARGE", 1, 7)


def test_no_setting_allows_to_nest_without_bound() -> None:
    limits = Limits(nesting_depth=10_000)
    text = "[" * 512 + "]" * 512
    assert convert(minify_json, text, limits=limits) == text.encode()
    assert place(minify_json, f"[{text}]", limits=limits) == ("PAYLOAD_TOO_LARGE", 1, 513)


# ---- large


def test_texts_and_space_longer_than_a_piece_pass() -> None:
    text = "é\\n" * PIECE_BYTES
    space = " " * (2 * PIECE_BYTES)
    content = f'{{"a":{space}["{text}"{space},"{text}"]{space},"b":1}}{space}'
    assert convert(minify_json, content) == f'{{"a":["{text}","{text}"],"b":1}}'.encode()
    expected = line_and_column(content, len(content) - len(space))
    assert place(minify_json, content.rstrip() + "}") == ("INVALID_JSON", *expected)


@pytest.mark.parametrize("size", [PIECE_BYTES + 1, 3 * PIECE_BYTES])
@pytest.mark.parametrize("is_name", [False, True])
def test_numbers_and_names_longer_than_a_piece_are_refused_at_their_begin(
    size: int, is_name: bool
) -> None:
    token = f'{{"{"a" * size}":1}}' if is_name else "1" * size
    column = 4 if is_name else 3
    assert place(minify_json, f"[ {token}]") == ("PAYLOAD_TOO_LARGE", 1, column)


def test_a_name_that_comes_again_far_behind_is_found() -> None:
    members = [f'"name {number}":{{"x":{number}}}' for number in range(120_000)]
    content = "{" + ",\n".join(members) + "}"
    assert len(convert(minify_json, content)) == len(content) - len(members) + 1
    at = content.rindex("}")
    spoilt = content[:at] + ',\n"name 17":0}'
    assert place(minify_json, spoilt) == ("INVALID_JSON", len(members) + 1, 1)


@pytest.mark.usefixtures("piece_bytes")
@pytest.mark.parametrize(
    "name", ["", "a", "x" * 64, "x" * 65, "é" * 90, "\\n" * 40, "\\u0041" * 30]
)
def test_names_of_any_length_are_found_again(name: str) -> None:
    text = f'{{"{name}":1,"b":[{",".join("0" * 60)}],"{name}c":2,"{name}":3}}'
    at = text.rindex(f'"{name}":3')
    assert place(minify_json, text) == ("INVALID_JSON", 1, at + 1)


def test_many_names_are_kept_in_few_runs_of_sixteen_bytes_each() -> None:
    book = KeyBook()
    random_hashes = np.random.default_rng(1).integers(0, 2**63, (2, 5000)).astype(np.uint64)
    for number in range(500):
        mine = random_hashes[:, 10 * number : 10 * number + 10]
        owners = np.zeros(10, dtype=np.int64)
        assert book.enter(Keys(starts=np.arange(10), owners=owners, hashes=mine), [0]) is None
    runs = book._levels[0]._runs
    assert sum(run.nbytes for run in runs) == 16 * 5000
    assert len(runs) < 15
    again = random_hashes[:, [4711]]
    keys = Keys(starts=np.array([3]), owners=np.zeros(1, dtype=np.int64), hashes=again)
    assert book.enter(keys, [0]) == 3


def test_hashes_that_agree_in_one_half_are_of_different_names() -> None:
    hashes = np.array([[5, 5], [1, 2]], dtype=np.uint64)
    keys = Keys(starts=np.arange(2), owners=np.ones(2, dtype=np.int64), hashes=hashes)
    assert json_keys._first_repeated(keys) is None


# ---- tables


def _rows(content: bytes | str, tool: Action = json_to_csv, **more: More) -> list[list[str]]:
    text = convert(tool, content, **more).decode()
    delimiter = "," if tool is json_to_csv else "\t"
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def _cell(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@settings(max_examples=40)
@given(
    st.lists(st.dictionaries(_texts(), _values(), min_size=1, max_size=3), min_size=1, max_size=5),
    _SIZES,
    st.sampled_from([json_to_csv, json_to_tsv]),
)
def test_objects_are_rows_below_their_names(
    rows: list[dict[str, Any]], size: int, tool: Action
) -> None:
    names = list(dict.fromkeys(itertools.chain.from_iterable(rows)))
    expected = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    with pieces_of(size):
        found = _rows(json.dumps(rows, ensure_ascii=False), tool)
    assert found == expected


@settings(max_examples=40)
@given(st.lists(st.lists(_values(), min_size=1, max_size=3), min_size=1, max_size=5), _SIZES)
def test_arrays_are_rows_without_a_header(rows: list[list[Any]], size: int) -> None:
    with pieces_of(size):
        found = _rows(json.dumps(rows, ensure_ascii=False))
    assert found == [[_cell(value) for value in row] for row in rows]


def test_a_table_is_written_like_this() -> None:
    content = """[{"a": 1.50, "b": "x,y", "c": null}, {"d": [1, {"e": "q"}], "a": true},
        {"a": "say \\"no\\"", "b": "line\\nbreak", "c": "\\t"}]"""
    assert convert(json_to_csv, content).decode() == (
        'a,b,c,d\n1.50,"x,y",,\ntrue,,,"[1,{""e"":""q""}]"\n"say ""no""","line\nbreak",\t,\n'
    )
    assert convert(json_to_tsv, content).decode() == (
        'a\tb\tc\td\n1.50\tx,y\t\t\ntrue\t\t\t"[1,{""e"":""q""}]"\n'
        '"say ""no"""\t"line\nbreak"\t"\t"\t\n'
    )


def test_one_object_is_one_row_and_an_empty_array_is_nothing() -> None:
    assert convert(json_to_csv, ' {"a": 1, "b": [2, 3]} ') == b'a,b\n1,"[2,3]"\n'
    assert convert(json_to_csv, " [ ] ") == b""
    assert convert(json_to_csv, '[{"a":null}]') == b'a\n""\n'


@pytest.mark.usefixtures("piece_bytes")
@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        ("5", 1, 1),
        (' "a"', 1, 2),
        ("[1]", 1, 2),
        ('[{"a": "b c"},\n [1]]', 2, 2),
        ('[[1], {"a": 1}]', 1, 7),
        ('[{"a":1},{"b":2},{"c":{"d":[1,2,3]}},  null]', 1, 40),
    ],
)
def test_other_json_is_no_table(content: str, line: int, column: int) -> None:
    refused = refusal(json_to_csv, content)
    assert (refused.code, refused.line, refused.column) == ("INVALID_JSON", line, column)
    assert "array of objects" in refused.message


def test_a_table_has_no_more_columns_than_the_limit() -> None:
    limits = Limits(columns=2)
    assert convert(json_to_csv, '[{"a":1},{"b":2}]', limits=limits)
    assert (
        refusal(json_to_csv, '[{"a":1},{"b":2,"c":3}]', limits=limits).code == "PAYLOAD_TOO_LARGE"
    )


def test_what_must_be_held_together_has_a_bound() -> None:
    size = json_items.MOST_ITEM_BYTES
    long_text = '["' + "a" * (2 * size) + '"]'
    long_row = "[[" + ",".join(["1234567"] * (size // 8 + PIECE_BYTES // 4)) + "]]"
    assert refusal(json_to_yaml, long_text).code == "PAYLOAD_TOO_LARGE"
    assert refusal(json_to_csv, long_row).code == "PAYLOAD_TOO_LARGE"


# ---- XML


def _element(value: Json, name: str) -> list[tuple[Any, ...]]:
    """What the elements of a member are: name, text, elements within."""
    if isinstance(value, list):
        return [_alone(inner, name) for inner in value]
    return [_alone(value, name)]


def _alone(value: Json, name: str) -> tuple[Any, ...]:
    if isinstance(value, dict):
        inner = [_element(each, xml_name(key)) for key, each in value.items()]
        return (name, "", list(itertools.chain.from_iterable(inner)))
    if isinstance(value, list):
        return (name, "", _element(value, "item"))
    return (name, _cell(value), [])


def _parsed(element: etree._Element) -> tuple[Any, ...]:
    inner = [_parsed(each) for each in element]
    return (element.tag, "" if inner else (element.text or "").removesuffix("\n"), inner)


@settings(max_examples=100)
@given(_values(), _SIZES, st.integers(0, 3))
def test_xml_holds_the_same_tree(value: Json, size: int, tab: int) -> None:
    text = json.dumps(value, ensure_ascii=False)
    with pieces_of(size):
        found = _outcome(json_to_xml, text, tab_space=tab, root_name="top")
    if isinstance(found, tuple):
        assert re.search(r"\\u00[01]|\\[bf]|[\ufffe\uffff]", text)
        return
    root = etree.fromstring(found, etree.XMLParser(remove_blank_text=False))
    assert _without_space(_parsed(root)) == _without_space(_alone(value, "top"))


def _without_space(tree: tuple[Any, ...]) -> tuple[Any, ...]:
    name, text, inner = tree
    return (name, text.strip("\n "), [_without_space(each) for each in inner])


def test_xml_is_written_like_this() -> None:
    content = '{"a b":[1,null,"<&>\\r"],"1":{"-":"é"},"l":[[1],[]],"n":[],"o":{},"x:y":""}'
    assert (
        convert(json_to_xml, content).decode()
        == """<?xml version="1.0" encoding="UTF-8"?>
<root>
  <a_b>1</a_b>
  <a_b/>
  <a_b>&lt;&amp;&gt;&#13;</a_b>
  <_1>
    <_->é</_->
  </_1>
  <l>
    <item>1</item>
  </l>
  <l/>
  <o/>
  <x_y/>
</root>
"""
    )
    assert convert(json_to_xml, "[1,[2]]", tab_space=0, root_name="9") == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b"<_9><item>1</item><item><item>2</item></item></_9>\n"
    )


@pytest.mark.usefixtures("piece_bytes")
@pytest.mark.parametrize(
    ("content", "column"),
    [
        ('{"\\u0001": [ "\\u0041\\u0001"]}', 21),
        ('["\\\\u0001", "\\b"]', 14),
        ('["é", "\\t\\f"]', 10),
        ('["\\uFFFE"]', 3),
        ('[1, "é\uffff"]', 7),
    ],
)
def test_characters_that_xml_forbids_are_refused_at_their_place(content: str, column: int) -> None:
    assert place(json_to_xml, content) == ("INVALID_JSON", 1, column)


def test_more_names_than_are_kept_are_written_all_the_same() -> None:
    names = [f"n{number}" for number in range(5000)]
    content = json.dumps([dict.fromkeys(names, 1)])
    root = etree.fromstring(convert(json_to_xml, content))
    assert [element.tag for element in root[0]] == names
    assert list(yaml.safe_load(convert(json_to_yaml, content))[0]) == names


# ---- YAML


@settings(max_examples=150)
@given(_values(), _SIZES, st.booleans())
def test_yaml_loads_as_the_same_values(value: Json, size: int, ascii_only: bool) -> None:
    with pieces_of(size):
        found = convert(json_to_yaml, json.dumps(value, ensure_ascii=ascii_only))
    loaded = yaml.safe_load(found.decode())
    assert loaded == value
    assert list(_names_in(loaded)) == list(_names_in(value))


@pytest.mark.parametrize(
    "text",
    [
        "yes", "No", "on", "OFF", "true", "NULL", "~", "", "y", "N", "012", "0x1f", "1_000",
        "1:20:30",
        "2001-12-14", "2001-12-14T21:59:43Z", "1e5", ".inf", ".NaN", "<<", "=", "- a", "a: b",
        "a #b",
        "a:", "#a", "'a'", '"a"', "[a]", "{a}", "*a", "&a", "!a", "%a", "@a", "`a", "| a", "> a",
        "? a",
        " a", "a ", "---", "...", "a, b", "a,b", "Köln", "a\tb", "\x7f", "\x85", "\u2028", "\ufeff",
        "\ufffe", "😀", "a-b", "a - b", "null ", "_", "a's", "x" * 3000,
    ],
)  # fmt: skip
def test_texts_are_texts_to_yaml(text: str) -> None:
    for value in (text, [text, [text]], {text: text, "k": {text: [1]}}, [{text: [{text: text}]}]):
        for ascii_only in (True, False):
            found = convert(json_to_yaml, json.dumps(value, ensure_ascii=ascii_only))
            assert yaml.safe_load(found.decode()) == value


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,4})?([eE][-+]?[0-9]{1,2})?", fullmatch=True))
def test_numbers_are_the_same_numbers_to_yaml(number: str) -> None:
    written = convert(json_to_yaml, f"[{number}]").decode()
    value = yaml.safe_load(written)[0]
    assert isinstance(value, (int, float))
    assert value == json.loads(number)
    assert json.loads(written.removeprefix("- ")) == json.loads(number)
    if isinstance(yaml.safe_load(number), (int, float)):
        assert written == f"- {number}\n"


@pytest.mark.parametrize(
    ("number", "wanted"), [("1e+22", "1.0e+22"), ("-1.5E5", "-1.5E+5"), ("1E-7", "1.0E-7")]
)
def test_exponents_have_a_point_before_and_a_sign_in_them(number: str, wanted: str) -> None:
    assert convert(json_to_yaml, number).decode() == f"{wanted}\n"


def test_yaml_is_written_like_this() -> None:
    content = '{"a":[1,{"b":"Jo é","c":[]},[2,[3]]],"yes":{"d":null,"e":{}},"f":1.50}'
    assert (
        convert(json_to_yaml, content).decode()
        == """a:
  - 1
  - b: Jo é
    c: []
  - - 2
    - - 3
"yes":
  d: null
  e: {}
f: 1.50
"""
    )
    assert convert(json_to_yaml, "[]") == b"[]\n"
    assert convert(json_to_yaml, '"\\ud83d\\ude00\\\\"') == '"😀\\\\"\n'.encode()


@pytest.mark.usefixtures("piece_bytes")
@pytest.mark.parametrize("tool", [json_to_csv, json_to_xml, json_to_yaml])
def test_half_a_pair_of_surrogates_is_refused_at_its_place(tool: Action) -> None:
    assert convert(tool, '{"a":"\\\\ud800 \\ud83d\\ude00"}')
    assert place(tool, '{\n "é" : "\\ud83d\\ude00\\ud83d"}') == ("INVALID_JSON", 2, 21)
    assert place(tool, '{"a" :"\\ude00"}') == ("INVALID_JSON", 1, 8)


# ---- Base64


@settings(max_examples=60)
@given(_DOCUMENTS, st.integers(0, 99), _SIZES)
def test_base64_holds_the_content_as_it_was(text: str, seed: int, size: int) -> None:
    with pieces_of(size):
        found = convert(json_to_base64, text, seed=seed)
        assert found == base64.b64encode(text.encode())
        spaced = re.sub(rb"(.{5})", rb"\1\r\n", found)
        assert convert(base64_to_json, spaced, seed=seed) == convert(validate_json, text)


@pytest.mark.parametrize("text", ["eyJhIjoxfQ", "eyJhIjoxfQ=", "eyJh\fIjox fQ=="])
def test_base64_may_lack_padding_as_it_may_for_the_decoder(text: str) -> None:
    assert convert(base64_to_json, text) == b'{\n "a": 1\n}'


def test_json_is_judged_before_it_is_encoded() -> None:
    assert place(json_to_base64, "[1") == ("INVALID_JSON", 1, 3)
    assert place(base64_to_json, base64.b64encode(b'{\n"a" 1}')) == ("INVALID_JSON", 2, 5)
    assert refusal(base64_to_json, base64.b64encode(b"\xff")).code == "INVALID_ENCODING"
    assert refusal(base64_to_json, b" \n").code == "EMPTY_INPUT"
    assert convert(base64_to_json, b"\xef\xbb\xbfWzFd", seed=2) == b"[\n 1\n]"


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from(list("WzFdMSwy=*\n -_é")), min_size=1, max_size=14).map("".join),
    st.integers(0, 99),
)
def test_what_is_no_base64_is_refused_as_the_library_refuses_it(text: str, seed: int) -> None:
    digits = re.sub(r"\s", "", text)
    lacking = -len(digits) % 4 if len(digits.rstrip("=")) % 4 > 1 else 0
    try:
        decoded = base64.b64decode(digits + "=" * lacking, validate=True)
    except ValueError:
        decoded = None
    found = _outcome(base64_to_json, text, seed=seed)
    if not digits:
        assert found[0] == "EMPTY_INPUT"
    elif decoded is None:
        assert found[0] in {"INVALID_BASE64", "INVALID_JSON", "INVALID_ENCODING"}
    elif "=" not in text:  # the library takes surplus padding
        assert found[0] != "INVALID_BASE64"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("WzF*", 1, 4),
        ("Wz\nFdW", 2, 4),
        ("MQ==\nMQ==", 2, 1),
        ("M===", 1, 2),
        ("MQ=a", 1, 4),
        ("=", 1, 1),
        ("MTIz====", 1, 5),
    ],
)
def test_a_fault_in_base64_is_told_at_its_place(text: str, line: int, column: int) -> None:
    refused = refusal(base64_to_json, text)
    assert (refused.code, refused.line, refused.column) == ("INVALID_BASE64", line, column)
    assert refused.message == "Base64 decoding failed."
