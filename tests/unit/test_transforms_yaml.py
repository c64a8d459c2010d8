from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from transforming import converted, converted_in_pieces, fault, refusal
from waybill.model.limits import Limits
from waybill.transforms.tool import PIECE_BYTES
from waybill.transforms.yaml_formatting import format_yaml
from waybill.transforms.yaml_to_xml import yaml_to_xml

WORDS = st.one_of(
    st.sampled_from(["", "a", "yes", "1", "~", "- x", "a: b", "# c", "x\n", " x\n\n y", "<&>"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\ufffe\uffff"), max_size=9),
    st.text(st.sampled_from("ab \n#:-'\""), max_size=30),
)
KEYS = WORDS.filter(lambda word: not word.startswith(("@", "#")) and ":" not in word)
VALUES = st.recursive(
    st.one_of(WORDS, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
ADDED = ["", " ", "\n", "- ", "# ", ": ", "'", "[", "}", "|", "\t", "  x"]
FORBIDDEN = {*map(chr, range(32)), "\ufffe", "\uffff"} - {"\t", "\n", "\r"}
STR = "tag:yaml.org,2002:str"
WRITTEN = [
    """\
# top
a:   1 # t



b:
- x
-   k: v
    l: w
    # in
-
    m: 1
- - a
  - b
-   |
     lit
      more
   # behind
c: >2-
   fold
  x

  y
d: {a: 1,
 e: [1,
  2
 ]}
f: &anc
    g: 'q
   r

      s'
h: *anc
? complex
: val
? - a
  - b
:   - c
    - d
""",
    "--- |\n  text\n # c\n--- foo\nbar\n...\n%YAML 1.1\n---\na: 1\n",
    "- &a\n  k: v\n- !!map\n    k: v\n- &x k: v\n  l: 1\n",
    "a:\n  'x\n  y'\nb:\n  - |2\n     k\n  - |+\n    t\n\n\nc: \"q \\\n   r\"\n",
    "[a,\n b,\n   {c: d\n   }\n ]\n",
    "a: |\n  x",
    "key: !!str\n  |2\n   x\n",
    "'k': {\n a: 'x\n  y',\n\n # com\n b: c }  # d\n",
    "a: b\r\nc: |\r\n  d\r\n\r\n  e\r\ne: f",
    "foo\n bar",
    "'a: |2 # x': |2\n  y\n",
    "a: x\x85b: |\n  y\u2028  z\n",
]


def said(stream: str) -> list[tuple[object, ...]]:
    """The events of a stream without their styles."""
    return [
        (type(event), getattr(event, "anchor", None), _tag(event), _value(event))
        for event in yaml.parse(stream, Loader=yaml.CSafeLoader)
    ]


def _tag(event: yaml.Event) -> str | None:
    tag: str | None = getattr(event, "tag", None)
    is_quoted = isinstance(event, yaml.ScalarEvent) and not event.implicit[0]
    return None if tag == "!" or (is_quoted and tag == STR) else tag


def _value(event: yaml.Event) -> str | None:
    if isinstance(event, yaml.ScalarEvent):
        return "null" if event.implicit[0] and not event.value else str(event.value)
    return None


def values(value: object) -> list[str]:
    """All texts of a value but its keys."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in values(each)]
    if isinstance(value, list):
        return [text for each in value for text in values(each)]
    return [value] if isinstance(value, str) else []


def test_lines_stand_where_they_belong() -> None:
    assert (
        converted(format_yaml, WRITTEN[0], tab_space=2)
        == """\
# top
a:   1 # t

b:
  - x
  - k: v
    l: w
    # in
  -
    m: 1
  - - a
    - b
  - |
    lit
     more
  # behind
c: >2-
   fold
  x

  y
d: {a: 1,
    e: [1,
      2
    ]
  }
f: &anc
  g: 'q
    r

    s'
h: *anc
? complex
: val
? - a
  - b
: - c
  - d
""".replace("    ]\n  }\n", "  ]}\n")
    )


@pytest.mark.parametrize("stream", WRITTEN)
@pytest.mark.parametrize("tab_space", [0, 1, 2, 4, 8])
def test_a_formatted_stream_says_the_same(stream: str, tab_space: int) -> None:
    formatted = converted(format_yaml, stream, tab_space=tab_space)
    assert said(formatted) == said(stream)
    if tab_space:
        assert converted(format_yaml, formatted, tab_space=tab_space) == formatted


@settings(deadline=None)
@given(
    st.lists(VALUES, min_size=1, max_size=3),
    st.sampled_from([None, "'", '"', "|", ">"]),
    st.sampled_from([None, True, False]),
    st.integers(2, 6),
    st.integers(0, 4),
)
def test_data_stays_the_same(
    documents: list[object], style: str | None, flow: bool | None, indent: int, tab_space: int
) -> None:
    stream = yaml.dump_all(
        documents,
        Dumper=yaml.CSafeDumper,
        default_style=style,
        default_flow_style=flow,
        indent=indent,
        width=20,
        allow_unicode=True,
    )
    formatted = converted(format_yaml, stream, tab_space=tab_space)
    assert list(yaml.safe_load_all(formatted)) == list(yaml.safe_load_all(stream))


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(WRITTEN), st.data())
def test_what_the_parser_refuses_is_refused_and_all_else_stays(
    stream: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(stream)))
    end = min(len(stream), start + data.draw(st.integers(0, 3)))
    added = data.draw(
        st.sampled_from(["", " ", "\n", "- ", "# ", ": ", "'", "[", "}", "|", "\t", "  x"])
    )
    changed = stream[:start] + added + stream[end:]
    try:
        expected = said(changed)
        list(yaml.compose_all(changed, Loader=yaml.CSafeLoader))  # aliases of nothing, too
    except yaml.YAMLError:
        assert fault(format_yaml, changed)[0] in {"INVALID_YAML", "EMPTY_INPUT"}
        return
    if len(expected) == 2:
        assert fault(format_yaml, changed)[0] == "EMPTY_INPUT"
        return
    if any(tag not in {None, "!", "tag:yaml.org,2002:map", STR} for _, _, tag, _ in expected):
        assert fault(format_yaml, changed)[0] == "INVALID_YAML"
        return
    for tab_space in (0, 2, 4):
        assert said(converted(format_yaml, changed, tab_space=tab_space)) == expected


@given(st.sampled_from(WRITTEN), st.integers(0, 99))
def test_pieces_of_any_size_make_no_difference(stream: str, seed: int) -> None:
    assert converted_in_pieces(format_yaml, stream, seed) == converted(format_yaml, stream)


def test_documents_on_one_line_each_have_no_comments() -> None:
    stream = "# c\na: 1.50 # d\nb:\n- |\n  x\n- 'y'\n-\n---\n- 0x1F\n"
    assert converted(format_yaml, stream, tab_space=0) == (
        "{a: 1.50, b: [\"x\\n\", 'y', null]}\n--- [0x1F]\n"
    )


FAULTS = [
    ("a: b\n- c", 2, 1),
    ("a: 'x", 1, 6),
    ("a: [1, 2", 1, 9),
    ("é: 'x\n\n", 3, 1),
    ("k: @x", 1, 4),
    ('ä: "ö\\q"', 1, 7),
    ("a:\r\n\t- b", 2, 1),
    ("a: b: c", 1, 5),
    ("a: \x01", 1, 4),
    ("a: !foo x", 1, 4),
    ("a: &b !!python/object:os.system x", 1, 7),
    ("- *b", 1, 3),
    ("a: 1\n---\n- *b", 3, 3),
    ("x: 'a\u2028b'\ny: @", 2, 4),
]


@pytest.mark.parametrize(("stream", "line", "column"), FAULTS)
def test_a_fault_is_told_at_the_first_wrong_character(stream: str, line: int, column: int) -> None:
    for action in (format_yaml, yaml_to_xml):
        if action is format_yaml or "---" not in stream:
            assert fault(action, "\ufeff" + stream) == ("INVALID_YAML", line, column)


@pytest.mark.parametrize(("entry", "column"), [("[", 65), ("- ", 129)])
def test_deeper_nesting_than_is_allowed_is_told_as_that(entry: str, column: int) -> None:
    message = "The content is nested deeper than 64 levels (limits.nesting_depth)."
    for action in (format_yaml, yaml_to_xml):
        found = refusal(action, entry.encode() * 100_000)
        assert found == ("PAYLOAD_TOO_LARGE", message, 1, column)


def test_a_fault_far_behind_is_told_as_exactly() -> None:
    stream = "- äöü: €\n" * 200_000
    assert len(stream.encode()) > PIECE_BYTES
    for action in (format_yaml, yaml_to_xml):
        assert fault(action, stream + "- €: @") == ("INVALID_YAML", 200_001, 6)
        assert fault(action, stream + "- €: \x07") == ("INVALID_YAML", 200_001, 6)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b" \n\n", b"# c\n"])
def test_nothing_is_empty_input(content: bytes) -> None:
    for action in (format_yaml, yaml_to_xml):
        assert fault(action, content) == ("EMPTY_INPUT", None, None)


def test_another_encoding_is_refused() -> None:
    for content in (b"a: \xe9", "a: b".encode("utf-16")):
        assert fault(format_yaml, content) == ("INVALID_ENCODING", None, None)


def test_aliases_and_scalars_are_bounded() -> None:
    aliases = "- &a x\n" + "- *a\n" * 1_000
    converted(format_yaml, aliases)
    assert fault(format_yaml, aliases + "- *a\n") == ("PAYLOAD_TOO_LARGE", 1_002, 3)
    limits = Limits(field_bytes=PIECE_BYTES // 2)
    assert fault(format_yaml, "a: " + "x" * PIECE_BYTES, limits)[0] == "PAYLOAD_TOO_LARGE"
    assert fault(format_yaml, "# c\n" * PIECE_BYTES, limits)[0] == "PAYLOAD_TOO_LARGE"


def test_yaml_becomes_elements() -> None:
    stream = """\
a: 1.50
b: [x, [1], [], ~]
c: {'@id': yes, '#text': hi <&}
1 x.y: {}
-é: ''
"""
    assert (
        converted(yaml_to_xml, stream, root_name="my root")
        == """\
<?xml version="1.0" encoding="UTF-8"?>
<my_root>
  <a>1.50</a>
  <b>x</b>
  <b>
    <item>1</item>
  </b>
  <b/>
  <b/>
  <c id="yes">hi &lt;&amp;</c>
  <_1_x.y/>
  <_-é/>
</my_root>
"""
    )
    assert converted(yaml_to_xml, "- 1\n- {a: 2}\n", tab_space=0) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<root><item>1</item><item><a>2</a></item></root>\n'
    )
    assert converted(yaml_to_xml, "foo").endswith("\n<root>foo</root>\n")


def test_text_beside_children_gets_no_white_space() -> None:
    stream = "p: {b: {c: 1}, '#text': x, d: {e: 1}, '@late': 1}"
    assert '<p late="1"><b><c>1</c></b>x<d><e>1</e></d></p>' in converted(yaml_to_xml, stream)


@settings(deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=4), st.integers(0, 4))
def test_whatever_it_writes_is_xml(value: dict[str, object], tab_space: int) -> None:
    stream = yaml.safe_dump(value, allow_unicode=True)
    if any(character in FORBIDDEN for text in values(value) for character in text):
        assert fault(yaml_to_xml, stream)[0] == "INVALID_YAML"
        return
    written = converted(yaml_to_xml, stream, tab_space=tab_space)
    assert etree.fromstring(written.encode()).tag == "root"


def test_aliases_and_merge_keys_are_replaced() -> None:
    stream = """\
base: &base {p: 1, q: 2}
same: *base
own: {q: 3, <<: *base}
list: {<<: [{p: 5, z: 6}, *base]}
deep: &deep {<<: {r: 4, <<: *base}, p: 7}
last: {<<: *deep}
"""
    root = etree.fromstring(converted(yaml_to_xml, stream).encode())
    expected = yaml.safe_load(stream)
    assert {child.tag: {each.tag: int(each.text) for each in child} for child in root} == expected


@pytest.mark.parametrize(
    ("stream", "line", "column"),
    [
        ("a: 1\nb: 2\na: 3", 3, 1),
        ("{a: {b: 1, 'b': 2}}", 1, 12),
        ("a: 1\n---\nb: 2", 2, 1),
        ("? [a]\n: 1", 1, 3),
        ('a: "x\\\\0\\0"', 1, 9),
        ("é: 'x'\nb: \"\n  \\uFFFE\"", 3, 3),
        ("a: &a [*a]", 1, 8),
        ("<<: 1", 1, 5),
        ("<<: [1]", 1, 6),
        ("{a: {'@x': [1]}}", 1, 12),
        ("{'@a b': 1, '@a_b': 2}", 1, 13),
    ],
)
def test_what_xml_has_not_is_refused_at_its_place(stream: str, line: int, column: int) -> None:
    assert fault(yaml_to_xml, stream) == ("INVALID_YAML", line, column)


def test_aliases_that_multiply_are_refused_in_short_time() -> None:
    lists = "a0: &a0 x\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 20)
    )
    merges = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: *a{n - 1}}}\n" for n in range(1, 900))
    nested = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 900))
    long = f"a: &a {'x' * PIECE_BYTES}\n" + "".join(f"c{n}: *a\n" for n in range(90))
    for stream in (lists, merges, nested, long):
        assert fault(yaml_to_xml, stream)[0] == "PAYLOAD_TOO_LARGE"


def test_an_attribute_comes_within_a_piece() -> None:
    children = "".join(f"  k{n}: {'x' * 1000}\n" for n in range(1_100))
    assert fault(yaml_to_xml, f"a:\n{children}  '@b': 1\n") == ("INVALID_YAML", 1_102, 3)
