"""Records that are stored in several entities, and fields that only new records need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from waybill.testing.server import ServerProcess, pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    Submit = Callable[..., dict[str, Any]]
    Finish = Callable[..., dict[str, Any]]


def text(name: str, **waybill: object) -> dict[str, Any]:
    return {"name": name, "type": "string", "waybill": waybill}


ENTITIES = {
    "users": {
        "fields": [
            text("login"),
            text("mail", requiredOnCreate=True),
            text("password", secret=True, requiredOnCreate=True),
        ],
        "primaryKey": ["login"],
    },
    "clubs": {"fields": [text("club")], "primaryKey": ["club"]},
    "seats": {
        "fields": [text("login"), text("club"), text("role")],
        "primaryKey": ["login", "club"],
    },
    "join": {
        "fields": [
            text("login"),
            text("mail"),
            text("password", secret=True, requiredOnCreate=True),
            text("club"),
            text("role", requiredOnCreate=True),
        ],
        "primaryKey": ["login", "club"],
        "foreignKeys": [
            {
                "fields": "club",
                "reference": {"resource": "clubs", "fields": "club"},
                "waybill": {"except": ["none"]},
            }
        ],
        "waybill": {
            "writes": [
                {
                    "entity": "users",
                    "fields": {"login": "login", "mail": "mail", "password": "password"},
                },
                {"entity": "seats", "fields": {"login": "login", "club": "club", "role": "role"}},
            ]
        },
    },
}


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    running = ServerProcess(tmp_path_factory.mktemp("server"))
    running.init(ENTITIES)
    running.start()
    yield running
    running.kill()


@pytest.fixture
def run(client: httpx.Client, submit: Submit, finish: Finish) -> Callable[..., dict[str, Any]]:
    def to_the_end(text: str, entity: str = "join", **query: object) -> dict[str, Any]:
        return finish(client, submit(client, text, entity=entity, **query))

    return to_the_end


def stored(client: httpx.Client, entity: str) -> list[tuple[object, ...]]:
    answer = client.get(f"/v1/entities/{entity}/records")
    assert answer.status_code == 200, answer.text
    return [tuple(record.values()) for record in answer.json()["records"]]


def findings(client: httpx.Client, job: dict[str, Any]) -> dict[int, list[tuple[str, str]]]:
    answer = client.get(f"/v1/jobs/{job['id']}/rejections").json()
    return {
        each["record"]: [(found["code"], found["field"]) for found in each["findings"]]
        for each in answer["rejections"]
    }


def test_a_record_is_stored_in_each_of_its_entities(
    client: httpx.Client, run: Callable[..., dict[str, Any]]
) -> None:
    run("club\nred\nblue\n", entity="clubs")
    job = run(
        "login,mail,password,club,role\nann,a@x,Secret1!,red,lead\nbob,b@x,Secret2!,red,new\n"
    )
    assert (job["outcome"], job["counts"]["created"]) == ("complete", 2), job["error"]
    assert stored(client, "users") == [("ann", "a@x", "********"), ("bob", "b@x", "********")]
    assert stored(client, "seats") == [("ann", "red", "lead"), ("bob", "red", "new")]
    answer = client.get("/v1/entities/join/records")
    assert (answer.status_code, answer.json()["code"]) == (400, "RECORDS_STORED_ELSEWHERE")
    job = run("login,club,role\nann,red,lead\nann,blue,new\nbob,red,old\n")
    counts = job["counts"]
    assert (counts["unchanged"], counts["created"], counts["updated"]) == (1, 1, 1)
    assert stored(client, "users") == [("ann", "a@x", "********"), ("bob", "b@x", "********")]
    accepted = client.get(f"/v1/jobs/{job['id']}/accepted").text.splitlines()
    assert accepted[1:] == ["1,unchanged,ann,red,lead", "2,created,ann,blue,new",
                            "3,updated,bob,red,old"]  # fmt: skip


def test_every_fault_of_a_record_is_told_and_nothing_of_it_is_stored(
    client: httpx.Client, run: Callable[..., dict[str, Any]]
) -> None:
    run("club\nred\n", entity="clubs")
    job = run("login,mail,password,club,role\nann,,,green,\nbob,,Secret1!,red,new\n")
    assert findings(client, job) == {
        1: [("FOREIGN_KEY", "club"), ("REQUIRED_ON_CREATE", "password"),
            ("REQUIRED_ON_CREATE", "role")],
    }  # fmt: skip
    assert [row[0] for row in stored(client, "users")] == ["bob"]
    assert [row[0] for row in stored(client, "seats")] == ["bob"]


def test_what_an_earlier_record_creates_later_ones_need_not_bring(
    client: httpx.Client, run: Callable[..., dict[str, Any]]
) -> None:
    run("club\nred\nblue\nold\n", entity="clubs")
    rows = [
        "ann,,red,new",  # no password yet
        "ann,Secret1!,green,new",  # creates nothing: there is no such club
        "ann,,blue,new",
        "ann,Secret1!,red,new",
        "ann,,blue,new",
        "ann,,old,",
        "bob,Secret2!,old,",
        "bob,,old,new",
    ]
    text = "login,password,club,role\n" + "\n".join(rows) + "\n"
    job = run(text, on_duplicate="apply")
    missing = ("REQUIRED_ON_CREATE", "password")
    assert findings(client, job) == {
        1: [missing],
        2: [("FOREIGN_KEY", "club")],
        3: [missing],
        6: [("REQUIRED_ON_CREATE", "role")],
        7: [("REQUIRED_ON_CREATE", "role")],
        8: [missing],
    }
    assert [row[0] for row in stored(client, "users")] == ["ann"]
    assert stored(client, "seats") == [("ann", "blue", "new"), ("ann", "red", "new")]


def test_only_new_records_need_what_new_records_need(
    client: httpx.Client, run: Callable[..., dict[str, Any]]
) -> None:
    run("login,mail,password\nann,a@x,Secret1!\n", entity="users")
    job = run("login,mail\nann,a@y\nbob,b@x\ncat,\n", entity="users")
    assert findings(client, job) == {
        2: [("REQUIRED_ON_CREATE", "password")],
        3: [("REQUIRED_ON_CREATE", "mail"), ("REQUIRED_ON_CREATE", "password")],
    }
    assert stored(client, "users") == [("ann", "a@y", "********")]
    for operation, rejected in (("update", "KEY_NOT_FOUND"), ("insert", "REQUIRED_ON_CREATE")):
        job = run("login,mail\nann,a@z\nbob,b@x\n", entity="users", operation=operation)
        assert findings(client, job)[2][0][0] == rejected


def test_a_dry_run_tells_the_same_and_stores_nothing(
    client: httpx.Client, run: Callable[..., dict[str, Any]]
) -> None:
    run("club\nred\n", entity="clubs")
    text = "login,password,club,role\nann,Secret1!,red,new\nbob,,red,new\n"
    job = run(text, dry_run="true")
    assert (job["counts"]["created"], job["counts"]["rejected"]) == (1, 1)
    assert stored(client, "users") == stored(client, "seats") == []


def test_a_value_that_need_not_exist_is_taken(
    client: httpx.Client, run: Callable[..., dict[str, Any]]
) -> None:
    job = run("login,password,club,role\nann,Secret1!,none,new\nbob,Secret1!,nowhere,new\n")
    assert findings(client, job) == {2: [("FOREIGN_KEY", "club")]}


def test_an_option_that_cannot_be_is_refused_at_once(client: httpx.Client) -> None:
    for option in ({"operation": "delete"}, {"atomicity": "file"}):
        answer = client.post(
            "/v1/jobs",
            params={"entity": "join", **option},
            content=b"login,club\na,b\n",
            headers={"Content-Type": "text/csv"},
        )
        assert answer.status_code in {400, 422}
        assert "writes other entities" in answer.json()["detail"]


def test_every_record_counts_once_in_each_entity_after_kill_9(
    server: ServerProcess, submit: Submit, finish: Finish
) -> None:
    count = 600_000
    with server.client() as client:
        finish(client, submit(client, "club\nred\n", entity="clubs"))
        rows = "".join(f"u{n:06},Secret1!,red,new\n" for n in range(count))
        job = submit(client, "login,password,club,role\n" + rows, entity="join")
        while client.get(f"/v1/jobs/{job['id']}").json()["counts"]["created"] == 0:
            pause()
    server.kill()
    server.start()
    with server.client() as client:
        job = finish(client, job, 120)
        assert (job["outcome"], job["counts"]["created"]) == ("complete", count)
        assert len(job["attempts"]) == 2
        again = submit(client, "login,password,club,role\n" + rows, entity="join")
        assert finish(client, again, 120)["counts"]["unchanged"] == count
