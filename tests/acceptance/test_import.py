"""The main job over real HTTP: submit, poll, reports, read-back."""

from __future__ import annotations

import csv
import gzip
import io
import json
import time

import pyarrow as pa
import pytest
from python_calamine import CalamineWorkbook

from waybill.testing.server import pause

GOOD = "id,name,age,note\n1,Ada,36,first\n2,Grace,85,\n"
MIXED = (
    "id,name,age,note\n"
    "1,Ada,36,ok\n"
    '2,,85,"two\nlines"\n'
    "3,Linus,abc,=SUM(A1)\n"
    "4,Grace,200,-5.00\n"
    "5,Alan,41,fine\n"
)


def test_a_good_file_is_loaded_whole(client, submit, finish):
    job = finish(client, submit(client, GOOD))
    assert (job["state"], job["outcome"]) == ("succeeded", "complete")
    counts = job["counts"]
    assert counts["read"] == counts["created"] + counts["updated"] + counts["unchanged"] == 2
    records = client.get("/v1/entities/people/records").json()["records"]
    stored = {record["id"]: record for record in records}
    assert {"name": "Grace", "age": 85, "note": None}.items() <= stored[2].items()


def test_the_answer_names_the_job_and_when_to_come_again(client):
    answer = client.post(
        "/v1/jobs?entity=people", content=GOOD, headers={"Content-Type": "text/csv"}
    )
    assert answer.status_code == 202
    assert answer.headers["location"].endswith(f"/v1/jobs/{answer.json()['id']}")
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("order", ["file first", "file last"])
def test_multipart_takes_the_file_part_anywhere(client, finish, order):
    parts = [
        ("entity", (None, "people")),
        ("options", (None, json.dumps({"client_ref": "m-1"}))),
        ("file", ("people.csv", GOOD, "text/csv")),
    ]
    answer = client.post(
        "/v1/jobs", files=parts if order == "file last" else [parts[2], *parts[:2]]
    )
    assert answer.status_code == 202, answer.text
    job = finish(client, answer.json())
    assert (job["counts"]["read"], job["client_ref"]) == (2, "m-1")


def test_gzip_is_known_by_its_first_bytes(client, submit, finish):
    job = finish(client, submit(client, gzip.compress(GOOD.encode())))
    assert job["counts"]["read"] == 2
    assert job["format"]["compression"] == "gzip"


def test_each_rejection_says_exactly_where_and_why(client, submit, finish):
    job = finish(client, submit(client, MIXED))
    assert (job["state"], job["outcome"]) == ("succeeded", "partial")
    assert (job["counts"]["read"], job["counts"]["rejected"]) == (5, 3)
    page = client.get(f"/v1/jobs/{job['id']}/rejections").json()
    found = [
        (r["record"], r["line"], f["code"], f["field"], f["column"], f["value"])
        for r in page["rejections"]
        for f in r["findings"]
    ]
    assert found == [
        (2, 3, "REQUIRED", "name", 2, None),
        (3, 5, "TYPE_MISMATCH", "age", 3, "abc"),
        (4, 6, "MAXIMUM", "age", 3, "200"),
    ]
    assert [MIXED[r["byte"] :][0] for r in page["rejections"]] == ["2", "3", "4"]
    assert page["total"] == 3


def test_a_rejection_file_is_mended_and_sent_in_again_as_it_is(client, submit, finish):
    job = finish(client, submit(client, MIXED.replace("\n1,", "\n11,")))
    report = client.get(f"/v1/jobs/{job['id']}/rejections.csv")
    assert report.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(report.text)))
    assert list(rows[0]) == [
        "id", "name", "age", "note", "_record", "_line", "_code", "_field", "_value", "_message",
    ]  # fmt: skip
    assert rows[1]["note"] == "'=SUM(A1)"
    assert rows[2]["note"] == "-5.00"
    mended = report.text.replace("2,,85", "2,Barbara,85").replace("abc", "28", 1)
    again = finish(client, submit(client, mended))
    assert (again["counts"]["read"], again["counts"]["rejected"]) == (3, 1)
    notes = {
        r["id"]: r["note"] for r in client.get("/v1/entities/people/records").json()["records"]
    }
    assert notes[3] == "=SUM(A1)"
    assert notes[2] == "two\nlines"


def test_reports_come_in_three_forms_with_the_same_content(client, submit, finish):
    job = finish(client, submit(client, MIXED))
    base = f"/v1/jobs/{job['id']}/rejections"
    for suffix, accept in (
        ("csv", "text/csv"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ):
        by_suffix = client.get(f"{base}.{suffix}")
        by_accept = client.get(base, headers={"Accept": accept})
        assert by_suffix.status_code == by_accept.status_code == 200
        assert by_suffix.content == by_accept.content
        assert "attachment" in by_suffix.headers["content-disposition"]


def test_accepted_records_come_back_in_input_order_with_their_outcome(client, submit, finish):
    job = finish(client, submit(client, "id,name,age,note\n91,A,1,x\n92,,2,y\n93,C,3,z\n"))
    lines = client.get(f"/v1/jobs/{job['id']}/accepted.ndjson").text.splitlines()
    rows = [json.loads(line) for line in lines]
    assert [(r["_record"], r["_outcome"], r["id"]) for r in rows] == [
        (1, "created", "91"), (3, "created", "93"),
    ]  # fmt: skip
    text = client.get(f"/v1/jobs/{job['id']}/accepted.csv").text
    assert text.splitlines()[1] == "1,created,91,A,1,x"
    report = client.get(f"/v1/jobs/{job['id']}/rejections.csv").text.replace("92,,", "92,B,")
    job = finish(client, submit(client, report))
    text = client.get(f"/v1/jobs/{job['id']}/accepted.csv").text
    assert text.splitlines() == ["_record,_outcome,id,name,age,note", "1,created,92,B,2,y"]


def test_the_input_comes_back_byte_for_byte(client, submit, finish):
    job = finish(client, submit(client, MIXED))
    assert client.get(f"/v1/jobs/{job['id']}/input").content == MIXED.encode()


def test_a_filled_template_is_imported(client, submit, finish):
    header = client.get(_links(client, "people")["template"])
    job = finish(client, submit(client, header.text + "4711,Ada,36,from a template\n"))
    assert (job["outcome"], job["counts"]["created"], job["warnings"]) == ("complete", 1, [])


def test_the_workbook_to_fill_in_has_the_columns_of_the_entity(client):
    answer = client.get(_links(client, "people")["template_xlsx"])
    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_name("people")
    assert sheet.to_python() == [["id", "name", "age", "note"]]


def test_the_same_file_again_changes_nothing(client, submit, finish):
    text = "id,name,age,note\n71,A,1,x\n72,B,2,y\n"
    assert finish(client, submit(client, text))["counts"]["created"] == 2
    assert finish(client, submit(client, text))["counts"]["unchanged"] == 2
    changed = finish(client, submit(client, text.replace("B", "BB")))["counts"]
    assert (changed["unchanged"], changed["updated"]) == (1, 1)


def test_duplicate_keys_are_rejected_and_name_each_other(client, submit, finish):
    job = finish(client, submit(client, "id,name\n61,A\n62,B\n61,C\n"))
    assert job["counts"]["rejected"] == 2
    page = client.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]
    messages = [r["findings"][0]["message"] for r in page]
    assert "'61' stands also in line 4 (record 3)" in messages[0]
    assert "line 2 (record 1)" in messages[1]


@pytest.mark.parametrize(
    ("policy", "name", "skipped"), [("first", "A", 1), ("last", "C", 1), ("apply", "C", 0)]
)
def test_other_policies_keep_one_of_the_duplicates(client, submit, finish, policy, name, skipped):
    job = finish(client, submit(client, "id,name\n51,A\n51,C\n", on_duplicate=policy))
    assert job["counts"]["skipped"] == skipped
    records = client.get("/v1/entities/people/records").json()["records"]
    assert {r["id"]: r["name"] for r in records}[51] == name


def test_with_atomicity_file_one_bad_row_keeps_all_out(client, submit, finish):
    text = "id,name\n41,A\n42,\n43,C\n"
    job = finish(client, submit(client, text, atomicity="file"))
    assert (job["state"], job["outcome"]) == ("succeeded", "none")
    assert (job["counts"]["rejected"], job["counts"]["unprocessed"]) == (1, 2)
    ids = {r["id"] for r in client.get("/v1/entities/people/records").json()["records"]}
    assert not {41, 42, 43} & ids
    whole = finish(client, submit(client, text.replace("42,", "42,B"), atomicity="file"))
    assert whole["counts"]["created"] == 3


def test_a_dry_run_counts_and_writes_nothing(client, submit, finish):
    job = finish(client, submit(client, "id,name\n31,A\n32,\n", dry_run="true"))
    assert (job["counts"]["created"], job["counts"]["rejected"]) == (1, 1)
    ids = {r["id"] for r in client.get("/v1/entities/people/records").json()["records"]}
    assert 31 not in ids


def test_guards_stop_a_job_before_any_write(client, submit, finish):
    text = "id,name\n21,\n22,\n23,C\n"
    job = finish(client, submit(client, text, max_errors=1))
    assert (job["state"], job["error"]["code"]) == ("failed", "MAX_ERRORS_EXCEEDED")
    ratio = finish(client, submit(client, text, max_error_ratio=0.5))
    assert ratio["error"]["code"] == "MAX_ERROR_RATIO_EXCEEDED"
    assert ratio["counts"]["created"] == 0
    ids = {r["id"] for r in client.get("/v1/entities/people/records").json()["records"]}
    assert 23 not in ids


def test_guards_see_what_the_sink_would_refuse_before_any_write(client, submit, finish):
    finish(client, submit(client, "id,name\n201,A\n202,B\n"))
    text = "id,name\n203,C\n201,A\n202,B\n"
    for guard in ({"max_errors": 1}, {"max_error_ratio": 0.5}):
        job = finish(client, submit(client, text, operation="insert", **guard))
        assert job["state"] == "failed"
        assert (job["counts"]["created"], job["counts"]["rejected"]) == (0, 2)
        page = client.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]
        assert [r["findings"][0]["code"] for r in page] == ["KEY_EXISTS", "KEY_EXISTS"]
    ids = {r["id"] for r in client.get("/v1/entities/people/records").json()["records"]}
    assert 203 not in ids
    job = finish(client, submit(client, text, operation="insert", max_errors=2))
    assert (job["counts"]["created"], job["counts"]["rejected"]) == (1, 2)


def test_the_charset_of_the_content_type_is_the_declared_encoding(client, finish):
    body = "id,name\n301,Jürgen\n".encode("cp1252")
    for charset, encoding in (("windows-1252", "windows-1252"), ("nonsense", None)):
        headers = {"Content-Type": f"text/csv; charset={charset}"}
        answer = client.post("/v1/jobs?entity=people", content=body, headers=headers)
        if encoding is None:
            assert (answer.status_code, answer.json()["code"]) == (400, "OPTION_INVALID")
            continue
        job = finish(client, answer.json())
        assert job["counts"]["created"] + job["counts"]["updated"] == 1
        assert job["format"]["encoding_source"] == "declared"
    part = ("people.csv", body, "text/csv; charset=windows-1252")
    answer = client.post("/v1/jobs", data={"entity": "people"}, files={"file": part})
    assert finish(client, answer.json())["counts"]["unchanged"] == 1


def test_a_member_of_the_options_that_stands_twice_is_refused(client):
    files = {"file": ("people.csv", b"id,name\n1,A\n")}
    options = '{"dry_run": false, "dry_run": true}'
    answer = client.post("/v1/jobs", data={"entity": "people", "options": options}, files=files)
    assert (answer.status_code, answer.json()["code"]) == (400, "OPTION_INVALID")


def test_a_broken_record_is_taken_only_once_it_is_mended(client, submit, finish):
    job = finish(client, submit(client, 'id,name\n401,A,x\n402,"B"b\n403,"\xff\xfe"\n'))
    codes = ("FIELD_COUNT", "QUOTE_INVALID")
    for _ in range(2):
        report = client.get(f"/v1/jobs/{job['id']}/rejections.csv").text
        job = finish(client, submit(client, report))
        assert (job["counts"]["rejected"], job["counts"]["created"]) == (2, 0)
        page = client.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]
        assert {r["findings"][0]["code"] for r in page} == {"NOT_MENDED"}
    for code in (*codes, "NOT_MENDED"):
        report = report.replace(code, "")
    job = finish(client, submit(client, report))
    assert (job["counts"]["rejected"], job["counts"]["created"]) == (0, 2)


def test_a_zstd_file_is_read_and_a_cut_one_loads_nothing(client, finish):
    packed = pa.compress(b"id,name\n501,A\n502,B\n", codec="zstd", asbytes=True)
    for content, state in ((packed, "succeeded"), (packed[:-4], "failed")):
        answer = client.post(
            "/v1/jobs?entity=people", content=content, headers={"Content-Type": "application/zstd"}
        )
        job = finish(client, answer.json())
        assert job["state"] == state
    assert job["error"]["code"] == "CORRUPT_ZSTD"
    assert job["counts"]["created"] == 0


def test_ndjson_is_read_with_its_types_and_with_members_that_come_late(client, submit, finish):
    note = b"x" * 250  # more than what is looked at for the columns
    lines = [
        b'{"id":%d,"name":"Ann \\u00e9","note":"%b"}' % (number, note)
        for number in range(60_000, 75_000)
    ]
    lines[3] = b'{"id":"60003","name":"Ann"}'
    lines[4] = b'{"id":60004,"name":'
    lines[-1] = b'{"name":"Bob","age":151,"id":74999}'
    text = b"\n".join(lines)
    job = finish(client, submit(client, text))
    assert (job["counts"]["read"], job["counts"]["rejected"]) == (15_000, 3)
    assert job["counts"]["created"] == 14_997
    report = client.get(f"/v1/jobs/{job['id']}/rejections").json()
    found = {each["record"]: each for each in report["rejections"]}
    assert {at: each["findings"][0]["code"] for at, each in found.items()} == {
        4: "KIND_MISMATCH",
        5: "JSON_INVALID",
        15_000: "MAXIMUM",
    }
    assert found[4]["findings"][0]["message"] == "expected integer, received string"
    assert (found[5]["line"], found[5]["byte"]) == (5, text.index(lines[4]))
    again = finish(client, submit(client, b"id,name,note\n60000,Ann \xc3\xa9,%b\n" % note))
    assert again["counts"]["unchanged"] == 1


def test_an_array_within_a_document_is_read_and_its_findings_have_pointers(client, finish):
    rows = [{"id": number, "name": "Ann"} for number in range(76_000, 76_004)]
    rows[1]["age"], rows[2]["name"] = 151, 7
    text = json.dumps({"meta": {"count": 4}, "data": {"people": rows}}, indent=1)
    text = text.replace('"id": 76003', '"id": NaN')

    def send(body, query):
        return client.post(
            "/v1/jobs?entity=people" + query,
            content=body,
            headers={"Content-Type": "application/json"},
        ).json()

    job = finish(client, send(text, "&records_path=/data/people"))
    assert (job["format"]["format"], job["format"]["records_path"]) == ("json", "/data/people")
    assert (job["counts"]["read"], job["counts"]["created"]) == (4, 1)
    page = client.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]
    found = [(r["record"], r["findings"][0]["code"], r["findings"][0]["pointer"]) for r in page]
    assert found == [
        (2, "MAXIMUM", "/data/people/1/age"),
        (3, "KIND_MISMATCH", "/data/people/2/name"),
        (4, "JSON_INVALID", "/data/people/3"),
    ]
    assert [text[r["byte"]] for r in page] == ["{"] * 3
    assert text.splitlines()[page[0]["line"] - 1].strip() == "{"
    refused = finish(client, send(text.replace("NaN", "1"), ""))
    assert refused["error"]["code"] == "RECORDS_NOT_FOUND"
    cut = finish(client, send('[{"id":76010,"name":"Bob"},{"id":76011,"na', ""))
    assert (cut["state"], cut["error"]["code"]) == ("failed", "JSON_INVALID")
    assert (cut["counts"]["created"], cut["error"]["byte"]) == (1, 42)
    twice = finish(client, send('[{"id":76020,"name":"A"},\n{"id":76020,"name":"A"}]', ""))
    page = client.get(f"/v1/jobs/{twice['id']}/rejections").json()["rejections"]
    assert [r["findings"][0]["pointer"] for r in page] == ["/0/id", "/1/id"]


def test_progress_never_falls_when_a_late_member_begins_the_check_anew(client, submit):
    padding = b"x" * 400  # a check that lasts for several reports of progress
    lines = [b'{"id":%d,"name":null,"note":"%b"}' % (n, padding) for n in range(200_000)]
    job = submit(client, b"\n".join([*lines, b'{"id":500000,"name":"Bob","age":40}']))
    seen, deadline = [], time.monotonic() + 60
    while job["finished_at"] is None and time.monotonic() < deadline:
        job = client.get(f"/v1/jobs/{job['id']}").json()
        seen.append(job["progress"])
        pause(0.02)
    assert job["error"] is None, job["error"]
    assert (job["counts"]["rejected"], job["counts"]["created"]) == (200_000, 1)
    assert len(job["attempts"]) == 1
    assert seen == sorted(seen)
    assert len(set(seen)) > 3


def test_a_required_member_that_comes_late_is_missing_only_where_it_is(client, submit, finish):
    lines = [b'{"id":%d,"note":"%b"}' % (number, b"x" * 400) for number in range(6_000)]
    text = b"\n".join([*lines, b'{"id":500001,"name":"Bob"}'])
    job = finish(client, submit(client, text))
    assert (job["counts"]["rejected"], job["counts"]["created"]) == (6_000, 1)
    refused = finish(client, submit(client, b"\n".join(lines)))
    assert refused["error"]["code"] == "COLUMN_MISSING"


def test_an_empty_file_is_a_job_of_no_records(client, submit, finish):
    for text in ("", "id,name\n"):
        job = finish(client, submit(client, text))
        assert (job["state"], job["outcome"], job["counts"]["read"]) == ("succeeded", "complete", 0)


def test_an_unclosed_quote_is_named_where_it_opens(client, submit, finish):
    job = finish(client, submit(client, 'id,name\n1,A\n2,"open\n3,C\n'))
    assert (job["state"], job["error"]["code"], job["error"]["line"]) == (
        "failed", "QUOTE_UNCLOSED", 3,
    )  # fmt: skip


def test_insert_update_and_delete_say_what_does_not_fit(client, submit, finish):
    finish(client, submit(client, "id,name\n101,A\n"))
    inserted = finish(client, submit(client, "id,name\n101,A\n102,B\n", operation="insert"))
    assert (inserted["counts"]["created"], inserted["counts"]["rejected"]) == (1, 1)
    page = client.get(f"/v1/jobs/{inserted['id']}/rejections").json()["rejections"]
    assert (page[0]["line"], page[0]["findings"][0]["code"]) == (2, "KEY_EXISTS")
    assert page[0]["data"] == {"id": "101", "name": "A"}
    updated = finish(client, submit(client, "id,name\n999,Z\n", operation="update"))
    assert updated["outcome"] == "none"
    deleted = finish(client, submit(client, "id\n101\n102\n", operation="delete"))
    assert deleted["counts"]["deleted"] == 2


def test_a_column_left_out_keeps_what_is_stored_and_a_blank_clears(client, submit, finish):
    finish(client, submit(client, "id,name,age,note\n111,A,30,keep\n112,B,31,clear\n"))
    finish(client, submit(client, "id,name,note\n111,AA,keep\n112,BB,\n"))
    records = client.get("/v1/entities/people/records").json()["records"]
    stored = {r["id"]: (r["name"], r["age"], r["note"]) for r in records}
    assert (stored[111], stored[112]) == (("AA", 30, "keep"), ("BB", 31, None))


def test_references_lead_to_the_file_or_to_stored_records(client, submit, finish):
    finish(client, submit(client, "id,name\n901,Lead\n"))
    text = (
        "team,parent,lead,badge\n"
        "sub,top,901,b1\n"  # the parent comes later in the file
        "top,,901,b2\n"
        "lost,nowhere,901,b3\n"
        "headless,top,999999,b4\n"
        "twin,top,901,b2\n"
    )
    job = finish(client, submit(client, text, entity="teams"))
    page = client.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]
    found = {(r["line"], f["code"], f["field"], f["value"]) for r in page for f in r["findings"]}
    assert found == {
        (2, "FOREIGN_KEY", "parent", "top"),  # for top is rejected itself
        (4, "FOREIGN_KEY", "parent", "nowhere"),
        (5, "FOREIGN_KEY", "lead", "999999"),
        (3, "DUPLICATE_UNIQUE_IN_FILE", "badge", "b2"),
        (6, "DUPLICATE_UNIQUE_IN_FILE", "badge", "b2"),
    }
    again = finish(client, submit(client, "team,parent\nleaf,lost\n", entity="teams"))
    assert again["outcome"] == "none"


def test_a_reference_to_a_rejected_record_leads_nowhere(client, submit, finish):
    text = "team,parent\na1,nowhere\na2,a1\na3,a2\nb1,\nb2,b1\n"
    job = finish(client, submit(client, text, entity="teams"))
    page = client.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]
    assert [(r["data"]["team"], r["findings"][0]["code"]) for r in page] == [
        ("a1", "FOREIGN_KEY"),
        ("a2", "FOREIGN_KEY"),
        ("a3", "FOREIGN_KEY"),
    ]
    assert job["counts"]["created"] == 2


def test_an_endless_chain_to_a_rejected_record_fails_the_job(client, submit, finish):
    lines = ["c0,nowhere"] + [f"c{n},c{n - 1}" for n in range(1, 100)]
    text = "team,parent\n" + "\n".join(lines) + "\n"
    job = finish(client, submit(client, text, entity="teams"))
    assert (job["state"], job["error"]["code"]) == ("failed", "REFERENCE_CHAIN_TOO_LONG")
    assert job["counts"]["created"] == 0


def test_the_share_of_errors_counts_what_the_sink_refuses(client, submit, finish):
    finish(client, submit(client, "id,name\n801,A\n802,B\n"))
    text = "id,name\n801,A\n802,B\n803,C\n"
    job = finish(client, submit(client, text, operation="insert", max_error_ratio=0.5))
    assert (job["state"], job["error"]["code"]) == ("failed", "MAX_ERROR_RATIO_EXCEEDED")
    assert (job["counts"]["created"], job["counts"]["rejected"]) == (0, 2)


def test_secrets_leave_the_server_in_no_form(server, client, submit, finish):
    text = "user,password\nada,correct-horse\nbob,sh0rt\nada2,hunter2hunter2\n"
    job = finish(client, submit(client, text, entity="logins"))
    assert job["counts"]["rejected"] == 1
    base = f"/v1/jobs/{job['id']}"
    seen = [
        client.get(f"{base}/rejections").text,
        client.get(f"{base}/rejections.csv").text,
        client.get(f"{base}/accepted.csv").text,
        client.get("/v1/entities/logins/records").text,
        (server.directory / "serve.log").read_text(),
    ]
    assert not [t for t in seen for s in ("correct-horse", "sh0rt", "hunter2") if s in t]
    assert client.get(f"{base}/input").status_code == 403


def test_a_small_file_is_answered_within_the_request(client):
    answer = client.post(
        "/v1/jobs?entity=people",
        content=GOOD,
        headers={"Content-Type": "text/csv", "Prefer": "wait=20"},
    )
    assert answer.json()["state"] == "succeeded"
    assert answer.headers["preference-applied"] == "wait=20"


def test_metrics_add_up_what_imports_did(client, submit, finish):
    before = _counters(client)
    finish(client, submit(client, MIXED))
    after = _counters(client)
    gained = {name: after[name] - before.get(name, 0.0) for name in after}
    records = sum(n for name, n in gained.items() if name.startswith("waybill_records_total"))
    assert records == 5
    assert gained['waybill_records_total{outcome="rejected"}'] == 3
    assert gained['waybill_jobs_finished_total{state="succeeded"}'] == 1
    for phase in ("checking", "matching", "applying", "reporting"):
        assert 0 < gained[f'waybill_phase_seconds_total{{phase="{phase}"}}'] < 60


def _links(client, name):
    entities = client.get("/v1/entities").json()["entities"]
    return next(entity["links"] for entity in entities if entity["name"] == name)


def _counters(client):
    lines = client.get("/metrics").text.splitlines()
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines)
        if "_total{" in name
    }
