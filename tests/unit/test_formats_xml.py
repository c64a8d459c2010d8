"""XML: which elements are records, what their fields are, and what is refused."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reading import chunks_of, kinds_of, lines_of, malformed_of, open_content, refusal, rows_of
from waybill.errors import ColumnsGrew
from waybill.model.limits import Limits
from waybill.ports.reader import Kind
from workbooks import archive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from waybill.ports.reader import Reader

    Open = Callable[..., Reader]

SMALL = b"""<?xml version="1.0"?>
<stores>
  <store id="1"><name>Ann</name></store>
  <store id="2">
    <name>B &amp; b</name>
  </store>
</stores>
"""


@pytest.fixture
def open_bytes(tmp_path: Path) -> Open:
    return lambda content, **options: open_content(tmp_path, content, **options)


def test_children_of_the_root_are_records(open_bytes: Open) -> None:
    reader = open_bytes(SMALL)
    assert reader.header.names == ("id", "name")
    assert reader.header.facts["records_path"] == "/stores/store"
    assert rows_of(reader) == [("1", "Ann"), ("2", "B & b")]
    assert lines_of(open_bytes(SMALL)) == [3, 4]


@pytest.mark.parametrize("path", ["store", "/catalog/stores/store"])
def test_records_can_be_named_or_have_a_path(open_bytes: Open, path: str) -> None:
    text = b"<catalog><head><name>x</name></head>" + SMALL.partition(b"?>\n")[2] + b"</catalog>"
    reader = open_bytes(text, records_path=path)
    assert rows_of(reader) == [("1", "Ann"), ("2", "B & b")]
    assert reader.header.places is not None


def test_an_element_inside_of_a_record_is_no_record(open_bytes: Open) -> None:
    text = b"<r><node id='1'><node id='2'/></node><node id='3'/></r>"
    reader = open_bytes(text, records_path="node")
    assert rows_of(reader) == [("1", '{"id":"2"}'), ("3", None)]


def test_nested_elements_are_json(open_bytes: Open) -> None:
    text = (
        b"<r xmlns='urn:x' xmlns:i='http://www.w3.org/2001/XMLSchema-instance'>"
        b"<s><tag>a</tag><tag>b</tag><price unit='NOK'>12</price><at><x>1</x><x/></at>"
        b"<gone i:nil='true'/><none/>own</s></r>"
    )
    reader = open_bytes(text)
    assert reader.header.names == ("tag", "price", "at", "gone", "none", "#text")
    assert rows_of(reader) == [
        ('["a","b"]', '{"unit":"NOK","#text":"12"}', '{"x":["1",null]}', None, None, "own")
    ]
    array, nested = Kind.ARRAY, Kind.OBJECT
    assert kinds_of(open_bytes(text)) == [(array, nested, nested, None, None, None)]


def test_an_element_that_is_not_there_is_told_from_an_empty_one(open_bytes: Open) -> None:
    text = b"<r><s><a>1</a><b>2</b></s><s><a/></s><s b=''/></r>"
    assert rows_of(open_bytes(text)) == [("1", "2"), (None, None), (None, None)]
    absent = Kind.ABSENT
    assert kinds_of(open_bytes(text)) == [(None, None), (None, absent), (absent, None)]


def test_comments_instructions_and_cdata_leave_the_text_whole(open_bytes: Open) -> None:
    text = b"<r><s><a>1<!-- no -->2<?x y?>3<![CDATA[<&]]></a></s></r>"
    assert rows_of(open_bytes(text)) == [("123<&",)]


def test_another_element_beside_the_records_is_refused(open_bytes: Open) -> None:
    for text in (b"<r><s a='1'/><t/><s a='2'/></r>", b"<r><s a='1'/><t/></r>"):
        error = refusal(lambda: rows_of(open_bytes(text)))  # noqa: B023 - called at once
        assert error.code == "RECORDS_NOT_FOUND"
        assert "'t'" in error.message


def test_a_document_without_records_is_empty(open_bytes: Open) -> None:
    for path in ("", "store", "/stores/store"):
        assert chunks_of(open_bytes(b"<stores/>", records_path=path)) == []
    assert chunks_of(open_bytes(b"<c><stores/></c>", records_path="/c/stores/store")) == []


@pytest.mark.parametrize("path", ["shop", "/stores/shop/x", "/shops/store", "/store"])
def test_a_path_to_nothing_is_refused(open_bytes: Open, path: str) -> None:
    error = refusal(lambda: chunks_of(open_bytes(SMALL, records_path=path)))
    assert error.code == "RECORDS_NOT_FOUND"
    assert "'stores' holds store" in error.message


def test_prefixes_in_a_path_are_passed_over(open_bytes: Open) -> None:
    text = b"<a:r xmlns:a='urn:a'><a:s x='1'/></a:r>"
    assert rows_of(open_bytes(text, records_path="/a:r/a:s")) == [("1",)]


def test_a_single_element_of_an_array_field_is_its_only_item(open_bytes: Open) -> None:
    values = (b"<t>a</t>", b"<t>a</t><t>b</t>", b"<t>[1]</t>", b"<t/>", b"<t><x/></t>")
    text = b"<r>" + b"".join(b"<s>" + value + b"</s>" for value in values) + b"</r>"
    reader = open_bytes(text, array_columns=("t",))
    assert [cell for (cell,) in rows_of(reader)] == [
        '["a"]', '["a","b"]', "[1]", None, '[{"x":null}]',
    ]  # fmt: skip


def many(records: int, late: str = "") -> bytes:
    body = "".join(f"<s><n>{number}</n></s>\n" for number in range(records))
    return f"<r>\n{body}{late}</r>".encode()


def test_a_late_element_begins_again_with_all_columns(open_bytes: Open) -> None:
    reader = open_bytes(many(9_000, late="<s><n>x</n><m>y</m></s>"))
    assert reader.header.names == ("n",)
    assert not reader.header.is_complete
    with pytest.raises(ColumnsGrew):
        chunks_of(reader)
    wide = reader.widened()
    assert wide.header.names == ("n", "m")
    assert rows_of(wide)[-1] == ("x", "y")


def test_records_are_found_again(open_bytes: Open) -> None:
    reader = open_bytes(many(20_000))
    found = list(reader.find_records(np.array([2, 19_999]), []))
    assert [(each.line, each.cells) for each in found] == [(3, ("1",)), (20_000, ("19998",))]


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        lambda data: archive({"stores.xml": data}),
        lambda data: data.decode().encode("utf-16"),
        lambda data: data.replace(b'"1.0"', b'"1.0" encoding="ISO-8859-1"'),
    ],
)
def test_s69_packed_and_in_the_known_encodings(
    open_bytes: Open, pack: Callable[[bytes], bytes]
) -> None:
    assert rows_of(open_bytes(pack(SMALL))) == [("1", "Ann"), ("2", "B & b")]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (b'<?xml version="1.0" encoding="UTF-7"?><r><s a="1"/></r>', {}),
        (b'<?xml version="1.0" encoding="windows-1252"?><r><s a="1"/></r>', {}),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><r><s a="1"/></r>', {"encoding": "utf-8"}),
        ("<r><s a='1'/></r>".encode("utf-16-le"), {}),
    ],
)
def test_s69_other_encodings_are_refused(
    open_bytes: Open, text: bytes, options: dict[str, object]
) -> None:
    assert refusal(lambda: rows_of(open_bytes(text, **options))).code == "ENCODING_INVALID"


def test_invalid_bytes_stop_the_file_at_their_line(open_bytes: Open) -> None:
    error = refusal(lambda: rows_of(open_bytes(b"<r>\n<s><a>\xff</a></s></r>")))
    assert (error.code, error.line) == ("XML_INVALID", 2)


@pytest.mark.parametrize(
    "document_type",
    [
        "<!DOCTYPE r>",
        "<!DOCTYPE r []>",
        '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!-- c --><!DOCTYPE r [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_s66_a_document_type_is_refused(
    open_bytes: Open, document_type: str, encoding: str
) -> None:
    text = f"{document_type}<r><s a='&lt;'><b>&f;&b;</b></s></r>"
    error = refusal(lambda: rows_of(open_bytes(text.encode(encoding))))
    assert error.code == "XML_DTD_FORBIDDEN"


LONG = b"x" * (3 << 20)


@pytest.mark.parametrize(
    "text",
    [
        b"<r><s a='" + LONG + b"'/></r>",
        b"<r><s><a>" + LONG + b"</a></s></r>",
        b"<r><s a='1'/><!-- " + LONG * 4 + b" --></r>",
        b"<r><s a='1'/><?x " + LONG * 4 + b" ?></r>",
        b"<!-- " + b"< " * (6 << 20) + b" --><r><s/></r>",
        b"<" + LONG + b"/>",
    ],
)
def test_s67_a_long_token_is_refused(open_bytes: Open, text: bytes) -> None:
    assert refusal(lambda: rows_of(open_bytes(text))).code == "XML_TOKEN_TOO_LONG"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"<r><s>" + b"<a>" * 100_000, "XML_TOO_DEEP"),
        (b"<r><s>" + b"<a>" * 70 + b"</a>" * 70 + b"</s></r>", "XML_TOO_DEEP"),
        (b"<r><s " + b" ".join(b"a%d='1'" % n for n in range(300)) + b"/></r>", "XML_INVALID"),
        (b"<r><s a='1' a='2'/></r>", "XML_INVALID"),
        (b"<r><s>&undefined;</s></r>", "XML_INVALID"),
        (b"<r><s a='1'/>", "XML_INVALID"),
        (b"<r><s a='1'/></r><r/>", "XML_INVALID"),
        (b"<r><s a='1'/></r>tail", "XML_INVALID"),
    ],
)
def test_s68_what_is_not_well_formed_or_too_deep(open_bytes: Open, text: bytes, code: str) -> None:
    assert refusal(lambda: rows_of(open_bytes(text))).code == code


def test_too_much_work_is_told_from_a_lack_of_memory(open_bytes: Open) -> None:
    text = b"<r>" + b"<s><a>1</a><b>2</b></s>" * 300_000 + b"</r>"
    error = refusal(lambda: rows_of(open_bytes(text, limits=Limits(parser_seconds=1))))
    assert error.code == "PARSER_TIMEOUT"
    assert "parser_seconds of 1" in error.message


def test_s68_the_limit_that_was_met_is_named(open_bytes: Open) -> None:
    many = b"<r><s " + b" ".join(b"a%d='1'" % n for n in range(300)) + b"/></r>"
    assert "xml_attributes of 256" in refusal(lambda: rows_of(open_bytes(many))).message
    name = b"n" * 100_000
    error = refusal(lambda: rows_of(open_bytes(b"<r><s><%s/></s></r>" % name)))
    assert error.code == "XML_INVALID"
    assert "a name is longer than the limit header_name_characters of 256" in error.message


def test_a_record_beyond_the_limit_is_rejected_alone(open_bytes: Open) -> None:
    text = b"<r><s><a>1</a></s><s>" + b"<a>0123456789</a>" * 50 + b"</s><s><a>3</a></s></r>"
    reader = open_bytes(text, limits=Limits(record_bytes=500))
    assert rows_of(reader) == [("1",), ("3",)]
    [record] = malformed_of(open_bytes(text, limits=Limits(record_bytes=500)))
    assert (record.record, record.findings[0].code) == (2, "RECORD_TOO_LONG")


def test_wide_records_are_no_json_of_ours(open_bytes: Open) -> None:
    [(text,)] = rows_of(open_bytes('<r><s><a b="é\u2028"/></s></r>'.encode()))
    assert json.loads(text or "") == {"b": "é\u2028"}


@pytest.mark.parametrize(
    "text",
    ["<r>lost<a>1</a></r>", "<r><a>1</a>lost</r>", "<r><a>1</a>lost<a>2</a></r>", "<r>lost</r>"],
)
def test_text_beside_the_records_is_refused(open_bytes: Open, text: str) -> None:
    found = refusal(lambda: rows_of(open_bytes(text.encode())))
    assert found.code == "RECORDS_NOT_FOUND"
    assert "text stands beside /r/" in found.message


def test_the_shortest_document_has_no_records(open_bytes: Open) -> None:
    reader = open_bytes(b"<r/>")
    assert reader.header.names == ()
    assert reader.header.facts["records_path"] == "/r/*"


def test_records_without_any_field_are_records_of_the_expected_columns(open_bytes: Open) -> None:
    reader = open_bytes(b"<r><a/><a/></r>", column_names=("id", "name"))
    assert reader.header.names == ("id", "name")
    assert rows_of(reader) == [(None, None)] * 2
