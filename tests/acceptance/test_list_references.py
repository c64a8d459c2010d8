"""Lists whose every item must exist in another entity, over real HTTP."""

from __future__ import annotations

import json

import pytest

KINDS = {"kinds": ["string", "number"]}
SHOPS = {"fields": [{"name": "no", "type": "string", "waybill": KINDS}], "primaryKey": ["no"]}
ROUTES = {
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "shops", "type": "list", "waybill": KINDS},
    ],
    "primaryKey": ["id"],
    "foreignKeys": [{"fields": "shops", "reference": {"resource": "shops", "fields": "no"}}],
}


@pytest.fixture(scope="module")
def entities():
    return {"shops": SHOPS, "routes": ROUTES}


@pytest.fixture(scope="module")
def client(server):
    with server.client() as api:
        load(api, "no\n" + "".join(f"{number}\n" for number in range(1000)), "shops")
        yield api


def load(client, content, entity, **options):
    answer = client.post(
        "/v1/jobs",
        params={"entity": entity, **options},
        content=content,
        headers={"content-type": "application/octet-stream", "prefer": "wait=60"},
    )
    assert answer.status_code in {200, 202}, answer.text
    return client.get(f"/v1/jobs/{answer.json()['id']}").json()


def findings(client, job):
    found = client.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]
    return {
        each["data"]["id"]: (finding["code"], finding["column_name"], finding["value"])
        for each in found
        for finding in each["findings"]
    }


def test_each_item_of_a_list_must_exist(client):
    routes = [
        {"id": "all", "shops": [1, "2", 3]},
        {"id": "none", "shops": []},
        {"id": "absent"},
        {"id": "one", "shops": [4, "nowhere", 5]},
        {"id": "text", "shops": "1,2,1000"},
    ]
    job = load(client, json.dumps(routes), "routes")
    assert (job["counts"]["created"], job["counts"]["rejected"]) == (3, 2), job
    assert findings(client, job) == {
        "one": ("FOREIGN_KEY", "shops", "nowhere"),
        "text": ("FOREIGN_KEY", "shops", "1000"),
    }
    stored = client.get("/v1/entities/routes/records").json()["records"]
    wanted = {"all": "1,2,3", "none": None, "absent": None}
    assert {each["id"]: each["shops"] for each in stored if each["id"] in wanted} == wanted


def test_every_fault_among_many_lists_is_found_and_no_other(client):
    rows = [f"r{n}," + f'"{n % 1000},{n * 7 % 1000},{n % 100}"' for n in range(20_000)]
    bad = {f"r{n}" for n in range(0, 20_000, 777)}
    for n in range(0, 20_000, 777):
        rows[n] = f'r{n},"1,{n + 1_000},2"'
    job = load(client, "id,shops\n" + "\n".join(rows) + "\n", "routes")
    assert job["counts"]["rejected"] == len(bad), job
    assert {key: value for key, (_, _, value) in findings(client, job).items()} == {
        key: str(int(key[1:]) + 1_000) for key in bad
    }


def test_a_whole_file_with_a_dangling_item_changes_nothing(client):
    text = 'id,shops\nx,"1,2"\ny,"1,2222"\n'
    job = load(client, text, "routes", atomicity="file")
    assert (job["counts"]["created"], job["counts"]["rejected"]) == (0, 1), job
