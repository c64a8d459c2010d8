"""Nested values over HTTP and offline: objects, arrays and lists, from CSV and NDJSON alike."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from waybill.testing.server import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

PLACES = {
    "fields": [
        {"name": "id", "type": "integer"},
        {
            "name": "address",
            "type": "object",
            "constraints": {
                "jsonSchema": {
                    "type": "object",
                    "required": ["zip"],
                    "properties": {"zip": {"type": "string", "pattern": "^[0-9]{5}$"}},
                }
            },
        },
        {"name": "tags", "type": "list"},
    ],
    "primaryKey": ["id"],
    "waybill": {"open": True},
}
CSV = b"""id,address,tags
1,"{""zip"": ""12345""}","a,b"
2,"{""zip"": ""1234""}",a
3,%b,a
4,"{""zip"": ""\\ud800""}",a
""" % (b"[" * 100_000)
NDJSON = b"""{"id": 1, "address": {"zip": "12345"}, "tags": ["a", "b"]}
{"id": 2, "address": {"zip": "1234"}, "tags": ["a"]}
{"id": 3, "address": {"zip": "12345"}, "tags": ["a,b"]}
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    running = ServerProcess(tmp_path_factory.mktemp("places"))
    running.init({"places": PLACES})
    running.start()
    with running.client() as made:
        yield made
    running.stop()


def found(client: httpx.Client, job: dict[str, object]) -> dict[int, list[str]]:
    rejections = client.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]
    return {
        each["record"]: [
            word
            for finding in each["findings"]
            for word in (finding["code"], finding["field"], finding.get("pointer"))
        ]
        for each in rejections
    }


def stored(client: httpx.Client) -> dict[int, dict[str, object]]:
    records = client.get("/v1/entities/places/records").json()["records"]
    return {record.pop("id"): record for record in records}


def test_a_nested_value_is_judged_alike_in_csv_and_ndjson(places, submit, finish):
    job = finish(places, submit(places, NDJSON, "places"))
    assert found(places, job) == {
        2: ["JSON_SCHEMA", "address", "/zip"],
        3: ["LIST_ITEM", "tags", None],
    }
    typed = stored(places)[1]
    job = finish(places, submit(places, CSV, "places"))
    assert (job["counts"]["unchanged"], job["counts"]["rejected"]) == (1, 3)
    assert stored(places)[1] == typed == {"address": '{"zip": "12345"}', "tags": "a,b"}
    assert found(places, job) == {
        2: ["JSON_SCHEMA", "address", "/zip"],
        3: ["JSON_SCHEMA", "address", None],
        4: ["JSON_SCHEMA", "address", None],
    }


def test_a_rejected_record_with_an_array_is_mended_in_its_report(places, submit, finish):
    text = b'{"id": 12, "address": {"zip": "1"}, "tags": ["a", "b"]}\n'
    job = finish(places, submit(places, text, "places"))
    report = places.get(f"/v1/jobs/{job['id']}/rejections.csv").text
    mended = report.replace('""zip"": ""1""', '""zip"": ""12345""')
    job = finish(places, submit(places, mended, "places"))
    assert job["counts"]["created"] == 1
    assert stored(places)[12]["tags"] == "a,b"


def test_undeclared_values_keep_their_kind_and_a_change_of_it_is_a_change(places, submit, finish):
    def put(value: str) -> tuple[int, object]:
        text = f'{{"id": 21, "more": {value}}}\n'
        job = finish(places, submit(places, text, "places", unknown_columns="keep"))
        return job["counts"]["unchanged"], stored(places)[21]["more"]

    assert put("5") == (0, 5)
    assert put("5") == (1, 5)
    assert put('"5"') == (0, "5")
    assert put('{"a": [1.5, null]}') == (0, {"a": [1.5, None]})
    assert put("1e999") == (0, "1e999")


def test_a_nested_value_is_judged_offline_too(tmp_path):
    (tmp_path / "places.json").write_text(json.dumps(PLACES))
    for name, content, rejected in (("a.csv", CSV, {2, 3, 4}), ("a.ndjson", NDJSON, {2, 3})):
        (tmp_path / name).write_bytes(content)
        command = [sys.executable, "-m", "waybill", "check", str(tmp_path / name), "--schema"]
        done = subprocess.run(
            [*command, str(tmp_path / "places.json"), "--format", "json"],
            check=False,
            capture_output=True,
        )
        assert done.returncode == 3, done.stderr
        assert {each["record"] for each in json.loads(done.stdout)["rejections"]} == rejected
        assert b'/zip must match \\"^[0-9]{5}$\\"' in done.stdout
