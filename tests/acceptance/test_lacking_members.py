"""Records that lack members, where they are nodes, several records, or objects of columns."""

from __future__ import annotations

import json

import pytest

from waybill.testing.server import ServerProcess


def text(name, **waybill):
    return {"name": name, "type": "string", "waybill": waybill}


ENTITIES = {
    "units": {
        "fields": [text("id"), text("title"), text("parent")],
        "primaryKey": ["id"],
        "waybill": {"tree": {"parent": "parent", "roots": ["root"], "maxDepth": 2}},
    },
    "users": {"fields": [text("login"), text("mail")], "primaryKey": ["login"]},
    "seats": {
        "fields": [text("login"), text("club"), text("role")],
        "primaryKey": ["login", "club"],
    },
    "joins": {
        "fields": [
            text("login"),
            text("mail", requiredOnCreate=True),
            text("club"),
            text("role"),
        ],
        "primaryKey": ["login", "club"],
        "waybill": {
            "writes": [
                {"entity": "users", "fields": {"login": "login", "mail": "mail"}},
                {"entity": "seats", "fields": {"login": "login", "club": "club", "role": "role"}},
            ]
        },
    },
    "goods": {
        "fields": [
            text("sku"),
            {"name": "tags", "type": "object", "waybill": {"columnPrefix": "tag_"}},
            {"name": "units", "type": "list"},
        ],
        "primaryKey": ["sku"],
        "foreignKeys": [
            {
                "fields": "units",
                "reference": {"resource": "units", "fields": "id"},
                "waybill": {"except": ["root"]},
            }
        ],
    },
}
BUNDLE = {
    "choices": [
        {"entity": "joins", "all": ["login", "club"]},
        {"entity": "goods", "any": ["units"]},
    ]
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = ServerProcess(tmp_path_factory.mktemp("lacking"))
    running.init(ENTITIES)
    (running.directory / "bundles" / "all.json").write_text(json.dumps(BUNDLE))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def load(client, finish):
    def loaded(entity, *records, **options):
        answer = client.post(
            "/v1/jobs",
            params={"entity": entity, "absent_members": "keep", **options},
            content=json.dumps(records).encode(),
            headers={"content-type": "application/octet-stream"},
        )
        assert answer.status_code == 202, answer.text
        job = finish(client, answer.json())
        assert job["state"] == "succeeded", job["error"]
        rejections = client.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]
        return {
            each["record"]: [(found["code"], found["field"]) for found in each["findings"]]
            for each in rejections
        }

    return loaded


def stored(client, entity):
    answer = client.get(f"/v1/entities/{entity}/records").json()
    return [tuple(record.values()) for record in answer["records"]]


def test_a_node_that_lacks_its_parent_stays_where_it_lies(client, load):
    above = ({"id": "a", "parent": "root"}, {"id": "b", "parent": "a"})
    assert load("units", *above) == {}
    lacking = ({"id": "b", "title": "B"}, {"id": "c", "parent": "b"})
    assert load("units", *lacking) == {2: [("TREE_TOO_DEEP", "parent")]}
    assert stored(client, "units") == [("a", None, "root"), ("b", "B", "a")]


def test_each_part_keeps_what_a_record_lacks_and_a_new_one_needs_it(client, load):
    first = {"login": "ann", "mail": "a@x", "club": "red", "role": "lead"}
    assert load("all", first) == {}
    second = (
        {"login": "ann", "club": "red", "role": "new"},
        {"login": "ann", "club": "blue", "mail": "a@y"},
        {"login": "bob", "club": "red"},
        {"login": "cat", "mail": "c@x"},
    )
    found = load("all", *second, missing_columns="reject")
    assert found == {3: [("REQUIRED_ON_CREATE", "mail")], 4: [("KEY_MISSING", "club")]}
    assert stored(client, "users") == [("ann", "a@y")]
    assert stored(client, "seats") == [("ann", "blue", None), ("ann", "red", "new")]


def test_what_a_bundle_s_entity_needs_and_the_file_lacks_is_told_by_record(load):
    found = load("all", {"units": ["root"]}, {"units": []}, missing_columns="reject")
    assert found == {1: [("KEY_MISSING", "sku")], 2: [("KEY_MISSING", "sku")]}


def test_members_of_an_object_of_columns_are_kept_and_items_may_need_not_exist(client, load):
    first = {"sku": "x", "tag_size": "M", "tag_colour": "red", "units": ["root"]}
    assert load("all", first) == {}
    second = ({"sku": "x", "tag_size": None}, {"sku": "y", "tag_size": "S", "units": ["root", "z"]})
    assert load("goods", *second, {"sku": "z", "tag_colour": "b"}) == {
        2: [("FOREIGN_KEY", "units")]
    }
    [(sku, tags, units), _] = stored(client, "goods")
    assert (sku, tags, units) == ("x", '{"colour":"red"}', "root")
