"""JSON documents: an array of records, alone or within an object, read as a stream."""

from __future__ import annotations

import codecs
import gzip
import json
import time
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from reading import read_until_refused, refusal
from waybill.errors import ColumnsGrew
from waybill.formats import json_judging
from waybill.formats.json_cutting import ItemCutter
from waybill.formats.opening import open_reader
from waybill.formats.slices import CutRules
from waybill.formats.text_window import TextWindow
from waybill.model.finding import Rejection
from waybill.model.limits import Limits
from waybill.model.options import FileFormat
from waybill.ports.reader import Kind, ReadOptions, ReadPosition
from waybill.validation.codes import make_finding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from waybill.ports.reader import RawChunk, Reader

    Open = Callable[..., Reader]

FIRST, LAST = b'{"a":1}', b'{"a":"{"}'


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    def read(
        content: bytes, limits: Limits | None = None, chunk_bytes: int = 64, **options: object
    ) -> Reader:
        path = tmp_path / "input"
        path.write_bytes(content)
        return open_reader(
            str(path), ReadOptions(**options), limits or Limits(), chunk_bytes=chunk_bytes
        )

    return read


def rows_of(chunks: list[RawChunk], column: str = "c0") -> list[str | None]:
    return [cell for chunk in chunks for cell in chunk.table[column].to_pylist()]


# records and where they stand


def test_elements_become_rows_at_their_pointers_lines_and_bytes(opened: Open) -> None:
    text = b'[\r\n {"a":1,"b":"x,]}"} ,\n{"b":[{"a":2},3]},{}\n,\n\n{"a":1.50e3}]\n'
    reader = opened(text, chunk_bytes=1 << 20)
    assert reader.header.names == ("a", "b")
    assert (reader.header.facts["format"], reader.header.facts["records_path"]) == ("json", "")
    [chunk] = reader.map_chunks(lambda chunk: chunk)
    assert chunk.table["c0"].to_pylist() == ["1", None, None, "1.50e3"]
    assert chunk.table["c1"].to_pylist() == ["x,]}", '[{"a":2},3]', None, None]
    places = chunk.positions.locate([1, 2, 3, 4])
    assert [line for line, _ in places] == [2, 3, 3, 6]
    assert [text[byte : byte + 4] for _, byte in places] == [b'{"a"', b'{"b"', b"{}\n,", b'{"a"']
    found = make_finding("REQUIRED", field="b", column=2)
    rejection = Rejection(record=4, line=6, byte=0, cells=("1", None), findings=(found,))
    assert chunk.places is not None
    assert chunk.places.placed(rejection).findings[0].pointer == "/3/b"


@pytest.mark.parametrize(
    ("text", "path", "pointer"),
    [
        (b"[%b]", "", ""),
        (b'{"data":[%b]}', "", "/data"),
        (b'{"n":{"data":[7]},"s":"[","data":[%b],"z":{"a":[1,{}]},"n":null}', "", "/data"),
        (b'{"other":[[1],{"x":2}],"data":[%b],"more":[]}', "data", "/data"),
        (b'{"other":[],"data":[%b]}', "/data", "/data"),
        (b'{"data":{"size":{},"items":[%b],"next":"x"},"items":3}', "/data/items", "/data/items"),
        (b'[{"items":[1]},{"items":[%b]},{}]', "/1/items", "/1/items"),
        (b'{"a/b~":[%b]}', "/a~1b~0", "/a~1b~0"),
        (b'{"":[%b]}', "/", "/"),
    ],
)
def test_the_array_is_found_by_its_path_or_as_the_only_one(
    opened: Open, text: bytes, path: str, pointer: str
) -> None:
    document = text % (FIRST + b",\n" + LAST)
    reader = opened(document, records_path=path, format=FileFormat.JSON)
    chunks, refused = read_until_refused(reader)
    assert refused is None
    assert rows_of(chunks) == ["1", "{"]
    assert reader.header.facts["records_path"] == pointer
    [place] = chunks[0].positions.locate([1])
    assert place == (1, document.index(FIRST))


@pytest.mark.parametrize(
    ("text", "path", "code", "words"),
    [
        (b'{"a":{},"b":1}', "", "RECORDS_NOT_FOUND", ["'a'", "'b'"]),
        (b"{}", "", "RECORDS_NOT_FOUND", ["(none)"]),
        (b'{"a":[],"b":1}', "c", "RECORDS_NOT_FOUND", ["'c'", "'a', 'b'"]),
        (b'{"a":{"b":[]}}', "/a/c", "RECORDS_NOT_FOUND", ["'/a/c'", "'b'"]),
        (b'{"a":{}}', "a", "RECORDS_NOT_FOUND", ["an object, which is no array"]),
        (b'{"a":"x"}', "/a/b", "RECORDS_NOT_FOUND", ["a string"]),
        (b"[[1]]", "/3", "RECORDS_NOT_FOUND", ["'3'"]),
        (b'{"a":[1,],"b":[]}', "b", "JSON_INVALID", []),
        (b'{"a":01,"b":[]}', "b", "JSON_INVALID", []),
        (b'{"a":{"c":1 2},"b":[]}', "b", "JSON_INVALID", []),
        (b'{"a":"\\ud800","b":[]}', "b", "JSON_INVALID", []),
        (b'{"a" 1}', "b", "JSON_INVALID", ["':'"]),
        (b'{"a":1', "b", "JSON_INVALID", ["too early"]),
        (b'{"a":"open', "b", "JSON_INVALID", ["too early"]),
        (b"[" + b"0," * 100_001 + b"[]]", "/100001", "RECORDS_NOT_FOUND", ["100000 items"]),
        (b'{a:1,"b":[]}', "b", "UNSUPPORTED_FORMAT", []),
    ],
)
def test_a_document_without_the_array_is_refused_at_once(
    opened: Open, text: bytes, path: str, code: str, words: list[str]
) -> None:
    error = refusal(lambda: opened(text, records_path=path, format=FileFormat.JSON))
    assert error.code == code
    assert all(word in error.message for word in words), error.message
    assert code == "UNSUPPORTED_FORMAT" or (error.line, error.byte is None) == (1, False)


def test_of_many_members_only_some_are_named(opened: Open) -> None:
    text = json.dumps({f"{number}" * 80: number for number in range(5_000)}).encode()
    error = refusal(lambda: opened(text, format=FileFormat.JSON))
    assert error.code == "RECORDS_NOT_FOUND"
    assert len(error.message) < 1_000


def test_the_name_of_an_array_that_would_make_every_pointer_long_is_refused(opened: Open) -> None:
    error = refusal(lambda: opened(b'{\n"' + b"n" * 100_000 + b'":[]}'))
    assert error.code == "RECORDS_NOT_FOUND"
    assert len(error.message) < 1_000


@pytest.mark.parametrize(
    ("rest", "path", "code", "at"),
    [
        (b"] x", "", "JSON_INVALID", b"x"),
        (b"],[]", "", "JSON_INVALID", b",[]"),
        (b"}", "", "JSON_INVALID", b"}"),
        (b"", "", "JSON_INVALID", None),
        (b',{"a":2', "", "JSON_INVALID", None),
        (b',{"a":"2]', "", "JSON_INVALID", None),
    ],
)
def test_what_is_wrong_behind_the_records_ends_the_job_after_them(
    opened: Open, rest: bytes, path: str, code: str, at: bytes | None
) -> None:
    text = b"[" + FIRST + b"," + LAST + b"," + FIRST + rest
    chunks, error = read_until_refused(opened(text, records_path=path))
    assert error is not None
    assert (error.code, error.byte) == (code, text.rindex(at) if at else len(text))
    assert rows_of(chunks)[:2] == ["1", "{"]


@pytest.mark.parametrize(
    ("rest", "path", "code", "word"),
    [
        (b',"b":1,"c":[]}', "", "RECORDS_AMBIGUOUS", "/a and /c"),
        (b',"b":1,"c":[]}', "a", None, ""),
        (b',"a":[]}', "a", "JSON_INVALID", "'a' stands twice"),
        (b',"b":tru}', "", "JSON_INVALID", ""),
        (b',"b":[1 2]}', "a", "JSON_INVALID", ""),
        (b',"b"}', "", "JSON_INVALID", "':'"),
        (b"]", "", "JSON_INVALID", "','"),
        (b"}}", "", "JSON_INVALID", ""),
        (b",}", "", "JSON_INVALID", ""),
        (b"", "", "JSON_INVALID", "too early"),
    ],
)
def test_the_members_behind_the_array_are_looked_at(
    opened: Open, rest: bytes, path: str, code: str | None, word: str
) -> None:
    text = b'{\n"a":[' + FIRST + b"]" + rest
    chunks, error = read_until_refused(opened(text, records_path=path))
    assert (error and error.code) == code
    assert error is None or word in error.message
    assert rows_of(chunks) == ["1"]


@pytest.mark.parametrize("text", [b"[]", b" [ \r\n ] ", b'{\n"a":[]}'])
def test_an_empty_array_has_no_records(opened: Open, text: bytes) -> None:
    reader = opened(text, column_names=("a", "b"))
    assert read_until_refused(reader) == ([], None)
    assert reader.header.names == ("a", "b")


def test_an_empty_array_with_garbage_behind_it_is_refused(opened: Open) -> None:
    error = refusal(lambda: opened(b"[] 1", column_names=("a",)))
    assert (error.code, error.byte) == ("JSON_INVALID", 3)


# elements that are no records


@pytest.mark.parametrize(
    ("element", "code"),
    [
        (b"", "JSON_INVALID"),
        (b'{"a":1}}', "JSON_INVALID"),
        (b'{"a":1} {"a":2}', "JSON_INVALID"),
        (b'{"a":NaN}', "JSON_INVALID"),
        (b'{"a":01}', "JSON_INVALID"),
        (b'{"a":"\\ud800"}', "JSON_INVALID"),
        (b'{"a":"\\udc00 \\ud800x"}', "JSON_INVALID"),
        (b'{"a":"\x01"}', "JSON_INVALID"),
        (b'{"a":[1}}', "JSON_INVALID"),
        (b'{"a":1\xff}', "JSON_INVALID"),
        (b"[1]", "NOT_AN_OBJECT"),
        (b"null", "NOT_AN_OBJECT"),
        (b"-1.5", "NOT_AN_OBJECT"),
        (b'{"a":1,"a":1}', "DUPLICATE_KEY"),
        (b'{"a":1,"\\u0061":1}', "DUPLICATE_KEY"),
        (b'{"a":"\xff"}', "ENCODING_INVALID"),
        (b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", "JSON_TOO_DEEP"),
        (b"[" * 129 + b"]" * 129, "JSON_TOO_DEEP"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "JSON_TOO_DEEP"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "JSON_TOO_DEEP"),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [16, 1 << 20])
def test_an_element_that_is_no_record_leaves_the_others_alone(
    opened: Open, element: bytes, code: str, chunk_bytes: int
) -> None:
    code = "ENCODING_INVALID" if b"\xff" in element else code
    text = b"[" + FIRST + b",\n" + element + b"\n, " + LAST + b"]"
    chunks, error = read_until_refused(opened(text, chunk_bytes=chunk_bytes, encoding="utf-8"))
    assert error is None
    [bad] = [bad for chunk in chunks for bad in chunk.malformed]
    assert (bad.record, bad.line) == (2, 2 if element else 3)
    assert text[bad.byte :].startswith(element or b",")
    assert [finding.code for finding in bad.findings] == [code]
    assert rows_of(chunks) == ["1", "{"]
    assert [at for chunk in chunks for at in chunk.record_numbers.tolist()] == [1, 3]


def test_a_trailing_comma_is_one_record_that_is_none(opened: Open) -> None:
    chunks, error = read_until_refused(opened(b"[" + FIRST + b",\n]"))
    assert error is None
    [bad] = [bad for chunk in chunks for bad in chunk.malformed]
    assert (bad.record, bad.line, bad.byte) == (2, 2, 10)
    assert bad.findings[0].code == "JSON_INVALID"


@pytest.mark.parametrize("number", [b"1e400", b"1.50", b"9" * 40, b"-0.0", b"1E+2"])
def test_numbers_keep_their_text(opened: Open, number: bytes) -> None:
    chunks, _ = read_until_refused(opened(b'[{"a":%b},{"a":%b}]' % (number, number)))
    assert rows_of(chunks) == [number.decode()] * 2


def test_a_record_beyond_the_limit_is_refused_after_those_before_it(opened: Open) -> None:
    long = b'{"a":"' + b"x" * 500 + b'"}'
    for chunk_bytes in (16, 400, 1 << 20):
        text = b"[" + FIRST + b"," + long + b"," + LAST + b"]"
        chunks, error = read_until_refused(opened(text, Limits(line_bytes=256), chunk_bytes))
        assert error is not None
        assert (error.code, error.byte) == ("RECORD_TOO_LONG", 9)
        assert rows_of(chunks) == ["1"]


def test_ten_megabytes_of_brackets_are_refused_with_the_place(opened: Open) -> None:
    error = refusal(lambda: opened(b"[" * 10_000_000))
    assert (error.code, error.byte) == ("JSON_INVALID", 65)


def test_a_bracket_or_quote_left_open_is_told_where_it_stops_being_json(opened: Open) -> None:
    text = b"[" + FIRST + b',{"a":1,' + LAST + b"]"
    chunks, error = read_until_refused(opened(text))
    assert error is not None
    assert (error.code, error.byte) == ("JSON_INVALID", text.index(LAST))
    assert rows_of(chunks) == ["1"]


def test_white_space_costs_neither_memory_nor_time(opened: Open) -> None:
    space = b" \n" * 500_000
    inner = b'{"a":' + b" " * 1_000_000 + b"2}"
    text = b"[" + space + FIRST + b"," + space + inner + b"," + space + LAST + b"]" + space
    began = time.perf_counter()
    chunks, error = read_until_refused(opened(text, chunk_bytes=1 << 20))
    assert error is None
    assert rows_of(chunks) == ["1", "2", "{"]
    assert time.perf_counter() - began < 5


class Endless:
    """A stream of the same text again and again; notes how much of it was read."""

    input_bytes = 0

    def __init__(self, begin: bytes, again: bytes) -> None:
        self.given = 0
        self._begin, self._again = begin, again * (65_536 // len(again))

    def read(self, size: int) -> bytes:
        assert size > 0
        part, self._begin = self._begin or self._again, b""
        self.given += len(part)
        return part

    def skip(self, size: int) -> bytes:
        assert size == 0
        return b""

    def close(self) -> None:
        pass


@pytest.mark.parametrize("again", [FIRST + b",", b"{},", b" ,", b'{"a":[{"b":"]"}]}\n,'])
def test_however_long_the_array_is_little_of_it_is_held(again: bytes) -> None:
    stream = Endless(b"", again)
    start = ReadPosition(byte=0, line=1, record=0)
    rules = CutRules(delimiter="", line_bytes=1 << 20, chunk_bytes=1 << 20)
    cutter = ItemCutter(TextWindow(stream, start), rules)
    while stream.given < 10_000_000:
        piece = cutter.next_slice()
        assert piece is not None
        assert len(piece.text) <= rules.chunk_bytes
        assert piece.index.records <= rules.chunk_records
        assert stream.given - cutter.position.byte < 3 * rules.chunk_bytes


# the same file in other clothes


@pytest.mark.parametrize(
    "packed",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: codecs.BOM_UTF32_BE + text.encode("utf-32-be"),
        lambda text: gzip.compress(text.encode()),
        lambda text: pa.compress(text.encode(), codec="zstd", asbytes=True),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
    ],
)
def test_an_array_is_read_in_every_encoding_and_packing(
    opened: Open, packed: Callable[[str], bytes]
) -> None:
    records = [{"a": f"é{number}", "b": number} for number in range(50)]
    text = json.dumps({"meta": {}, "rows": records}, ensure_ascii=False, indent=1)
    chunks, error = read_until_refused(opened(packed(text)))
    assert error is None
    assert rows_of(chunks) == [record["a"] for record in records]
    lines = [place[0] for chunk in chunks for place in chunk.positions.locate(chunk.record_numbers)]
    assert lines == [text[: text.index(f'"é{number}"')].count("\n") for number in range(50)]


def test_records_are_found_again_from_the_marks(opened: Open) -> None:
    records = ",\n".join(f'{{"n":{number},"s":"{"x" * 100}"}}' for number in range(20_000))
    text = b'{"meta":[1],"rows":[%b]}' % records.encode()
    reader = opened(text, chunk_bytes=1 << 17, records_path="rows")
    chunks, _ = read_until_refused(reader)
    marks = [mark for chunk in chunks for mark in chunk.marks]
    wanted = np.array([1, 2, 9_999, 20_000])
    found = list(reader.find_records(wanted, marks))
    assert [(one.record, one.cells[0]) for one in found] == [
        (1, "0"), (2, "1"), (9_999, "9998"), (20_000, "19999"),
    ]  # fmt: skip
    assert [one.line for one in found] == [1, 2, 9_999, 20_000]


def test_members_that_come_late_widen_the_reader(opened: Open) -> None:
    long = b'{"a":1,"note":"' + b"x" * 200 + b'"},\n'
    text = b"[" + long * 10 + b'{"a":2,"late":"here"}]'
    reader = opened(text, Limits(line_bytes=256))
    assert reader.header.names == ("a", "note")
    with pytest.raises(ColumnsGrew):
        read_until_refused(reader)
    wider = reader.widened()
    assert wider.header.names == ("a", "note", "late")
    chunks, _ = read_until_refused(wider)
    assert rows_of(chunks, "c2")[-1] == "here"
    error = refusal(lambda: opened(text, Limits(line_bytes=256, columns=2)).widened())
    assert error.code == "TOO_MANY_COLUMNS"


# what a text is taken for


LINES = b'{"a":1}\n{"a":2}\n'
ONE_LINE = b'{"a":[{"b":1}]}'
SEVERAL_LINES = b'{\n"a":[{"b":1}]}'


@pytest.mark.parametrize(
    ("text", "options", "found"),
    [
        (b'[{"a":1}]', {}, "json"),
        (b' \n[[1],{"a":1}]', {}, "json"),
        (b"[]", {}, "json"),
        (b'["x",{"a":1}]', {}, "json"),
        (b"[1,2", {"format": FileFormat.CSV}, "csv"),
        (b"[id],[name]\n1,x\n", {}, "csv"),
        (b"{id},b\n1,x\n", {}, "csv"),
        (LINES, {}, "ndjson"),
        (LINES, {"file_name": "x.json"}, "ndjson"),
        (b'{"a":1\n{"a":2}\n', {}, "ndjson"),
        (b'{"a":1\n{"a"2}\n', {"file_name": "x.ndjson"}, "ndjson"),
        (b'{"a":1\n{"a"2}\n', {"format": FileFormat.NDJSON}, "ndjson"),
        (b'{"a":NaN}\n{"a":NaN}', {}, "ndjson"),
        (b'{"a":%b1%b}\n' % (b"[" * 90, b"]" * 90), {}, "ndjson"),
        (ONE_LINE, {}, "ndjson"),
        (ONE_LINE, {"file_name": "x.jsonl"}, "ndjson"),
        (ONE_LINE, {"file_name": "X.JSON"}, "json"),
        (b'{"a":1}', {"file_name": "x.json"}, "ndjson"),
        (ONE_LINE, {"format": FileFormat.JSON}, "json"),
        (ONE_LINE, {"records_path": "a"}, "json"),
        (ONE_LINE, {"format": FileFormat.NDJSON, "file_name": "x.json"}, "ndjson"),
        (SEVERAL_LINES, {}, "json"),
        (SEVERAL_LINES, {"file_name": "x.ndjson", "format": FileFormat.JSON}, "json"),
        (b'{"a":[{"b":1},\n{"b":2}]}', {}, "json"),
        (b'{"a":[\n{"b":1}\n]}', {}, "json"),
        (b'{"a":[{"b":1}\n]}', {"records_path": "/a"}, "json"),
    ],
)
def test_the_content_says_what_a_text_is_then_the_option_then_the_name(
    opened: Open, text: bytes, options: dict[str, object], found: str
) -> None:
    assert opened(text, **options).header.facts["format"] == found


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (b'[{"a":1}]', {"format": FileFormat.CSV}, "the option format declares"),
        (b'[{"a":1}]', {"format": FileFormat.NDJSON}, "the option format declares"),
        (b'[{"a":1}]', {"format": FileFormat.XLSX}, "the option format declares"),
        (b'[{"a":1}]', {"delimiter": ";"}, "the option delimiter declares"),
        (b'[{"a":1}]', {"has_header": False}, "the option header declares"),
        (SEVERAL_LINES, {"format": FileFormat.NDJSON}, "the option format declares"),
        (LINES, {"format": FileFormat.JSON}, "the option format declares"),
        (LINES, {"format": FileFormat.CSV}, "the option format declares"),
        (LINES, {"records_path": "a"}, "the option records_path declares"),
        (SEVERAL_LINES, {"file_name": "x.ndjson"}, "its name promises"),
        (LINES, {"file_name": "x.csv"}, "its name promises"),
        (b"id,name\n", {"format": FileFormat.JSON}, "the option format declares"),
        (b"id,name\n", {"format": FileFormat.NDJSON}, "the option format declares"),
        (b"id,name\n", {"records_path": "/a"}, "the option records_path declares"),
    ],
)
def test_an_option_that_contradicts_the_content_is_an_error(
    opened: Open, text: bytes, options: dict[str, object], words: str
) -> None:
    error = refusal(lambda: opened(text, **options))
    assert error.code == "UNSUPPORTED_FORMAT"
    assert words in error.message


def test_a_report_sent_back_is_csv_whatever_was_declared_for_the_first_file(opened: Open) -> None:
    report = b"id,_record,_line,_code,_field,_value,_message\n1,1,1,,,,\n"
    reader = opened(report, format=FileFormat.JSON, records_path="/data")
    assert reader.header.facts["format"] == "csv"


def test_bad_elements_among_those_of_several_lines_take_few_looks(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Halving down to the last record, where some are bad and none ends a line, took a minute."""
    looks: list[int] = []

    def counted(records: Sequence[bytes], depth: int) -> bool:
        looks.append(len(records))
        return are_objects(records, depth)

    are_objects = json_judging._are_objects
    monkeypatch.setattr(json_judging, "_are_objects", counted)
    good = b'{\n"a":"1"},{"a":\n"2"},' * 500
    content = b"[" + (good + b'{"a":tru},\n') * 5 + b"{}]"
    chunks = list(opened(content, chunk_bytes=1 << 22).map_chunks(lambda chunk: chunk))
    assert sum(chunk.table.num_rows for chunk in chunks) == 5_001
    assert sum(len(chunk.malformed) for chunk in chunks) == 5
    assert len(looks) < 150


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'[{"a":1},,{"a":2}]', "nothing stands between two commas"),
        (b'[{"a":1},]', "nothing stands between two commas"),
        (b'[{"a":"\\ud800"},{"a":1}]', "an escape in a string is no character"),
    ],
)
def test_what_is_wrong_with_an_element_is_said(opened: Open, text: bytes, reason: str) -> None:
    [chunk] = opened(text).map_chunks(lambda chunk: chunk)
    [record] = chunk.malformed
    assert reason in record.findings[0].message


@pytest.mark.parametrize(
    "options",
    [{"file_name": "a.json"}, {"format": FileFormat.NDJSON}, {"column_names": ("a",)}, {}],
)
def test_white_space_alone_has_no_records(opened: Open, options: dict[str, object]) -> None:
    reader = opened(b" \n\t ", **options)
    assert reader.header.names == ()
    assert list(reader.map_chunks(lambda chunk: chunk)) == []


@pytest.mark.parametrize("escape", [rb"\\", rb"\n", rb"\\\""])
def test_texts_full_of_escapes_are_read_exactly(opened: Open, escape: bytes) -> None:
    text = b'{"a":"' + escape * 100_000 + b'","b":"x"}'
    reader = opened(b"[" + text + b"," + text + b"]", chunk_bytes=1 << 22)
    [chunk] = reader.map_chunks(lambda chunk: chunk)
    wanted = json.loads(text)
    assert chunk.table.column("c0").to_pylist() == [wanted["a"]] * 2
    assert chunk.table.column("c1").to_pylist() == ["x", "x"]


# a document that is one record


NAMES = ("items", "things")


@pytest.mark.parametrize(
    "content",
    [
        b'{"id": 7, "list": [1, 2], "more": {"a": [{}]}}',
        b'\n {\n"list": [1, 2],\n"more": {"a": [{}]},\n"id": 7\n}\n \n',
        b'{"more": [{}], "items": [1], "things": [], "id": 7}',
    ],
)
def test_a_document_without_records_in_it_is_one(opened: Open, content: bytes) -> None:
    reader = opened(content, format=FileFormat.JSON, record_members=NAMES)
    [chunk] = list(reader.map_chunks(lambda chunk: chunk))
    assert chunk.records == 1
    place = reader.header.names.index("id")
    assert chunk.table.column(f"c{place}").to_pylist() == ["7"]
    [found] = reader.find_records(np.array([1]), chunk.marks)
    assert found.cells[place] == "7"


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b'{"items": [{"id": 1}], "id": 2}', {}),
        (b'{"a": [], "b": [{"id": 3}], "things": [\n{"id": 1}], "items": []}', {}),
        (b'[{"id": 1}]', {}),
        (b' \n[{"id": 1}]', {}),
        (b'{"id": 2, "any": [{"id": 1}]}', {"records_path": "/any"}),
        (b'{"id": 2, "any": [{"id": 1}]}', {"record_members": ()}),
    ],
)
def test_a_document_around_an_array_of_objects_is_none(
    opened: Open, content: bytes, options: dict[str, object]
) -> None:
    known = {"record_members": NAMES, "format": FileFormat.JSON}
    reader = opened(content, **{**known, **options})
    assert rows_of(list(reader.map_chunks(lambda chunk: chunk))) == ["1"]


def test_an_empty_array_by_itself_has_no_records(opened: Open) -> None:
    reader = opened(b'{"items": []}', format=FileFormat.JSON, record_members=NAMES)
    assert list(reader.map_chunks(lambda chunk: chunk.records)) in ([], [0])


def test_one_record_is_no_longer_than_any_other(opened: Open) -> None:
    content = b'{"id": 1, "a": "' + b"x" * 100 + b'"}'
    limits = Limits(line_bytes=60)
    error = refusal(lambda: opened(content, limits, format=FileFormat.JSON, record_members=NAMES))
    assert error.code == "RECORD_TOO_LONG"


def test_a_broken_document_is_refused_before_it_is_a_record(opened: Open) -> None:
    content = b'{"id": 1,\n "a" 2}'
    error = refusal(lambda: opened(content, format=FileFormat.JSON, record_members=NAMES))
    assert (error.code, error.line) == ("JSON_INVALID", 2)


# fields under several names


def test_records_may_call_a_field_by_any_of_its_names(opened: Open) -> None:
    content = b'[{"a": 1}, {"A": "2"}, {"b": 3}, {"a": 4, "A": 4}, {"A": null, "b": 5}]'
    known = {"format": FileFormat.JSON, "names_of_fields": (("a", "A", "/x/a"), ("b", "B"))}
    reader = opened(content, **known)
    assert reader.header.names == ("a", "b")
    chunks = list(reader.map_chunks(lambda chunk: chunk))
    assert rows_of(chunks) == ["1", "2", None, None]
    assert rows_of(chunks, "k0") == [Kind.NUMBER, Kind.STRING, Kind.ABSENT, None]
    [twice] = [each for chunk in chunks for each in chunk.malformed]
    assert (twice.record, twice.cells, twice.kinds) == (4, ("4", None), "n-")
    assert [finding.code for finding in twice.findings] == ["DUPLICATE_KEY"]
    again = opened(content, known_columns=("a", "b"), **known)
    assert rows_of(list(again.map_chunks(lambda chunk: chunk))) == ["1", "2", None, None]
