from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from transforming import converted, converted_in_pieces, fault
from waybill.model.limits import Limits
from waybill.transforms.json_xml import json_to_xml
from waybill.transforms.tool import PIECE_BYTES
from waybill.transforms.xml_formatting import format_xml
from waybill.transforms.xml_to_yaml import xml_to_yaml
from waybill.transforms.yaml_to_xml import yaml_to_xml

NAMES = st.sampled_from(["a", "b", "é", "x-1", "n"])
TEXTS = st.sampled_from(
    ["", " ", "\n  ", "text", " ü 1 ", "&amp;&#10;", "true", "12", "- x", "'", '"', "#", "a: b"]
)
ATTRIBUTES = st.lists(
    st.tuples(
        st.sampled_from(["i", "k", "lang"]), st.sampled_from(["", "1", " a  b", "&lt;", "'"])
    ),
    max_size=2,
    unique_by=lambda pair: pair[0],
)
OTHERS = st.sampled_from(
    ["<!-- c > -->", "<![CDATA[<x> & ]]>", "<?p q?>", "<!---->", "<![CDATA[]]>"]
)


def element(name: str, attributes: list[tuple[str, str]], parts: list[str]) -> str:
    tag = name + "".join(f' {key}="{value}"' for key, value in attributes)
    return f"<{tag}>{''.join(parts)}</{name}>" if parts else f"<{tag}/>"


DATA = st.recursive(
    st.builds(element, NAMES, ATTRIBUTES, st.lists(TEXTS, max_size=1)),
    lambda inner: st.builds(element, NAMES, ATTRIBUTES, st.lists(inner, max_size=4)),
    max_leaves=8,
)
DOCUMENTS = st.recursive(
    st.builds(element, NAMES, ATTRIBUTES, st.lists(TEXTS, max_size=1)),
    lambda inner: st.builds(
        element, NAMES, ATTRIBUTES, st.lists(st.one_of(inner, TEXTS, OTHERS), max_size=5)
    ),
    max_leaves=8,
)
Model = tuple[object, ...]


def parsed(document: str) -> etree._Element:
    return etree.fromstring(document.encode(), etree.XMLParser(strip_cdata=False))


def model(node: etree._Element) -> Model:
    """What a document says: text of elements without elements, or that is not blank, is exact."""
    texts = [node.text or "", *(child.tail or "" for child in node)]
    has_elements = any(isinstance(child.tag, str) for child in node)
    if has_elements and not any(text.strip() for text in texts):
        texts = [""] * len(texts)
    children = tuple(
        model(child) if isinstance(child.tag, str) else (str(child),) for child in node
    )
    return node.tag, tuple(node.attrib.items()), tuple(texts), children


def said(node: etree._Element) -> object:
    """What an element becomes in YAML: the rule in other words."""
    children: dict[str, list[object]] = {}
    runs = [node.text or ""]
    for child in node:
        if isinstance(child.tag, str):
            children.setdefault(child.tag, []).append(said(child))
            runs.append(child.tail or "")
        else:
            runs[-1] += child.tail or ""
    text = "".join(run for run in runs if run.strip() or not children)
    if not children and not node.attrib:
        return text
    value: dict[str, object] = {"@" + key: each for key, each in node.attrib.items()}
    if text:
        value["#text"] = text
    return value | {key: each[0] if len(each) == 1 else each for key, each in children.items()}


def test_each_element_begins_a_line() -> None:
    written = (
        '<?xml version="1.0"?><r><a  x = "1"\n y=\'"\'/>\n\n<b>t</b><!-- c --><c></c><?p?></r>'
    )
    assert converted(format_xml, written) == (
        '<?xml version="1.0"?>\n<r>\n  <a x="1" y=\'"\'/>\n  <b>t</b>\n  <!-- c -->\n  <c></c>\n'
        "  <?p?>\n</r>\n"
    )
    assert converted(format_xml, written, tab_space=0) == (
        '<?xml version="1.0"?><r><a x="1" y=\'"\'/><b>t</b><!-- c --><c></c><?p?></r>\n'
    )


@pytest.mark.parametrize(
    "kept",
    [
        "<p>one <b><i>two</i></b></p>",
        "<p><b><i>two</i></b> one</p>",
        "<p><b/><![CDATA[]]></p>",
        "<p> </p>",
        "<p><!-- c --></p>",
        "<p>&#32;<b/></p>",
        '<p xml:space="preserve"> <b> <i/> </b></p>',
    ],
)
def test_white_space_that_may_mean_something_stays(kept: str) -> None:
    assert converted(format_xml, f"<r>{kept}</r>") == f"<r>\n  {kept}\n</r>\n"


@given(DOCUMENTS, st.integers(0, 4))
def test_a_formatted_document_says_the_same(document: str, tab_space: int) -> None:
    formatted = converted(format_xml, document, tab_space=tab_space)
    assert model(parsed(formatted)) == model(parsed(document))
    assert converted(format_xml, formatted, tab_space=tab_space) == formatted


@given(DOCUMENTS, st.integers(0, 99))
def test_pieces_of_any_size_make_no_difference(document: str, seed: int) -> None:
    for action in (format_xml, xml_to_yaml):
        assert converted_in_pieces(action, document, seed) == converted(action, document)


@given(DOCUMENTS, st.data())
def test_what_libxml2_refuses_is_refused(document: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(document)))
    broken = document[:place] + data.draw(st.sampled_from("<>&;/!-]=\"' ax\x01")) + document[place:]
    try:
        parsed(broken)
        is_right = True
    except etree.XMLSyntaxError:
        is_right = False
    if is_right:
        converted(format_xml, broken)
        return
    code, line, column = fault(format_xml, broken)
    assert code == "INVALID_XML"
    assert line is not None
    assert column is not None
    lines = broken.split("\n")
    assert 1 <= line <= len(lines)
    assert 1 <= column <= len(lines[line - 1]) + 1


@pytest.mark.parametrize(
    ("document", "line", "column"),
    [
        ("<a>\n<é></è></a>", 2, 6),
        ("<abc></abd>", 1, 10),
        ("<a><b></a>", 1, 9),
        ("<a", 1, 3),
        ("<a><!-- x</a>", 1, 14),
        ("<a><![CDATA[ x</a>", 1, 19),
        ("<a>\r\n\rä &x; </a>", 3, 3),
        ("<a b='ä&x;'/>", 1, 8),
        ("<a b='&amp;&#0;'/>", 1, 12),
        ("<a>&#xD800;</a>", 1, 4),
        ("<a>]]></a>", 1, 6),
        ("<a x='1' x='2'/>", 1, 10),
        ("<a/>\n<b/>", 2, 1),
        ("text", 1, 1),
        (' "<a/>', 1, 2),
        ("<a/>\n 'x'", 2, 2),
        (" <?xml version='1.0'?><a/>", 1, 2),
        ("<?xml version='2.0'?><a/>", 1, 16),
        ("<!-- c -->\n <!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", 2, 2),
        ("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", 1, 1),
        ("<!DOCTYPE", 1, 1),
        ("<!-- c --><?p?>\n<!DOCTYPE a></a></b> &", 2, 1),
        ("<a>\ufffe</a>", 1, 4),
        ("<a><!-- -- --></a>", 1, 11),
    ],
)
def test_a_fault_is_told_at_the_first_wrong_character(
    document: str, line: int, column: int
) -> None:
    assert fault(format_xml, document) == ("INVALID_XML", line, column)
    assert fault(xml_to_yaml, "\ufeff" + document) == ("INVALID_XML", line, column)


@pytest.mark.parametrize("lines", [9_000, 70_000, 140_001])
def test_a_fault_far_behind_is_told_as_exactly(lines: int) -> None:
    document = "<a>\n" + "<b>äöü €</b>\n" * lines + "<b>€</b> & </a>"
    assert fault(format_xml, document) == ("INVALID_XML", lines + 2, 11)
    one_line = "<a>" + "<b>äöü €</b>" * lines + "€</c></a>"
    assert fault(format_xml, one_line) == ("INVALID_XML", 1, 3 + 12 * lines + 1 + 3)


def test_other_encodings_are_refused() -> None:
    declared = "<?xml version='1.0' encoding='{}'?><a>é</a>"
    assert converted(format_xml, declared.format("UTF-8")).endswith("<a>é</a>\n")
    for content in (
        declared.format("ISO-8859-1").encode(),
        b"<a>\xe9</a>",
        "<a/>".encode("utf-16"),
    ):
        assert fault(format_xml, content)[0] == "INVALID_ENCODING"


def test_a_declared_encoding_is_refused_before_what_follows() -> None:
    for action in (format_xml, xml_to_yaml):
        content = "<?xml version='1.0' encoding='x'?></a></b> & <"
        assert fault(action, content)[0] == "INVALID_ENCODING"


def test_a_fault_before_a_wrong_byte_comes_first() -> None:
    assert fault(format_xml, b"<a>&</a>\xff") == ("INVALID_XML", 1, 5)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b" \n\t"])
def test_nothing_is_empty_input(content: bytes) -> None:
    assert fault(format_xml, content) == ("EMPTY_INPUT", None, None)
    assert fault(xml_to_yaml, content) == ("EMPTY_INPUT", None, None)


def test_limits_hold() -> None:
    limits = Limits(nesting_depth=3, xml_attributes=2, xml_token_bytes=100)
    for action in (format_xml, xml_to_yaml):
        converted(action, "<a><b><c/></b></a>", limits)
        assert fault(action, "<a><b><c><d/></c></b></a>", limits) == ("PAYLOAD_TOO_LARGE", 1, 10)
        assert fault(action, "<a x='1' y='2' z='='/>", limits) == ("PAYLOAD_TOO_LARGE", 1, 16)
        converted(action, f"<a>{'é' * 50}</a>", limits)
        assert fault(action, f"<a>{'é' * 51}</a>", limits) == ("PAYLOAD_TOO_LARGE", 1, 54)
        assert fault(action, f"<a><!--{'x' * 100}--></a>", limits) == ("PAYLOAD_TOO_LARGE", 1, 104)
        assert fault(action, f"<a>{'x' * PIECE_BYTES * 2}", limits) == ("PAYLOAD_TOO_LARGE", 1, 104)


def test_depth_is_bounded_without_recursion() -> None:
    assert fault(format_xml, "<a>" * 100_000) == ("PAYLOAD_TOO_LARGE", 1, 3 * 64 + 1)


def test_text_far_behind_the_start_of_an_element_ends_its_layout() -> None:
    items = "<b>x</b>" * (PIECE_BYTES // 2)
    formatted = converted(format_xml, f"<a>{items}text<b><c/></b></a>")
    assert formatted.startswith("<a>\n  <b>x</b>\n")
    assert formatted.endswith("text<b><c/></b></a>\n")


def test_text_within_a_piece_leaves_all_of_its_element() -> None:
    document = f"<r><a>{'<b>x</b>' * 50_000}text</a></r>"
    assert converted(format_xml, document) == f"<r>\n  {document[3:-4]}\n</r>\n"


@given(DOCUMENTS, st.sampled_from([0, 1, 2, 4]))
def test_yaml_says_what_the_document_does(document: str, tab_space: int) -> None:
    root = etree.fromstring(document.encode())
    loaded = yaml.safe_load(converted(xml_to_yaml, document, tab_space=tab_space))
    assert loaded == {root.tag: said(root)}
    assert list(loaded) == [root.tag]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12))
def test_any_text_is_a_string_in_yaml(text: str) -> None:
    root = etree.Element("a")
    try:
        root.text = text
    except ValueError:
        return
    document = etree.tostring(root, encoding="unicode")
    for tab_space in (0, 4):
        assert yaml.safe_load(converted(xml_to_yaml, document, tab_space=tab_space)) == {
            "a": etree.fromstring(document).text or ""
        }


@pytest.mark.parametrize(
    "word", ["yes", "No", "~", "null", "1e3", "0x1", "2024-01-01", "1:30", "y", "=", "<<"]
)
def test_words_of_yaml_stay_text(word: str) -> None:
    document = etree.tostring(etree.fromstring("<a/>"), encoding="unicode")[:-2]
    document = f"{document}><![CDATA[{word}]]></a>"
    assert yaml.safe_load(converted(xml_to_yaml, document)) == {"a": word}


def test_yaml_is_laid_out_in_block_style() -> None:
    document = "<r><i k='1'>x</i><i><n>12</n></i><e/></r>"
    assert converted(xml_to_yaml, document, tab_space=4) == (
        "r:\n    i:\n        - '@k': '1'\n          '#text': x\n        - 'n': '12'\n    e: ''\n"
    )


def test_what_memory_does_not_hold_comes_back_in_its_place() -> None:
    long, short = "w" * 9_000, "s"
    items = "".join(
        f"<i{number % 3} a='1'><t>{long}</t><t>{short}</t></i{number % 3}>"
        for number in range(2_000)
    )
    document = f"<r><one><in>{long}</in></one><two>{long}</two>{items}<one>1</one><two>2</two></r>"
    for tab_space in (0, 3):
        text = converted(xml_to_yaml, document, tab_space=tab_space)
        loaded = yaml.load(text, Loader=yaml.CSafeLoader)
        assert loaded == {"r": said(etree.fromstring(document))}


def test_a_name_longer_than_keys_of_yaml_is_refused() -> None:
    assert fault(xml_to_yaml, f"<a><{'b' * 1001}/></a>") == ("PAYLOAD_TOO_LARGE", 1, 4)
    assert fault(xml_to_yaml, f"<a><b {'b' * 1001}='1'/></a>") == ("PAYLOAD_TOO_LARGE", 1, 4)
    assert converted(xml_to_yaml, f"<{'b' * 1000}/>") == f"{'b' * 1000}: ''\n"


@given(DATA)
def test_there_and_back_is_the_same_document(document: str) -> None:
    """Children of one name come together, for a mapping knows no order among its lists."""
    back = parsed(converted(yaml_to_xml, converted(xml_to_yaml, document)))
    assert said(back[0]) == said(parsed(document))
    assert back[0].tag == parsed(document).tag


KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6) | st.sampled_from(
    ["😀", "Ͱ", "ⰀⰁ", "ꀀ:a", "a:ꀀ", "\u0300", "a\u0300", "é", "日本", "가"]
)


@given(st.lists(KEYS, max_size=4, unique=True))
def test_names_that_are_written_can_be_read(keys: list[str]) -> None:
    """The parser knows the names of the fourth edition only; libxml2 those of the fifth."""
    for content in (json.dumps(dict.fromkeys(keys, 1)), json.dumps([{key: {}} for key in keys])):
        document = converted(json_to_xml, content)
        converted(xml_to_yaml, document)
        converted(format_xml, document)


def test_names_of_the_fourth_edition_stay() -> None:
    for key, name in (("é日本가", "é日本가"), ("😀", "_"), ("aⰰ", "a_"), ("\u0300a", "_\u0300a")):
        assert f"<{name}>1</{name}>" in converted(json_to_xml, json.dumps({key: 1}))
    assert "<a:_>1</a:_>" in converted(yaml_to_xml, "'a:ⰰ': 1")
