"""What a file lacks altogether is told record by record where the client wants it so."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from workbooks import table

CSV = b"id,mail\n1,a@x.example\n2,b@x.example\n"
NDJSON = b'{"id": 1}\n{"id": 2, "mail": "b@x.example"}\n'
LATE = b'{"id": 1}\n' * 3 + b'{"id": 2, "name": "Bob"}\n'
XLSX = table([["id"], [1], [2]])
PEOPLE = {
    "fields": [
        {"name": "id", "type": "integer"},
        {"name": "name", "constraints": {"required": True}},
        {"name": "mail"},
    ],
    "primaryKey": "id",
}


@pytest.mark.parametrize("content", [CSV, NDJSON, XLSX], ids=["csv", "ndjson", "xlsx"])
def test_every_record_is_rejected_for_what_it_lacks(client, submit, finish, content):
    job = finish(client, submit(client, content, missing_columns="reject"))
    assert (job["state"], job["outcome"]) == ("succeeded", "none")
    assert (job["counts"]["read"], job["counts"]["rejected"]) == (2, 2)
    report = client.get(f"/v1/jobs/{job['id']}/rejections").json()
    codes = {(f["code"], f["field"]) for r in report["rejections"] for f in r["findings"]}
    assert ("REQUIRED", "name") in codes
    assert client.get(f"/v1/jobs/{job['id']}/accepted.csv").status_code == 200
    assert client.get(f"/v1/jobs/{job['id']}/rejections.xlsx").status_code == 200


def test_a_column_that_comes_late_is_no_missing_one(client, submit, finish):
    job = finish(client, submit(client, LATE, missing_columns="reject", on_duplicate="last"))
    assert (job["counts"]["read"], job["counts"]["rejected"]) == (4, 3)


def test_the_file_fails_where_nothing_else_is_asked(client, submit, finish):
    job = finish(client, submit(client, CSV))
    assert (job["state"], job["error"]["code"]) == ("failed", "COLUMN_MISSING")


def test_the_same_offline(tmp_path):
    (tmp_path / "people.json").write_text(json.dumps(PEOPLE))
    (tmp_path / "a.csv").write_bytes(CSV)
    command = [sys.executable, "-m", "waybill", "check", "a.csv", "--schema", "people.json"]
    options = ["--missing-columns", "reject", "--json"]
    done = subprocess.run([*command, *options], cwd=tmp_path, check=False, capture_output=True)
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["rejected"] == 2
