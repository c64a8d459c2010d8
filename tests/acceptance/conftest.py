"""Real servers over real HTTP, each in a folder and on a port of its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from waybill.testing.server import ServerProcess, pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

PEOPLE = {
    "title": "People",
    "fields": [
        {"name": "id", "type": "integer"},
        {"name": "name", "type": "string", "constraints": {"required": True, "maxLength": 40}},
        {"name": "age", "type": "integer", "constraints": {"minimum": 0, "maximum": 150}},
        {"name": "note", "type": "string"},
    ],
    "primaryKey": ["id"],
}
LOGINS = {
    "fields": [
        {"name": "user", "type": "string"},
        {
            "name": "password",
            "type": "string",
            "constraints": {"minLength": 8},
            "waybill": {"secret": True},
        },
    ],
    "primaryKey": ["user"],
}
TEAMS = {
    "fields": [
        {"name": "team", "type": "string"},
        {"name": "parent", "type": "string"},
        {"name": "lead", "type": "integer"},
        {"name": "badge", "type": "string", "constraints": {"unique": True}},
    ],
    "primaryKey": ["team"],
    "foreignKeys": [
        {"fields": "parent", "reference": {"resource": "", "fields": "team"}},
        {"fields": "lead", "reference": {"resource": "people", "fields": "id"}},
    ],
}
ENTITIES = {"people": PEOPLE, "logins": LOGINS, "teams": TEAMS}


@pytest.fixture(scope="module")
def entities() -> dict[str, Any]:
    """The entities of ``server``; a module may have its own."""
    return ENTITIES


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, entities: dict[str, Any]
) -> Iterator[ServerProcess]:
    """One server for the tests of a module that leave it as it was."""
    running = ServerProcess(tmp_path_factory.mktemp("server"))
    running.init(entities)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server as ``waybill init`` makes it, for the clients of vendors."""
    running = ServerProcess(tmp_path_factory.mktemp("vendors"), workers=2)
    running.init()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def own_server(tmp_path: Any) -> Iterator[ServerProcess]:
    """A server of this test's own, made but not started."""
    made = ServerProcess(tmp_path / "server")
    made.init(ENTITIES)
    yield made
    if made.process is not None:
        made.kill()


@pytest.fixture
def client(server: ServerProcess) -> Iterator[httpx.Client]:
    with server.client() as made:
        yield made


@pytest.fixture(scope="session")
def submit() -> Callable[..., dict[str, Any]]:
    """Submit CSV text as a raw body; gives the job."""

    def send(client: httpx.Client, text: str | bytes, entity: str = "people", **query: Any) -> Any:
        body = text.encode() if isinstance(text, str) else text
        answer = client.post(
            "/v1/jobs",
            params={"entity": entity, **query},
            content=body,
            headers={"Content-Type": "text/csv"},
        )
        assert answer.status_code == 202, answer.text
        return answer.json()

    return send


@pytest.fixture(scope="session")
def finish() -> Callable[..., dict[str, Any]]:
    """Wait for the end of a job; gives its last state."""

    def wait(client: httpx.Client, job: dict[str, Any], seconds: float = 60) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = client.get(f"/v1/jobs/{job['id']}", params={"wait": 5})
            assert answer.status_code == 200, answer.text
            if answer.json()["state"] in {"succeeded", "failed", "canceled"}:
                return answer.json()
            pause()
        raise AssertionError(f"the job did not end: {answer.json()}")

    return wait
