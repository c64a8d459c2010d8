"""What a record of JSON or XML lacks is kept or cleared, as the job asks, over real HTTP."""

from __future__ import annotations

import json

import pytest

SHOPS = {
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "name", "type": "string", "constraints": {"required": True}},
        {"name": "mail", "type": "string"},
        {"name": "zone", "type": "string", "waybill": {"default": "EU"}},
    ],
    "primaryKey": ["id"],
    "waybill": {"open": True},
}
FIRST = [
    {"id": "a", "name": "A", "mail": "a@x", "zone": "US"},
    {"id": "b", "name": "B", "mail": "b@x", "zone": "US"},
    {"id": "c", "name": "C", "mail": "c@x", "zone": "US"},
]
SECOND = [
    {"id": "a", "name": "A2"},
    {"id": "b", "name": "B", "mail": None},
    {"id": "c", "name": "C", "zone": "US"},
    {"id": "d", "name": "D"},
    {"id": "e", "mail": "e@x"},
]


@pytest.fixture(scope="module")
def entities():
    return dict.fromkeys(("plain", "kept", "whole", "xml", "dry", "many-row", "many-file"), SHOPS)


@pytest.fixture(scope="module")
def client(server):
    with server.client() as api:
        yield api


@pytest.fixture(scope="module")
def load(client, finish):
    def loaded(records, entity, **options):
        content = records if isinstance(records, bytes) else json.dumps(records).encode()
        params = {"entity": entity, **options}
        headers = {"content-type": "application/octet-stream"}
        answer = client.post("/v1/jobs", params=params, content=content, headers=headers)
        assert answer.status_code == 202, answer.text
        return finish(client, answer.json())

    return loaded


def stored(client, entity):
    records = client.get(f"/v1/entities/{entity}/records").json()["records"]
    return {each["id"]: (each["name"], each["mail"], each["zone"]) for each in records}


def counts(job):
    names = ("created", "updated", "unchanged", "rejected")
    return tuple(job["counts"][name] for name in names)


KEPT = {
    "a": ("A2", "a@x", "US"),
    "b": ("B", None, "US"),
    "c": ("C", "c@x", "US"),
    "d": ("D", None, "EU"),
}


def test_absent_members_clear_unless_asked_otherwise(client, load):
    load(FIRST, "plain")
    assert counts(load(SECOND, "plain")) == (1, 3, 0, 1)
    assert stored(client, "plain") == {
        "a": ("A2", None, "EU"),
        "b": ("B", None, "EU"),
        "c": ("C", None, "US"),
        "d": ("D", None, "EU"),
    }


def test_absent_members_keep_what_is_stored_record_by_record(client, load):
    load(FIRST, "kept")
    job = load(SECOND, "kept", absent_members="keep")
    assert counts(job) == (1, 2, 1, 1)
    assert stored(client, "kept") == KEPT
    [rejection] = client.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]
    assert [each["code"] for each in rejection["findings"]] == ["REQUIRED"]
    assert counts(load(SECOND, "kept", absent_members="keep")) == (0, 0, 4, 1)
    accepted = client.get(f"/v1/jobs/{job['id']}/accepted.ndjson").text.splitlines()
    assert [json.loads(line) for line in accepted] == [
        {"_record": number, "_outcome": outcome, **record}
        for number, (outcome, record) in enumerate(
            zip(("updated", "updated", "unchanged", "created"), SECOND[:-1], strict=True), start=1
        )
    ]


def test_absent_members_keep_what_is_stored_under_a_whole_file(client, load):
    load(FIRST, "whole")
    options = {"atomicity": "file", "absent_members": "keep"}
    assert counts(load(SECOND[:-1], "whole", **options)) == (1, 2, 1, 0)
    assert stored(client, "whole") == KEPT


def test_absent_elements_keep_what_is_stored(client, load):
    load(FIRST, "xml")
    text = b"<r><s id='a'><name>A2</name></s><s id='b'><name>B</name><mail/></s></r>"
    assert counts(load(text, "xml", absent_members="keep")) == (0, 2, 0, 0)
    assert {key: stored(client, "xml")[key] for key in "abc"} == {key: KEPT[key] for key in "abc"}


def test_a_plan_tells_what_keeping_would_do(client, load):
    load(FIRST, "dry")
    job = load(SECOND, "dry", absent_members="keep", dry_run="true")
    assert counts(job) == (1, 2, 1, 1)
    assert set(stored(client, "dry")) == {"a", "b", "c"}


def test_undeclared_members_cannot_be_kept_beside_absent_ones(client):
    params = {"entity": "plain", "absent_members": "keep", "unknown_columns": "keep"}
    headers = {"content-type": "application/json"}
    answer = client.post("/v1/jobs", params=params, content=b"[]", headers=headers)
    assert answer.status_code == 400
    assert "absent_members = keep needs declared fields" in answer.json()["detail"]


@pytest.mark.parametrize("atomicity", ["row", "file"])
def test_absent_members_keep_across_many_chunks(client, load, atomicity):
    entity, shops = f"many-{atomicity}", range(70_000)
    load([{"id": str(n), "name": "N", "mail": f"{n}@x"} for n in shops], entity)
    lacking = {0: {}, 1: {"mail": None}, 2: {"name": "M"}}
    second = [{"id": str(n), "name": "N", **lacking[n % 3]} for n in shops]
    job = load(second, entity, atomicity=atomicity, absent_members="keep")
    assert counts(job) == (0, 46_666, 23_334, 0), job
    for key, (name, mail, _) in stored(client, entity).items():
        kind = int(key) % 3
        assert (name, mail) == ("M" if kind == 2 else "N", None if kind == 1 else f"{key}@x")
    assert counts(load(second, entity, absent_members="keep")) == (0, 0, 70_000, 0)
