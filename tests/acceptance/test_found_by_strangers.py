"""Faults that people without knowledge of the inside found; each stays mended."""

from __future__ import annotations

import json

from waybill.testing.server import ServerProcess

PINS = {
    "fields": [
        {"name": "id", "type": "integer"},
        {"name": "pin", "type": "integer", "waybill": {"secret": True}},
    ],
    "primaryKey": ["id"],
}
PRICES = {
    "fields": [
        {"name": "id", "type": "integer"},
        {"name": "price", "type": "number", "groupChar": ",", "bareNumber": False},
    ],
    "primaryKey": ["id"],
}


def test_a_bad_schema_is_refused_before_the_server_says_that_it_listens(tmp_path):
    made = ServerProcess(tmp_path / "d")
    made.init({"broken": {"fields": [{"name": "a", "type": "wrong"}]}})
    refused = made.run("serve", str(made.directory), "--port", "0", check=False)
    assert refused.returncode == 1
    assert "listens" not in refused.stdout
    assert "broken.json" in refused.stderr
    assert "/fields/0/type" in refused.stderr


def test_secrets_of_any_type_are_masked_when_read_back(tmp_path, submit, finish):
    made = ServerProcess(tmp_path / "d")
    made.init({"pins": PINS, "prices": PRICES})
    made.start()
    try:
        with made.client() as client:
            job = finish(client, submit(client, "id,pin\n1,4711\n2,********\n", entity="pins"))
            assert job["counts"]["rejected"] == 1
            (record,) = client.get("/v1/entities/pins/records").json()["records"]
            assert record == {"id": 1, "pin": "********"}
            prices = 'id,price\n1,"EUR 1,234.50"\n2,7\n3,1 2\n'
            job = finish(client, submit(client, prices, entity="prices"))
            assert (job["counts"]["created"], job["counts"]["rejected"]) == (2, 1)
            records = client.get("/v1/entities/prices/records").json()["records"]
            assert [record["price"] for record in records] == [1234.5, 7.0]
    finally:
        made.stop()


def test_admin_includes_every_scope(server, submit, finish):
    folder = str(server.directory)
    made = server.run(
        "credential", "add", folder, "--project", "demo", "--scopes", "admin", "--json"
    )
    with server.client(json.loads(made.stdout)["token"]) as client:
        job = finish(client, submit(client, "id,name\n1,A\n"))
        assert client.get(f"/v1/jobs/{job['id']}/rejections").status_code == 200


def test_a_guard_leaves_the_report_of_what_it_saw(client, submit, finish):
    job = finish(client, submit(client, "id,name\n1,\n2,\n", max_errors=0))
    page = client.get(f"/v1/jobs/{job['id']}/rejections").json()
    assert page["total"] == len(page["rejections"]) == job["counts"]["rejected"] == 2


def test_times_at_the_edge_of_the_calendar_are_refused(client):
    for text in ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"):
        assert client.get("/v1/jobs", params={"created_after": text}).status_code == 400
