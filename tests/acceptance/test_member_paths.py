"""Fields that stand inside of a member of a JSON record, over real HTTP."""

from __future__ import annotations

import json

import pytest

ROUTES = {
    "fields": [
        {"name": "name", "type": "string"},
        {
            "name": "stores",
            "type": "list",
            "waybill": {"kinds": ["string", "number"], "aliases": ["/entities/stores"]},
        },
        {"name": "users", "type": "list", "waybill": {"aliases": ["/entities/users"]}},
        {"name": "size", "type": "integer", "waybill": {"aliases": ["/entities/size"]}},
    ],
    "primaryKey": ["name"],
}


@pytest.fixture(scope="module")
def entities():
    return {"routes": ROUTES}


@pytest.fixture(scope="module")
def client(server):
    with server.client() as api:
        yield api


@pytest.fixture(scope="module")
def load(client, finish):
    def loaded(content, **options):
        answer = client.post(
            "/v1/jobs",
            params={"entity": "routes", **options},
            content=content,
            headers={"content-type": "application/octet-stream"},
        )
        assert answer.status_code == 202, answer.text
        return finish(client, answer.json())

    return loaded


def stored(client):
    records = client.get("/v1/entities/routes/records").json()["records"]
    return {each["name"]: (each["stores"], each["users"]) for each in records}


def test_both_shapes_fill_the_same_fields(client, load):
    routes = [
        {"name": "a", "entities": {"stores": [1, 2], "users": ["u"]}},
        {"name": "b", "stores": [3], "users": ["v"]},
        {"name": "c", "stores": [4], "entities": {"users": ["w"], "more": 1}},
        {"name": "d", "stores": [5], "entities": {"stores": [6]}},
        {"name": "e", "entities": {"size": "x"}},
        {"name": "f", "entities": [1]},
    ]
    job = load(json.dumps(routes))
    assert (job["counts"]["created"], job["counts"]["rejected"]) == (3, 3), job
    found = {key: value for key, value in stored(client).items() if key in "abcdef"}
    assert found == {"a": ("1,2", "u"), "b": ("3", "v"), "c": ("4", "w")}
    assert job["warnings"] == []
    found = client.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]
    assert [(each["record"], each["findings"][0]["code"]) for each in found] == [
        (4, "DUPLICATE_KEY"),
        (5, "KIND_MISMATCH"),
        (6, "KIND_MISMATCH"),
    ]
    assert found[1]["findings"][0]["pointer"] == "/4/entities/size"
    accepted = client.get(f"/v1/jobs/{job['id']}/accepted.ndjson").text.splitlines()
    assert [json.loads(line)["name"] for line in accepted] == ["a", "b", "c"]


def test_nested_members_that_are_absent_keep_and_an_empty_list_clears(client, load):
    load('[{"name": "k", "entities": {"stores": [7], "users": ["x"]}}]')
    kept = load('{"name": "k", "entities": {"stores": []}}\n', absent_members="keep")
    assert kept["counts"]["updated"] == 1
    assert stored(client)["k"] == (None, "x")
    again = load('[{"name": "k", "entities": null}]', absent_members="keep")
    assert again["counts"]["unchanged"] == 1


def test_the_outer_member_is_no_stranger_where_it_fills_a_field(load):
    job = load('[{"name": "s", "entities": {"users": ["x"]}}]', unknown_columns="reject")
    assert job["counts"]["created"] == 1, job
    job = load('[{"name": "s", "elsewhere": {"users": ["x"]}}]', unknown_columns="reject")
    assert job["error"]["code"] == "COLUMN_UNKNOWN"


def test_a_rejected_record_comes_back_as_csv(client, load):
    job = load('[{"name": "r", "entities": {"users": ["x"], "size": "bad"}}]')
    report = client.get(f"/v1/jobs/{job['id']}/rejections.csv").text
    assert load(report.replace(",bad,", ",7,", 1))["counts"]["created"] == 1, report
    assert stored(client)["r"] == (None, "x")
