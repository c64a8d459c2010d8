"""Projects are apart, credentials change at once, limits hold: over real HTTP."""

from __future__ import annotations

import json

import pytest

GOOD = "id,name\n1,Ada\n"


@pytest.fixture(scope="module")
def stranger(server):
    """The token of another project on the same running server."""
    server.run("project", "add", str(server.directory), "acme")
    made = server.run(
        "credential", "add", str(server.directory), "--project", "acme", "--json"
    )  # fmt: skip
    return json.loads(made.stdout)


def token_of(made):
    return made.get("token") or made["secrets"]["token"]


def test_another_projects_job_answers_exactly_as_a_missing_one(
    server, client, submit, finish, stranger
):
    job = finish(client, submit(client, GOOD))
    with server.client(token_of(stranger)) as other:
        for suffix in ("", "/rejections", "/rejections.csv", "/input", "/accepted.csv"):
            theirs = other.get(f"/v1/jobs/{job['id']}{suffix}")
            missing = other.get(f"/v1/jobs/{job['id'][::-1]}{suffix}")
            assert theirs.status_code == missing.status_code == 404
            assert without_ids(theirs) == without_ids(missing)
        assert other.delete(f"/v1/jobs/{job['id']}").status_code == 404
        assert job["id"] not in {j["id"] for j in other.get("/v1/jobs").json()["jobs"]}
    assert client.get("/v1/entities/people/records").json()["records"] != []


def without_ids(answer):
    return {k: v for k, v in answer.json().items() if k not in {"request_id", "instance"}}


def test_one_key_in_two_projects_makes_two_jobs(server, client, stranger):
    headers = {"Content-Type": "text/csv", "Idempotency-Key": "shared"}
    ours = client.post("/v1/jobs?entity=people", content=GOOD, headers=headers).json()
    with server.client(token_of(stranger)) as other:
        theirs = other.post("/v1/jobs?entity=people", content=GOOD, headers=headers)
    assert theirs.status_code == 202
    assert theirs.json()["id"] != ours["id"]


def test_a_revoked_credential_is_refused_at_once(server):
    folder = str(server.directory)
    made = json.loads(server.run("credential", "add", folder, "--project", "demo", "--json").stdout)
    with server.client(token_of(made)) as client:
        assert client.get("/v1/jobs").status_code == 200
        server.run("credential", "revoke", folder, made["id"])
        assert client.get("/v1/jobs").status_code == 401


def test_a_credential_may_do_what_its_scopes_say(server):
    folder = str(server.directory)
    made = json.loads(
        server.run(
            "credential", "add", folder, "--project", "demo", "--scopes", "read", "--json"
        ).stdout
    )
    with server.client(token_of(made)) as client:
        assert client.get("/v1/jobs").status_code == 200
        refused = client.post(
            "/v1/jobs?entity=people", content=GOOD, headers={"Content-Type": "text/csv"}
        )
    assert (refused.status_code, refused.json()["code"]) == (403, "INSUFFICIENT_SCOPE")


def test_secrets_are_not_on_disk(server):
    token = server.token.encode()
    held = [p for p in server.directory.rglob("*") if p.is_file() and token in p.read_bytes()]
    assert held == []


def test_too_many_polls_are_told_when_to_come_again(server):
    folder = str(server.directory)
    made = json.loads(server.run("credential", "add", folder, "--project", "demo", "--json").stdout)
    with server.client(token_of(made)) as client:
        answers = [client.get("/v1/jobs?limit=1") for _ in range(300)]
    refused = [a for a in answers if a.status_code == 429]
    assert "ratelimit" in answers[-1].headers
    for answer in refused[:1]:  # a slow machine may not reach the rate
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.json()["code"] == "RATE_LIMITED"
