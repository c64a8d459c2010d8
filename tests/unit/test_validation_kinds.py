"""Cells of typed formats: each field takes the kinds of its type, and no text for a number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from waybill.formats.opening import open_reader
from waybill.model.limits import Limits
from waybill.model.options import Operation, UnknownColumns
from waybill.ports.reader import ReadOptions
from waybill.validation.checker import Checker
from waybill.validation.compiled import CheckOptions
from waybill.validation.descriptor import parse_descriptor
from waybill.validation.rejects import iterate_rejections
from waybill.validation.sandbox import open_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from waybill.validation.checked import CheckedChunk

    Check = Callable[..., CheckedChunk]

KEPT = CheckOptions(unknown_columns=UnknownColumns.KEEP)
KEEPING = CheckOptions(keeps_absent=True)
VALUES = {"string": "12", "number": 12, "boolean": True, "object": {"a": 1}, "array": [1]}


@pytest.fixture
def check(tmp_path: Path) -> Check:
    sandbox = open_sandbox(memory_bytes=100 << 20, threads=1, temp_directory=tmp_path / "spill")

    def checked(
        text: str,
        *fields: dict[str, object],
        options: CheckOptions = CheckOptions(),  # noqa: B008 - frozen
        **schema: object,
    ) -> CheckedChunk:
        path = tmp_path / "input"
        path.write_text(text)
        reader = open_reader(str(path), ReadOptions(), Limits())
        raw = {"fields": list(fields), "waybill": {"open": True}, **schema}
        entity = parse_descriptor(raw, name="sample")
        checker = Checker(
            entity,
            reader.header,
            options,
            limits=Limits(),
            sandbox=sandbox,
            pepper="pepper",
        )
        [result] = reader.map_chunks(checker.check)
        return result

    return checked


def messages(checked: CheckedChunk) -> dict[int, list[str]]:
    return {
        each.record: [finding.message for finding in each.findings]
        for each in iterate_rejections([checked.rejects])
    }


@pytest.mark.parametrize(
    ("field", "taken"),
    [
        ({"type": "string"}, {"string"}),
        ({"type": "integer"}, {"number"}),
        ({"type": "number"}, {"number"}),
        ({"type": "number", "bareNumber": False}, {"number", "string"}),
        ({"type": "boolean"}, {"boolean"}),
        ({"type": "object"}, {"object"}),
        ({"type": "array"}, {"array"}),
        ({"type": "list", "itemType": "integer"}, {"string", "array"}),
        ({"type": "any"}, set(VALUES)),
        ({"type": "string", "waybill": {"kinds": ["string", "number"]}}, {"string", "number"}),
        ({"type": "any", "waybill": {"kinds": ["array"]}}, {"array"}),
        ({"type": "integer", "waybill": {"kinds": ["number", "string"]}}, {"number", "string"}),
    ],
)
def test_each_type_takes_its_kinds(check: Check, field: dict[str, object], taken: set[str]) -> None:
    text = "".join(json.dumps({"x": value}) + "\n" for value in VALUES.values())
    assert messages(check(text, {"name": "x", **field})) == {
        record: [f"expected {field['type']}, received {kind}"]
        for record, kind in enumerate(VALUES, start=1)
        if kind not in taken
    }


@pytest.mark.parametrize("kind", ["date", "datetime", "time", "duration", "yearmonth"])
def test_dates_are_strings(check: Check, kind: str) -> None:
    found = messages(check('{"x":2020}\n', {"name": "x", "type": kind}))
    assert found == {1: [f"expected {kind}, received number"]}


def test_null_is_missing_and_no_kind(check: Check) -> None:
    required = {"name": "x", "type": "integer", "constraints": {"required": True}}
    found = messages(check('{"x":null}\n{"y":1}\n{"x":1}\n', required))
    assert sorted(found) == [1, 2]
    assert not any("received" in message for one in found.values() for message in one)


def test_true_and_false_are_the_declared_words(check: Check) -> None:
    words = {"name": "x", "type": "boolean", "trueValues": ["yes"], "falseValues": ["no"]}
    checked = check('{"x":true}\n{"x":false}\n{"x":"yes"}\n', words)
    assert checked.good["x"].to_pylist() == [True, False]
    assert messages(checked) == {3: ["expected boolean, received string"]}


def test_values_are_those_of_the_same_csv(check: Check) -> None:
    fields = [{"name": "n", "type": "number"}, {"name": "b", "type": "boolean"}]
    typed = check('{"n": 1.50e1, "b": true}\n', *fields).good
    plain = check("n,b\n1.50e1,true\n", *fields).good
    assert typed.to_pylist() == plain.to_pylist()


def test_a_text_that_holds_json_is_of_the_wrong_kind_only(check: Check) -> None:
    field = {"name": "x", "type": "array", "constraints": {"jsonSchema": {"maxItems": 1}}}
    checked = check('{"x": "[1, 2]"}\n{"x": "[NaN]"}\n{"x": [1, 2]}\n', field)
    assert messages(checked) == {
        1: ["expected array, received string"],
        2: ["expected array, received string"],
        3: ["the value is refused: it must have at most 1 items"],
    }


@pytest.mark.parametrize("schema", [None, {"required": ["a"]}])
def test_nested_values_are_those_of_the_same_csv(check: Check, schema: object) -> None:
    rules = {} if schema is None else {"constraints": {"jsonSchema": schema}}
    field = {"name": "x", "type": "object", **rules}
    cell = '{"a": {"b": [1.50, "\\u00e4"]}}'
    typed = check(f'{{"x": {cell}}}\n', field).good
    plain = check('x\n"' + cell.replace('"', '""') + '"\n', field).good
    assert typed.to_pylist() == plain.to_pylist()
    assert plain["x"].to_pylist() == [cell]


@pytest.mark.parametrize(
    ("item", "array", "text"),
    [
        ("string", '["a", "b"]', "a;b"),
        ("string", '["a", "", "\\u00e4\\"\\\\ü"]', 'a;;ä"\\ü'),
        ("string", '["null"]', "null"),
        ("integer", "[1,-2 , 30]", "1;-2;30"),
        ("number", "[1.50, 1E+2]", "1.50;1E+2"),
        ("boolean", "[true, false]", "true;false"),
        ("date", '["2024-01-01", "2024-02-29"]', "2024-01-01;2024-02-29"),
    ],
)
def test_an_array_for_a_list_is_its_delimited_text(
    check: Check, item: str, array: str, text: str
) -> None:
    field = {"name": "x", "type": "list", "itemType": item, "delimiter": ";"}
    typed = check(f'{{"x": {array}}}\n{{"x": {json.dumps(text)}}}\n', field).good
    plain = check('x\n"' + text.replace('"', '""') + '"\n', field).good
    assert plain["x"].to_pylist() == [text]
    assert typed["x"].to_pylist() == [text] * 2
    assert typed["_hash"].to_pylist() == plain["_hash"].to_pylist() * 2


@pytest.mark.parametrize(
    ("field", "array", "told"),
    [
        ({}, '["a,b"]', "has an item with the delimiter ','"),
        ({"delimiter": "::"}, '["a:", "b"]', "has an item with the delimiter '::'"),
        ({"itemType": "number", "delimiter": "."}, "[1.5]", "has an item with the delimiter '.'"),
        ({}, '[""]', "has an item that alone means a missing value"),
        ({"missingValues": ["", "n/a"]}, '["n/a"]', "has an item that alone means a missing value"),
        ({}, "[1]", "has an item that is no JSON string"),
        ({}, '["a", null]', "has an item that is no JSON string"),
        ({}, '[["a"]]', "has an item that is no JSON string"),
        ({"itemType": "integer"}, '["1"]', "has an item that is no JSON number"),
        ({"itemType": "integer"}, "[1.5]", "is not values separated by ','"),
        ({"itemType": "boolean"}, '["true"]', "has an item that is no JSON boolean"),
        ({}, '["a\\u0000"]', "the value holds a NUL character"),
        ({"constraints": {"maxLength": 1}}, '["a", "b"]', "has more than 1 items"),
    ],
)
def test_an_array_that_no_delimited_text_means_is_refused(
    check: Check, field: dict[str, object], array: str, told: str
) -> None:
    found = messages(check(f'{{"x": {array}}}\n', {"name": "x", "type": "list", **field}))
    assert [told in message for message in found[1]] == [True]


@given(st.lists(st.lists(st.text(alphabet='a,:"\\\né\x00\x1f []', max_size=3)), min_size=1))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_array_is_refused_or_comes_back_from_its_text(
    check: Check, arrays: list[list[str]]
) -> None:
    lines = "".join(json.dumps({"x": array}) + "\n" for array in arrays)
    checked = check(lines, {"name": "x", "type": "list", "delimiter": "::"})
    refused = messages(checked)
    kept = dict(zip(*checked.good.select(["_record", "x"]).to_pydict().values(), strict=True))
    for record, array in enumerate(arrays, start=1):
        text = "::".join(array)
        if record in refused:
            assert "\0" in text or text.split("::") != array or not text
        else:
            assert kept[record] == (text if array else None)


def test_an_array_of_nothing_is_missing(check: Check) -> None:
    field = {"name": "x", "type": "list", "waybill": {"default": "a,b"}}
    assert check('{"x": []}\n', {"name": "x", "type": "list"}).good["x"].to_pylist() == [None]
    assert check('{"x": []}\n', field).good["x"].to_pylist() == ["a,b"]
    required = {"name": "x", "type": "list", "constraints": {"required": True}}
    assert messages(check('{"x": []}\n', required)) == {1: ["x is required"]}


def test_an_array_is_still_one_in_a_report_that_comes_back(check: Check) -> None:
    field = {"name": "x", "type": "list"}
    cells = ("a,b", '["a", "b"]', "[1]", "[a]", "")
    text = "".join('1,"' + cell.replace('"', '""') + '"\n' for cell in cells)
    checked = check("_record,x\n" + text, field)
    assert checked.good["x"].to_pylist() == ["a,b", "a,b", "[a]", None]
    assert messages(checked) == {3: ["'[1]' has an item that is no JSON string"]}
    assert check('x\n"[""a"", 2]"\n', field).good["x"].to_pylist() == ['["a", 2]']


def test_kept_columns_keep_their_kind_and_so_does_the_hash(check: Check) -> None:
    values = ("5", '"5"', "true", '"true"', '{"a": [1.50]}', "1e999", '"\\u00e4"', "null")
    text = "".join(f'{{"id": 1, "more": {value}}}\n' for value in values)
    field = {"name": "id", "type": "integer"}
    kept = check(text, field, options=KEPT).good
    shown = [*values[:-2], '"ä"']
    assert kept["_extra"].to_pylist() == [*(f'{{"more":{value}}}' for value in shown), "{}"]
    assert len(set(kept["_hash"].to_pylist())) == len(values)
    plain = check("id,more\n1,5\n", field, options=KEPT).good
    assert plain["_hash"].to_pylist() == [kept["_hash"].to_pylist()[1]]


def test_the_hash_tells_kept_columns_of_other_names_apart(check: Check) -> None:
    field = {"name": "id", "type": "integer"}
    one, other = (
        check(f"id,{name}\n1,5\n", field, options=KEPT).good["_hash"] for name in ("one", "other")
    )
    assert one.to_pylist() != other.to_pylist()


ID = {"name": "id", "type": "integer"}


def test_what_a_record_lacks_is_named_and_its_column_has_what_a_new_record_gets(
    check: Check,
) -> None:
    fields = [ID, {"name": "x", "type": "string"}, {"name": "n", "type": "integer"}]
    fields.append({"name": "d", "type": "string", "waybill": {"default": "EU"}})
    text = '{"id":1,"x":"a","n":1,"d":"US"}\n{"id":2,"x":null,"d":null}\n{"id":3,"n":3}\n'
    good = check(text, *fields, options=KEEPING, primaryKey="id").good
    assert good["_absent"].to_pylist() == [[], ["n"], ["x", "d"]]
    assert good["d"].to_pylist() == ["US", "EU", "EU"]
    assert "_absent" not in check(text, *fields, primaryKey="id").good.column_names


def test_a_table_has_no_absent_cells(check: Check) -> None:
    good = check("id,x\n1,\n", ID, {"name": "x", "type": "string"}, options=KEEPING).good
    assert good.column_names == ["_record", "_hash", "id", "x"]


def test_the_hash_tells_what_is_absent_from_null_where_it_is_kept(check: Check) -> None:
    text = '{"id":1,"x":"a"}\n{"id":1,"x":null}\n{"id":1}\n{"id":1}\n'
    field = {"name": "x", "type": "string"}
    _, null, absent, same = check(text, ID, field, options=KEEPING).good["_hash"].to_pylist()
    assert absent == same != null
    _, null, absent, same = check(text, ID, field).good["_hash"].to_pylist()
    assert null == absent == same


def test_an_absent_required_member_is_missing_also_where_others_are_kept(check: Check) -> None:
    field = {"name": "x", "type": "string", "constraints": {"required": True}}
    text = '{"id":1}\n{"id":2,"x":"a"}\n{"x":"a"}\n'
    options = CheckOptions(keeps_absent=True, operation=Operation.UPDATE)
    found = messages(check(text, ID, field, options=options, primaryKey="id"))
    assert {record: len(told) for record, told in found.items()} == {1: 1, 3: 1}


def test_absent_members_are_no_duplicates_of_a_unique_default(check: Check) -> None:
    fields = [{"name": "x", "type": "string", "waybill": {"default": "EU"}}]
    fields[0]["constraints"] = {"unique": True}
    text = '{"id":1,"x":null}\n{"id":2}\n'
    [digests] = check(text, ID, *fields, options=KEEPING).unique_digests
    assert digests[0] != 0 == digests[1]


def test_a_number_and_its_text_are_the_same_value_of_a_text_field(check: Check) -> None:
    field = {"name": "no", "type": "string", "waybill": {"kinds": ["string", "number"]}}
    text = '{"no":136}\n{"no":"136"}\n{"no":1.50}\n'
    good = check(text, field, primaryKey="no").good
    assert good["no"].to_pylist() == good["_key"].to_pylist() == ["136", "136", "1.50"]
    first, second, _ = good["_hash"].to_pylist()
    assert first == second


@pytest.mark.parametrize(
    ("field", "array", "text"),
    [
        ({}, '["a", 136, 1.50, "7,7", "\\"1", 12345678901234567890123]',
         'a;136;1.50;7,7;"1;12345678901234567890123'),
        ({"itemType": "integer"}, '["1", 2]', "1;2"),
        ({"itemType": "boolean"}, '[true, "False", false]', "true;False;false"),
    ],
)  # fmt: skip
def test_a_list_may_take_items_of_several_kinds_as_they_are_written(
    check: Check, field: dict[str, object], array: str, text: str
) -> None:
    kinds = ["string", "boolean" if field.get("itemType") == "boolean" else "number"]
    field = {"name": "x", "type": "list", "delimiter": ";", "waybill": {"kinds": kinds}, **field}
    checked = check(f'{{"x": {array}}}\n{{"x": [null]}}\n{{"x": 5}}\n', field)
    assert checked.good["x"].to_pylist() == [text]
    assert messages(checked) == {
        2: [f"'[null]' has an item that is no JSON {' or '.join(kinds)}"],
        3: ["expected list, received number"],
    }


def test_the_rules_of_a_text_field_hold_for_numbers_too(check: Check) -> None:
    rules = {"maxLength": 3, "pattern": "[0-9]+"}
    field = {"name": "no", "type": "string", "waybill": {"kinds": ["number"]}, "constraints": rules}
    found = messages(check('{"no":1234}\n{"no":1.5}\n{"no":136}\n', field))
    assert sorted(found) == [1, 2]


def test_rejections_tell_the_kinds_of_their_cells(check: Check) -> None:
    fields = [{"name": name, "type": "integer"} for name in "abcdefg"]
    text = '{"a":1,"b":"1","c":true,"d":{},"e":[],"f":null,"g":"x"}\n{"a":"no"}\n'
    first, second = iterate_rejections([check(text, *fields).rejects])
    assert (first.kinds, second.kinds) == ("nsboa.s", "s------")
    assert [first.kind_of(place) for place in (0, 1, 5, 99)] == ["number", "string", None, None]
    [plain] = iterate_rejections([check("a\nno\n", fields[0]).rejects])
    assert (plain.kinds, plain.kind_of(0)) == ("", None)


def test_a_text_that_means_missing_is_of_no_kind(check: Check) -> None:
    fields: list[dict[str, object]] = [
        {"name": "n", "type": "number", "missingValues": ["", "-"], "waybill": {"trim": True}},
        {"name": "b", "type": "boolean"},
        {"name": "l", "type": "list"},
        {"name": "d", "type": "number", "waybill": {"default": 1}},
    ]
    checked = check(
        '{"n": 1.5, "b": true, "l": ["a"], "d": 2}\n'
        '{"n": "", "b": "", "l": "", "d": 2}\n'
        '{"n": " - ", "b": null, "l": null, "d": 2}\n'
        '{"n": "1.5", "b": " ", "l": "a", "d": 2}\n'
        '{"n": "x", "b": "", "l": "a", "d": ""}\n',
        *fields,
    )
    assert messages(checked) == {
        4: ["expected number, received string", "expected boolean, received string"],
        5: ["expected number, received string", "expected number, received string"],
    }
    assert checked.good.select(["n", "b", "l"]).to_pylist()[1:] == [
        {"n": None, "b": None, "l": None}
    ] * 2  # fmt: skip


def test_trimming_a_list_trims_its_items(check: Check) -> None:
    lists = [
        {"name": name, "type": "list", "delimiter": mark, "waybill": {"trim": True}}
        for name, mark in (("a", ","), ("b", "|"), ("c", "\\"), ("d", " / "))
    ]
    checked = check('a;b;c;d\n x , y,z ; p | q ;"m \\ n"; s  /  t \n', *lists)
    assert checked.good.select(["a", "b", "c", "d"]).to_pylist() == [
        {"a": "x,y,z", "b": "p|q", "c": "m\\n", "d": "s / t"}
    ]
