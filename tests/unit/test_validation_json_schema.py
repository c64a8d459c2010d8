"""JSON Schemas of fields: what is refused when an entity is loaded, and what of a cell is told."""

from __future__ import annotations

import http.server
import json
import threading
import time
from typing import TYPE_CHECKING

import pytest

from waybill.errors import SchemaInvalid
from waybill.model.limits import Limits
from waybill.ports.reader import Header
from waybill.testing.raw_chunks import raw_chunk
from waybill.validation.checker import Checker
from waybill.validation.compiled import CheckOptions
from waybill.validation.descriptor import parse_descriptor
from waybill.validation.json_cells import LISTED_CHARACTERS, json_fault
from waybill.validation.json_schema import SCHEMA_BYTES, SCHEMA_DEPTH, compile_schema
from waybill.validation.rejects import iterate_rejections
from waybill.validation.sandbox import Sandbox, open_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from waybill.model.finding import Finding

DRAFT_4 = "http://json-schema.org/draft-04/schema#"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
PERSON = {
    "type": "object",
    "required": ["address"],
    "additionalProperties": False,
    "properties": {
        "address": {
            "type": "object",
            "required": ["zip"],
            "properties": {"zip": {"type": "string", "pattern": "^[0-9]{5}$"}},
        },
        "tags": {"items": {"enum": ["a", "b"]}, "uniqueItems": True},
        "age": {"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 0}]},
    },
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    spill = tmp_path_factory.mktemp("spill")
    return open_sandbox(memory_bytes=200 << 20, threads=1, temp_directory=spill)


def refused(schema: object, **field: object) -> SchemaInvalid:
    rules = {"name": "v", "type": "object", "constraints": {"jsonSchema": schema}, **field}
    with pytest.raises(SchemaInvalid) as caught:
        parse_descriptor({"fields": [rules]}, name="sample")
    return caught.value


def findings(sandbox: Sandbox, schema: object, *cells: str, **field: object) -> list[Finding]:
    """What is found in cells of one field, each of which must have one finding."""
    rules = {"name": "v", "type": "object", "constraints": {"jsonSchema": schema}, **field}
    checker = Checker(
        parse_descriptor({"fields": [rules]}, name="sample"),
        Header(names=("v",)),
        CheckOptions(),
        limits=Limits(),
        sandbox=sandbox,
        pepper="pepper",
    )
    checked = checker.check(raw_chunk([[cell] for cell in cells]))
    rejections = list(iterate_rejections([checked.rejects]))
    assert [each.record for each in rejections] == list(range(1, len(cells) + 1))
    [*found] = [each.findings for each in rejections]
    assert [len(each) for each in found] == [1] * len(cells)
    return [each for (each,) in found]


def nested(levels: int) -> dict[str, object]:
    schema: dict[str, object] = {}
    for _ in range(levels - 1):
        schema = {"not": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "pointer", "reason"),
    [
        ({"type": "thing"}, "/type", "it must be one of"),
        ({"properties": {"a/b": {"minimum": "x"}}}, "/properties/a~1b/minimum", "of type number"),
        ({"$schema": "http://example.com/s"}, "/$schema", "is none of the drafts 4, 6, 7"),
        ({"items": [{}]}, "/items", "must be of type boolean or object"),
        ({"allOf": [{"$ref": "#/$defs/none"}]}, "/allOf/0/$ref", "'/$defs/none' does not exist"),
        ({"$dynamicRef": "#none"}, "/$dynamicRef", "'none' does not exist"),
        ({"$ref": "other.json"}, "/$ref", "'other.json' leads outside"),
        ({"$ref": "http://["}, "/$ref", "leads outside"),
        ({"$ref": "https://json-schema.org/draft/2020-12/schema"}, "/$ref", "leads outside"),
        ({"$ref": "#/a", "a": {"type": "thing"}}, "", "Unexpected type"),
        (nested(SCHEMA_DEPTH + 1), "", f"deeper than {SCHEMA_DEPTH} levels"),
        ({"const": "x" * SCHEMA_BYTES}, "", f"larger than {SCHEMA_BYTES} bytes"),
    ],
)
def test_a_wrong_schema_is_refused_with_its_place(
    schema: dict[str, object], pointer: str, reason: str
) -> None:
    error = refused(schema)
    place = "/fields/0/constraints/jsonSchema"
    assert error.pointer.startswith(place + pointer)
    assert reason in error.message


@pytest.mark.parametrize(
    "schema",
    [
        nested(SCHEMA_DEPTH),
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}},
        {"$id": "http://a.example/s", "$ref": "t#/not", "$defs": {"a": {"$id": "t", "not": {}}}},
        {"const": {"$ref": "file:///etc/passwd"}},
        {"properties": {"$ref": {"type": "string"}, "pattern": {}}},
        {"$schema": DRAFT_7, "items": [{}]},
    ],
)
def test_a_schema_that_is_closed_is_taken(schema: dict[str, object]) -> None:
    compile_schema(schema)


@pytest.mark.parametrize("pattern", ["(?=a)", r"(a)\1", "(", "(a{1000}){1000}", "a" * 513])
def test_a_pattern_that_cannot_run_in_linear_time_is_refused(pattern: str) -> None:
    for schema, place in (
        ({"properties": {"a": {"pattern": pattern}}}, "/properties/a/pattern"),
        ({"patternProperties": {pattern: {}}}, f"/patternProperties/{pattern}"),
    ):
        error = refused(schema)
        assert error.code == "PATTERN_UNSUPPORTED"
        assert error.pointer == "/fields/0/constraints/jsonSchema" + place


def test_patterns_run_in_linear_time() -> None:
    validator = compile_schema({"items": {"pattern": "^(a|aa)+$"}})
    started = time.perf_counter()
    fault = json_fault(json.dumps(["a" * 1_000_000 + "!"]), validator)
    assert fault is not None
    assert time.perf_counter() - started < 5


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """The address of a server that has a schema, and the paths that it was asked for."""
    paths: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/schema", paths
    server.shutdown()
    server.server_close()


def test_no_reference_is_fetched(asked: tuple[str, list[str]], tmp_path: Path) -> None:
    address, paths = asked
    (tmp_path / "schema.json").write_text("{}")
    for elsewhere in (address, (tmp_path / "schema.json").as_uri()):
        for schema in (
            {"$ref": elsewhere},
            {"$ref": f"{elsewhere}#/a"},
            {"$id": elsewhere, "$ref": "other"},
            {"$schema": elsewhere},
            {"$defs": {"a": {"$schema": elsewhere}}},
            {"$dynamicRef": elsewhere},
        ):
            refused(schema)
    assert paths == []


def test_the_draft_is_that_of_the_schema(sandbox: Sandbox) -> None:
    old = {"$schema": DRAFT_4, "properties": {"n": {"minimum": 5, "exclusiveMinimum": True}}}
    [found] = findings(sandbox, old, '{"n": 5}')
    assert found.message == "the value is refused: /n must be more than 5"
    assert compile_schema({"format": "date"}).is_valid("x")
    assert not compile_schema({"$schema": DRAFT_7, "format": "date"}).is_valid("x")


def test_a_finding_names_field_place_and_rule(sandbox: Sandbox) -> None:
    cells = {
        '{"address": {"zip": "1234"}}': ("/address/zip", '/address/zip must match "^[0-9]{5}$"'),
        '{"address": {}}': ("/address", '/address must have the member "zip"'),
        "{}": (None, 'it must have the member "address"'),
        '{"address": {"zip": "12345"}, "age": -1}': (
            "/age", "/age must be of type null or must be at least 0",
        ),
        '{"address": {"zip": "12345"}, "a/b~": 1}': (
            None, 'it must have no other members, but has "a/b~"',
        ),
    }  # fmt: skip
    found = findings(sandbox, PERSON, *cells)
    assert [(each.code, each.field, each.column) for each in found] == [("JSON_SCHEMA", "v", 1)] * 5
    told = {each.value: (each.pointer, each.message) for each in found}
    assert told == {
        cell: (pointer, f"the value is refused: {words}")
        for cell, (pointer, words) in cells.items()
    }


def test_of_several_faults_the_first_few_are_told_and_the_rest_counted(sandbox: Sandbox) -> None:
    cell = '{"address": {"zip": 5}, "tags": ["a", "z", "a", "y", "x"], "more": 1}'
    first, second = findings(sandbox, PERSON, cell, cell)
    assert first.message == second.message
    assert first.message == (
        "the value is refused: /address/zip must be of type string;"
        ' /tags must not have an item twice; /tags/1 must be one of "a", "b"; 3 more'
    )


def test_messages_stay_short_whatever_the_value_holds(sandbox: Sandbox) -> None:
    name, text = "n" * 50_000, "\n" * 20_000
    schema = {"additionalProperties": {"type": "integer"}, "maxProperties": 1}
    [found] = findings(sandbox, schema, json.dumps({name: 1, text: "x" * 5_000, "k": []}))
    assert len(found.message) < 1_000
    assert "\n" not in found.message
    assert len(found.value or "") <= 200


def test_a_long_value_with_a_fault_in_every_item_costs_little(sandbox: Sandbox) -> None:
    schema = {"anyOf": [{"items": {"type": "string"}}, {"type": "null"}]}
    cell = "[" + "1," * LISTED_CHARACTERS + "1]"
    started = time.perf_counter()
    [found] = findings(sandbox, schema, cell, type="array")
    assert f"too long to say where ({len(cell)} characters)" in found.message
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    "cell",
    [
        '{"address": {"zip": "hush5"}}',
        '{"hush1": 1, "hush2": 2}',
        '{"address": {"zip": "12345"}, "age": "hush3"}',
        '{"address": {"zip": "12345"}, "tags": ["hush4"]}',
        '{"hush5": 1, "hush5": 2}',
        '{"hush6": "\\ud800"}',
    ],
)
def test_of_a_secret_no_part_is_told(sandbox: Sandbox, cell: str) -> None:
    [found] = findings(sandbox, PERSON, cell, waybill={"secret": True})
    assert "hush" not in repr(found)
    assert (found.value, found.pointer) == ("********", None)


def test_of_a_secret_the_broken_rule_is_named_by_its_place_in_the_schema(sandbox: Sandbox) -> None:
    [found] = findings(sandbox, PERSON, '{"address": {"zip": 5}}', waybill={"secret": True})
    assert found.message == (
        "the value is refused: it must be of type string"
        " (#/properties/address/properties/zip/type of its schema)"
    )


@pytest.mark.parametrize(
    ("cell", "code", "reason"),
    [
        ("[" * 100_000, "JSON_SCHEMA", "nested deeper than 64 levels"),
        ("[" * 65 + "]" * 65, "JSON_SCHEMA", "nested deeper than 64 levels"),
        ('[{"a": 1, "a": 2}]', "JSON_SCHEMA", "the member 'a' stands twice"),
        ("[NaN]", "JSON_SCHEMA", "NaN is not JSON"),
        ("[1e999]", "JSON_SCHEMA", "beyond what a double can hold"),
        ('["\\ud800"]', "JSON_SCHEMA", "half a character"),
        ("[1,]", "TYPE_MISMATCH", "is not a JSON array"),
    ],
)
def test_cells_are_strict_json_before_any_schema(
    sandbox: Sandbox, cell: str, code: str, reason: str
) -> None:
    [found] = findings(sandbox, {"maxItems": 9}, cell, type="array")
    assert found.code == code
    assert reason in found.message
    assert len(found.message) < 400


def test_a_default_must_fit_the_schema() -> None:
    error = refused(PERSON, waybill={"default": {"address": {}}})
    assert error.pointer == "/fields/0/waybill/default"
    assert 'must have the member "zip"' in error.message


def test_white_space_that_is_trimmed_is_no_fault(sandbox: Sandbox) -> None:
    [found] = findings(sandbox, PERSON, "\u00a0{}\u00a0", waybill={"trim": "both"})
    assert found.message == 'the value is refused: it must have the member "address"'


def test_a_hundred_thousand_cells_take_little_time() -> None:
    validator = compile_schema(PERSON)
    street = "x" * 150
    cell = json.dumps({"address": {"zip": "12345", "street": street}, "tags": ["a"], "age": 7})
    started = time.perf_counter()
    assert all(json_fault(cell, validator) is None for _ in range(100_000))
    assert time.perf_counter() - started < 5
