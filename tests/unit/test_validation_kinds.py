"""Cells of typed formats: each field takes the kinds of its type, and no text for a number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from waybill.formats.opening import open_reader
from waybill.model.limits import Limits
from waybill.ports.reader import ReadOptions
from waybill.validation.checker import Checker, CheckOptions
from waybill.validation.descriptor import parse_descriptor
from waybill.validation.rejects import iterate_rejections
from waybill.validation.sandbox import open_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from waybill.validation.checked import CheckedChunk

    Check = Callable[..., CheckedChunk]

VALUES = {"string": "12", "number": 12, "boolean": True, "object": {"a": 1}, "array": [1]}


@pytest.fixture
def check(tmp_path: Path) -> Check:
    sandbox = open_sandbox(memory_bytes=100 << 20, threads=1, temp_directory=tmp_path / "spill")

    def checked(text: str, *fields: dict[str, object]) -> CheckedChunk:
        path = tmp_path / "input"
        path.write_text(text)
        reader = open_reader(str(path), ReadOptions(), Limits())
        entity = parse_descriptor({"fields": list(fields)}, name="sample")
        checker = Checker(
            entity,
            reader.header,
            CheckOptions(),
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
        ({"type": "any"}, set(VALUES)),
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
