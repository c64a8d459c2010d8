"""Faults that people without knowledge of the inside found; each stays mended."""

from __future__ import annotations

import json

import pytest

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


STAFF = {
    "fields": [
        {"name": "id", "type": "integer"},
        {"name": "email", "constraints": {"unique": True}},
        {"name": "boss", "type": "integer"},
        {"name": "pin", "waybill": {"secret": True, "aliases": ["PIN code"]}},
    ],
    "primaryKey": ["id"],
    "uniqueKeys": [["email", "boss"]],
    "foreignKeys": [{"fields": ["boss"], "reference": {"fields": ["id"]}}],
}


@pytest.fixture(scope="module")
def staff(tmp_path_factory):
    made = ServerProcess(tmp_path_factory.mktemp("staff") / "d")
    made.init({"staff": STAFF})
    made.start()
    try:
        with made.client() as client:
            yield client
    finally:
        made.stop()


def load(client, finish, text, **options):
    answer = client.post(
        "/v1/jobs",
        params={"entity": "staff", **options},
        content=text.encode(),
        headers={"Content-Type": "text/csv"},
    )
    return finish(client, answer.raise_for_status().json())


def codes(client, job):
    page = client.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]
    return {r["record"]: [finding["code"] for finding in r["findings"]] for r in page}


def test_what_refers_to_a_record_that_the_sink_refuses_is_rejected_too(staff, finish):
    load(staff, finish, "id,email,boss\n1,a@x,\n")
    text = "id,email,boss\n400,a@x,\n401,b@x,400\n402,c@x,401\n403,d@x,1\n"
    for options in ({"dry_run": "true"}, {}):
        job = load(staff, finish, text, **options)
        assert (job["counts"]["created"], job["counts"]["rejected"]) == (1, 3)
        found = codes(staff, job)
        assert found == {1: ["UNIQUE_CONFLICT"], 2: ["FOREIGN_KEY"], 3: ["FOREIGN_KEY"]}
    ids = [record["id"] for record in staff.get("/v1/entities/staff/records").json()["records"]]
    assert {400, 401, 402, 403}.intersection(ids) == {403}


def test_a_report_is_read_as_such_whatever_was_declared_for_the_first_file(staff, finish):
    body = "11\tJ\u00fcrg\t999\n".encode("latin-1")
    answer = staff.post(
        "/v1/jobs",
        params={"entity": "staff", "delimiter": "tab", "encoding": "latin-1", "header": "absent"},
        content=b"id\temail\tboss\n".replace(b"id\temail\tboss\n", b"") + body,
        headers={"Content-Type": "text/csv"},
    )
    assert finish(staff, answer.json())["counts"]["rejected"] == 1
    first = load(staff, finish, "id,email,boss\n11,J\u00fcrg,999\n", encoding="utf-8")
    report = staff.get(f"/v1/jobs/{first['id']}/rejections.csv").text.replace(",999,", ",,", 1)
    job = load(staff, finish, report, encoding="latin-1", delimiter="tab", header="absent")
    assert job["counts"]["created"] == 1
    records = staff.get("/v1/entities/staff/records").json()["records"]
    assert {"id": 11, "email": "J\u00fcrg"}.items() <= next(
        record for record in records if record["id"] == 11
    ).items()


def test_a_dry_run_of_all_or_nothing_says_nothing_where_one_is_refused(staff, finish):
    load(staff, finish, "id,email\n20,e@x\n")
    options = {"operation": "insert", "atomicity": "file"}
    text = "id,email\n21,f@x\n20,g@x\n"
    for more in ({"dry_run": "true"}, {}):
        job = load(staff, finish, text, **options, **more)
        assert (job["outcome"], job["counts"]["created"]) == ("none", 0)
        assert (job["counts"]["rejected"], job["counts"]["unprocessed"]) == (1, 1)


def test_findings_of_the_sink_name_field_column_and_value(staff, finish):
    load(staff, finish, "id,email\n30,h@x\n")
    job = load(staff, finish, "id,email\n30,i@x\n", operation="insert")
    page = staff.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]
    finding = page[0]["findings"][0]
    assert (finding["field"], finding["column_name"], finding["value"]) == ("id", "id", "30")
    assert finding["expected"] == "a key that is not stored yet"


def test_a_conflict_of_several_fields_names_them(staff, finish):
    load(staff, finish, "id,email,boss\n40,j@x,40\n")
    job = load(staff, finish, "id,email,boss\n41,j@x,40\n")
    page = staff.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]
    assert "email" in page[0]["findings"][0]["message"]


def test_a_column_that_may_be_a_misspelt_secret_is_shown_in_no_report(staff, finish):
    job = load(staff, finish, "id,email,boss,PINcode\n50,k@x,999,4711\n")
    assert "4711" not in staff.get(f"/v1/jobs/{job['id']}/rejections").text
    assert "4711" not in staff.get(f"/v1/jobs/{job['id']}/rejections.csv").text


def test_columns_like_ours_are_the_clients_own_without_ours(staff, finish):
    job = load(staff, finish, "id,email,_value\n60,l@x,v\n", unknown_columns="reject")
    assert (job["state"], job["error"]["code"]) == ("failed", "COLUMN_UNKNOWN")
    assert (job["error"]["line"], job["error"]["byte"]) == (1, 0)
