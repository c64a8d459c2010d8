"""Files sent to a bundle: a real server finds the entity of each from its header."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from waybill.testing.server import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

    Submit = Callable[..., dict[str, Any]]
    Finish = Callable[..., dict[str, Any]]

ENTITIES = {
    "users": {
        "fields": [
            {"name": "user", "type": "string"},
            {"name": "age", "type": "integer"},
            {"name": "password", "type": "string", "waybill": {"secret": True}},
        ],
        "primaryKey": ["user"],
    },
    "groups": {
        "fields": [{"name": "group", "type": "string"}, {"name": "size", "type": "integer"}],
        "primaryKey": ["group"],
    },
}
CHOICES = [
    {"entity": "users", "all": ["user"]},
    {"entity": "groups", "all": ["group"], "any": ["size"]},
]
BUNDLES = {
    "roster": {"choices": CHOICES},
    "roster_of_project": {"choices": CHOICES, "lane": "project"},
    "public": {"choices": CHOICES[1:]},
}


def write_bundles(folder: Path, bundles: dict[str, Any]) -> None:
    for name, raw in bundles.items():
        (folder / "bundles" / f"{name}.json").write_text(json.dumps(raw))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    running = ServerProcess(tmp_path_factory.mktemp("server"))
    running.init(ENTITIES)
    write_bundles(running.directory, BUNDLES)
    running.start()
    yield running
    running.stop()


def test_each_file_goes_to_the_entity_that_its_header_tells(
    client: httpx.Client, submit: Submit, finish: Finish
) -> None:
    for text, chosen in (("user,age\nann,30\n", "users"), ("size,group\n3,red\n", "groups")):
        accepted = submit(client, text, entity="roster")
        assert (accepted["entity"], accepted["chosen_entity"]) == ("roster", None)
        job = finish(client, accepted)
        assert (job["state"], job["outcome"]) == ("succeeded", "complete")
        assert (job["entity"], job["chosen_entity"]) == ("roster", chosen)
        assert job["format"]["entity"] == chosen
        assert client.get(f"/v1/entities/{chosen}/records").json()["records"]


@pytest.mark.parametrize("format_name", ["json", "ndjson", "csv.gz"])
def test_the_header_is_found_in_every_format(
    client: httpx.Client, submit: Submit, finish: Finish, format_name: str
) -> None:
    group = f"group of {format_name}"
    rows = [{"group": group}, {"group": f"{group} 2", "size": 7}]
    bodies = {
        "json": json.dumps(rows),
        "ndjson": "\n".join(map(json.dumps, rows)),
        "csv.gz": gzip.compress(f"group,size\n{group},\n{group} 2,7\n".encode()),
    }
    job = finish(client, submit(client, bodies[format_name], entity="public"))
    assert (job["state"], job["chosen_entity"]) == ("succeeded", "groups"), job["error"]
    assert job["counts"]["created"] == 2


def test_a_member_that_only_later_records_have_counts_for_the_choice(
    client: httpx.Client, submit: Submit, finish: Finish
) -> None:
    rows = [{"group": f"late {n}"} for n in range(5000)] + [{"group": "late", "size": 1}]
    text = "\n".join(map(json.dumps, rows))
    job = finish(client, submit(client, text, entity="public"))
    assert (job["chosen_entity"], job["counts"]["created"]) == ("groups", 5001), job["error"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("usr,age\nann,3\n", "unknown column 'usr'; did you mean 'user'?"),
        ("group\nred\n", "it lacks 'size' of groups"),
        ("", "it has no columns"),
    ],
)
def test_a_header_of_no_entity_fails_the_job_with_the_reason(
    client: httpx.Client, submit: Submit, finish: Finish, text: str, reason: str
) -> None:
    job = finish(client, submit(client, text, entity="roster"))
    assert (job["state"], job["chosen_entity"]) == ("failed", None)
    assert job["error"]["code"] == "ENTITY_NOT_RECOGNISED"
    assert job["error"]["message"] == f"the header is none of those of roster: {reason}"
    assert job["counts"]["read"] == 0
    if text:
        assert job["format"]["columns"] == text.partition("\n")[0].split(",")
        assert job["error"]["line"] == 1
    for path in ("rejections", "rejections.csv", "rejections.xlsx", "accepted"):
        assert client.get(f"/v1/jobs/{job['id']}/{path}").status_code == 200, path


def test_reports_and_accepted_rows_are_those_of_the_entity(
    client: httpx.Client, submit: Submit, finish: Finish
) -> None:
    text = "user,age,password\nbo,thirty,Geheim1!\ncy,40,Geheim2!\n"
    job = finish(client, submit(client, text, entity="roster"))
    assert (job["outcome"], job["counts"]["rejected"]) == ("partial", 1)
    base = f"/v1/jobs/{job['id']}"
    [rejected] = client.get(f"{base}/rejections").json()["rejections"]
    assert rejected["data"] == {"user": "bo", "age": "thirty", "password": "********"}
    accepted = client.get(f"{base}/accepted").text
    assert "cy,40,********" in accepted
    assert "Geheim" not in accepted + client.get(f"{base}/rejections.csv").text


def test_inputs_are_withheld_where_any_entity_of_the_bundle_has_secrets(
    client: httpx.Client, submit: Submit, finish: Finish
) -> None:
    for bundle, status in (("roster", 403), ("public", 200)):
        job = finish(client, submit(client, "group,size\nblue,1\n", entity=bundle))
        assert job["chosen_entity"] == "groups"
        assert client.get(f"/v1/jobs/{job['id']}/input").status_code == status


def test_an_unfit_option_or_name_is_refused_at_once(client: httpx.Client) -> None:
    def problem(**query: str) -> dict[str, Any]:
        kind = {"Content-Type": "text/csv"}
        answer = client.post("/v1/jobs", params=query, content=b"user\nx\n", headers=kind)
        assert answer.status_code in {400, 404, 422}
        return answer.json()

    assert "bundle" in problem(entity="roster", header="absent")["detail"]
    assert "users is not open" in problem(entity="roster", unknown_columns="keep")["detail"]
    assert "did you mean 'roster'" in problem(entity="rosters")["detail"]


def test_a_job_keeps_the_bundle_that_it_was_accepted_under(
    tmp_path: Path, submit: Submit, finish: Finish
) -> None:
    server = ServerProcess(tmp_path / "server", workers=1)
    server.init(ENTITIES)
    write_bundles(server.directory, BUNDLES)
    text = "user,age\n" + "".join(f"u{n},{n}\n" for n in range(400_000))
    server.start()
    try:
        with server.client() as client:
            job = submit(client, text, entity="roster")
        server.kill()
        write_bundles(server.directory, {"roster": {"choices": CHOICES[1:]}})
        server.start()
        with server.client() as client:
            ended = finish(client, job)
            assert (ended["state"], ended["chosen_entity"]) == ("succeeded", "users")
            assert ended["counts"]["read"] == 400_000
            again = finish(client, submit(client, "user,age\nx,1\n", entity="roster"))
            assert again["error"]["code"] == "ENTITY_NOT_RECOGNISED"
    finally:
        server.kill()


def test_bundles_of_one_lane_run_in_order_of_acceptance(
    client: httpx.Client, submit: Submit, finish: Finish
) -> None:
    text = "user,age\n" + "".join(f"lane{n},{n}\n" for n in range(300_000))
    first = submit(client, text, entity="roster_of_project")
    second = submit(client, "group,size\nlane,1\n", entity="roster_of_project")
    assert second["state"] == "blocked"
    assert finish(client, first)["state"] == finish(client, second)["state"] == "succeeded"
