"""Rejections and accepted rows in every form, over real HTTP: the same content, and no cuts."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from waybill.testing.server import ServerProcess

MEDIA = {
    "csv": "text/csv",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
ORDERS = {
    "fields": [
        {"name": "id", "type": "integer"},
        {"name": "big", "type": "integer", "constraints": {"maximum": "1000000000000000000000"}},
        {"name": "price", "type": "number", "decimalChar": ","},
        {"name": "paid", "type": "boolean"},
        {"name": "day", "type": "date", "format": "%d.%m.%Y"},
        {"name": "at", "type": "datetime"},
        {"name": "more", "type": "object"},
        {"name": "note", "type": "string"},
        {"name": "pin", "type": "string", "waybill": {"secret": True}},
    ],
    "primaryKey": ["id"],
    "waybill": {"action": {"column": "do", "actions": {"put": "upsert", "drop": "delete"}}},
}
HEADER = "id;big;price;paid;day;at;more;note;pin;do;extra\n"
ROWS = (
    '1;5;1,5;true;31.01.2024;2024-01-31T15:00:00;"{""a"": 1}";=1+1;geheim;put;x\n'
    "2;;abc;;;;;;;put;\n"
    '3;;0,12345678901234567890;0;28.02.1900;2024-01-31T15:00:00+02:00;;"";geheim;put;\n'
    "4;1000000000000000000000;;;;;;;;put;\n"
    "9;;no number;;;;;;;drop;\n"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = ServerProcess(tmp_path_factory.mktemp("forms"))
    running.init({"orders": ORDERS})
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module", autouse=True)  # before other tests load the same records
def job(server, submit, finish):
    with server.client() as client:
        finish(client, submit(client, "id;note\n9;to be dropped\n", "orders"))
        job = finish(client, submit(client, HEADER + ROWS, "orders"))
    assert job["counts"]["rejected"] == 1, job
    return job


def sheet(content):
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


@pytest.mark.parametrize("form", MEDIA)
@pytest.mark.parametrize("kind", ["rejections", "accepted"])
def test_each_form_comes_by_suffix_and_by_accept_as_an_attachment(client, job, kind, form):
    base = f"/v1/jobs/{job['id']}/{kind}"
    answer = client.get(f"{base}.{form}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].split(";")[0] == MEDIA[form]
    assert answer.headers["x-content-type-options"] == "nosniff"
    named = f'attachment; filename="orders-{job["id"]}-{kind}.{form}"'
    assert answer.headers["content-disposition"] == named
    by_accept = client.get(base, headers={"Accept": MEDIA[form]})
    assert by_accept.headers["vary"] == "Accept"
    if (kind, form) != ("rejections", "json"):  # by Accept that is a page
        assert by_accept.content == answer.content


def test_a_report_is_made_once_and_kept(client, job):
    for form in MEDIA:
        path = f"/v1/jobs/{job['id']}/rejections.{form}"
        first, second = client.get(path), client.get(path)
        assert first.content == second.content
        assert int(second.headers["content-length"]) == len(first.content)
    files = client.get(f"/v1/jobs/{job['id']}").json()["artifacts"]
    links = {file["kind"]: file["link"] for file in files}
    for form in MEDIA:
        assert links[f"rejections_{form}"].endswith(f"/rejections.{form}")


def test_rejections_say_the_same_in_every_form(client, job):
    base = f"/v1/jobs/{job['id']}/rejections"
    page = client.get(f"{base}.json").json()
    lines = client.get(f"{base}.ndjson").text.splitlines()
    assert [json.loads(line) for line in lines] == page["rejections"]
    (row,) = csv.DictReader(io.StringIO(client.get(f"{base}.csv").text))
    (record,) = pq.read_table(io.BytesIO(client.get(f"{base}.parquet").content)).to_pylist()
    assert (record["_record"], record["_line"]) == (2, 3)
    assert {name: "" if value is None else str(value) for name, value in record.items()} == row
    assert sheet(client.get(f"{base}.xlsx").content)[1][-6:-2] == [2, 3, "TYPE_MISMATCH", "price"]


def test_accepted_cells_come_as_they_were_in_text_forms(client, job):
    base = f"/v1/jobs/{job['id']}/accepted"
    array = client.get(f"{base}.json").json()
    lines = client.get(f"{base}.ndjson").text.splitlines()
    assert [json.loads(line) for line in lines] == array
    outcomes = [(row["_record"], row["_outcome"]) for row in array]
    assert outcomes == [(1, "created"), (3, "created"), (4, "created"), (5, "deleted")]
    assert array[1]["price"] == "0,12345678901234567890"
    assert (array[1]["pin"], array[2]["pin"]) == ("********", None)
    assert len(client.get(f"{base}.csv").text.splitlines()) == 1 + len(array)


def test_accepted_values_have_their_types_in_parquet(client, submit, finish):
    text = HEADER + ROWS.splitlines(keepends=True)[0] + ROWS.splitlines(keepends=True)[3]
    job = finish(client, submit(client, text.replace("\n1;", "\n101;"), "orders"))
    table = pq.read_table(io.BytesIO(client.get(f"/v1/jobs/{job['id']}/accepted.parquet").content))
    assert dict(zip(table.schema.names, table.schema.types, strict=True)) == {
        "_record": pa.int64(),
        "_outcome": pa.string(),
        "id": pa.int64(),
        "big": pa.decimal128(38, 0),
        "price": pa.float64(),
        "paid": pa.bool_(),
        "day": pa.date32(),
        "at": pa.timestamp("us"),
        "more": pa.string(),
        "note": pa.string(),
        "pin": pa.string(),
        "do": pa.string(),
        "extra": pa.string(),
    }
    assert table.to_pylist()[0] == {
        "_record": 1,
        "_outcome": "created",
        "id": 101,
        "big": Decimal(5),
        "price": 1.5,
        "paid": True,
        "day": date(2024, 1, 31),
        "at": datetime(2024, 1, 31, 15, 0),  # noqa: DTZ001 - as written
        "more": '{"a": 1}',
        "note": "=1+1",
        "pin": "********",
        "do": "put",
        "extra": "x",
    }
    assert table.column("big")[1].as_py() == Decimal(10**21)
    rows = sheet(client.get(f"/v1/jobs/{job['id']}/accepted.xlsx").content)
    assert rows[1] == [
        1, "created", 101, 5, 1.5, True, date(2024, 1, 31), datetime(2024, 1, 31, 15, 0),  # noqa: DTZ001 - as written
        '{"a": 1}', "'=1+1", "********", "put", "x",
    ]  # fmt: skip


def test_accepted_values_that_xlsx_would_round_or_shift_are_the_cells_as_they_came(client, job):
    rows = sheet(client.get(f"/v1/jobs/{job['id']}/accepted.xlsx").content)
    assert rows[2][4:8] == [
        "0,12345678901234567890",
        False,
        "1900-02-28",
        "2024-01-31T15:00:00+02:00",
    ]
    assert rows[3][3] == "1000000000000000000000"
    assert rows[4][:5] == [5, "deleted", 9, "", "no number"]


def test_nothing_accepted_gives_the_typed_columns_and_no_rows(client, submit, finish):
    job = finish(client, submit(client, HEADER + "x;;;;;;;;;put;\n", "orders"))
    base = f"/v1/jobs/{job['id']}/accepted"
    table = pq.read_table(io.BytesIO(client.get(f"{base}.parquet").content))
    assert (table.num_rows, table.schema.field("price").type) == (0, pa.float64())
    assert client.get(f"{base}.json").json() == []
    assert len(sheet(client.get(f"{base}.xlsx").content)) == 1


def test_a_file_that_fits_no_entity_has_empty_reports_in_every_form(client, submit, finish):
    job = finish(client, submit(client, "a;b\n1;2\n", "orders"))
    assert job["state"] == "failed"
    for form in MEDIA:
        assert client.get(f"/v1/jobs/{job['id']}/accepted.{form}").status_code == 200


@pytest.mark.parametrize(
    ("note", "reason"),
    [("x" * 40_000, "40000 characters"), ("a\x01b", "'\\x01'")],
    ids=["too long", "control character"],
)
def test_s27_a_value_that_xlsx_cannot_hold_is_a_problem_and_never_cut(
    client, submit, finish, note, reason
):
    job = finish(client, submit(client, f"id;note\n201;fine\n202;{note}\n", "orders"))
    base = f"/v1/jobs/{job['id']}/accepted"
    for answer in (client.get(f"{base}.xlsx"), client.get(base, headers={"Accept": MEDIA["xlsx"]})):
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (406, "VALUE_NOT_REPRESENTABLE")
        assert answer.headers["content-type"] == "application/problem+json"
        for part in ("record 2", "'note'", reason, "take CSV or NDJSON"):
            assert part in problem["detail"]
    assert json.loads(client.get(f"{base}.ndjson").text.splitlines()[1])["note"] == note
    table = pq.read_table(io.BytesIO(client.get(f"{base}.parquet").content))
    assert table.column("note")[1].as_py() == note


def test_a_time_finer_than_a_parquet_column_is_a_problem_and_never_cut(client, submit, finish):
    text = "id;at\n301;2024-01-31T15:00:00\n302;2024-01-31T15:00:00.123456789\n"
    job = finish(client, submit(client, text, "orders"))
    answer = client.get(f"/v1/jobs/{job['id']}/accepted.parquet")
    assert (answer.status_code, answer.json()["code"]) == (406, "VALUE_NOT_REPRESENTABLE")
    assert "column 'at' of record 2" in answer.json()["detail"].lower()
    rows = sheet(client.get(f"/v1/jobs/{job['id']}/accepted.xlsx").content)
    assert rows[2][3] == "2024-01-31T15:00:00.123456789"


def test_accepted_rows_of_ndjson_have_their_types_too(client, finish):
    lines = (
        b'{"id": 401, "big": 5, "paid": true, "more": {"b": [1]}}\n'
        b'{"id": 402, "day": "31.01.2024", "stranger": 5}\n'
    )
    answer = client.post(
        "/v1/jobs",
        params={"entity": "orders"},
        content=lines,
        headers={"Content-Type": "application/x-ndjson"},
    )
    job = finish(client, answer.json())
    assert job["counts"]["created"] == 2, job
    base = f"/v1/jobs/{job['id']}/accepted"
    first, second = pq.read_table(io.BytesIO(client.get(f"{base}.parquet").content)).to_pylist()
    assert (first["id"], first["big"], first["paid"], first["more"]) == (401, 5, True, '{"b": [1]}')
    assert (second["day"], second["stranger"]) == (date(2024, 1, 31), "5")
