"""Columns whose names hold a key, kept together as one object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    Submit = Callable[..., dict[str, Any]]
    Finish = Callable[..., dict[str, Any]]

TAGS = {"name": "tags", "type": "object", "waybill": {"columnPrefix": "tag_", "trim": True}}
ENTITIES = {
    "users": {"fields": [{"name": "login", "type": "string"}, TAGS], "primaryKey": ["login"]},
    "seats": {
        "fields": [{"name": "login", "type": "string"}, {"name": "club", "type": "string"}],
        "primaryKey": ["login", "club"],
    },
    "join": {
        "fields": [
            {"name": "login", "type": "string"},
            {"name": "club", "type": "string"},
            {"name": "extra", "type": "object", "waybill": {"columnPrefix": "user_"}},
        ],
        "primaryKey": ["login", "club"],
        "waybill": {
            "writes": [
                {"entity": "users", "fields": {"login": "login", "tags": "extra"}},
                {"entity": "seats", "fields": {"login": "login", "club": "club"}},
            ]
        },
    },
}


@pytest.fixture(scope="module")
def entities() -> dict[str, Any]:
    return ENTITIES


def tags_of(client: httpx.Client, login: str) -> dict[str, object]:
    records = client.get("/v1/entities/users/records").json()["records"]
    [tags] = [record["tags"] for record in records if record["login"] == login]
    found: dict[str, object] = json.loads(tags)
    return found


def test_columns_with_the_prefix_become_members_and_change_one_by_one(
    client: httpx.Client, submit: Submit, finish: Finish
) -> None:
    def run(text: str) -> dict[str, int]:
        job = finish(client, submit(client, text, entity="users"))
        assert (job["outcome"], job["warnings"]) == ("complete", [])
        counts: dict[str, int] = job["counts"]
        return counts

    text = 'tag_a,login,tag_"b\'\\ü\n red ,ann,"1 ""x"", {}"\n,bob,\n'.replace('tag_"b', '"tag_""b')
    text = text.replace("ü\n", 'ü"\n', 1)
    assert run(text)["created"] == 2
    assert tags_of(client, "ann") == {"a": "red", "\"b'\\ü": '1 "x", {}'}
    assert tags_of(client, "bob") == {}
    assert run(text)["unchanged"] == 2
    assert run("login,tag_a\nann,\nbob,blue\n")["updated"] == 2
    assert tags_of(client, "ann") == {"\"b'\\ü": '1 "x", {}'}
    assert tags_of(client, "bob") == {"a": "blue"}
    assert run("login\nann\nbob\n")["unchanged"] == 2


def test_members_of_json_keep_their_types(
    client: httpx.Client, submit: Submit, finish: Finish
) -> None:
    rows = [{"login": "cat", "tag_n": 5, "tag_t": "5"}, {"login": "dan", "tag_o": {"x": [True]}}]
    text = "\n".join(map(json.dumps, rows))
    job = finish(client, submit(client, text, entity="users", format="ndjson"))
    assert job["counts"]["created"] == 2
    assert tags_of(client, "cat") == {"n": 5, "t": "5"}
    assert tags_of(client, "dan") == {"o": {"x": [True]}}


def test_a_part_takes_the_object(client: httpx.Client, submit: Submit, finish: Finish) -> None:
    text = "login,club,user_a\neve,red,1\nfay,red,\n"
    job = finish(client, submit(client, text, entity="join"))
    assert job["counts"]["created"] == 2, job["error"]
    assert (tags_of(client, "eve"), tags_of(client, "fay")) == ({"a": "1"}, {})
    again = finish(client, submit(client, "login,club,user_b\neve,red,2\n", entity="join"))
    assert again["counts"]["updated"] == 1
    assert tags_of(client, "eve") == {"a": "1", "b": "2"}
    accepted = client.get(f"/v1/jobs/{again['id']}/accepted").text
    assert accepted == "_record,_outcome,login,club,user_b\n1,updated,eve,red,2\n"
