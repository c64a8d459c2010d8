"""What a file would do, known, guarded and held to before anything is written."""

from __future__ import annotations

import gzip

import pytest

ITEM = {
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "title", "type": "string", "constraints": {"required": True}},
        {"name": "pin", "type": "string", "waybill": {"secret": True}},
    ],
    "primaryKey": ["id"],
    "waybill": {"action": {"column": "do", "actions": {"drop": "delete", "away": "remove"}}},
}
NAMES = (
    "secret",
    "planned",
    "outdated",
    "snapped",
    "guarded",
    "whole",
    "broken",
    "removed",
    "dropped",
    "bare",
    "keyed",
)


@pytest.fixture(scope="module")
def entities():
    open_item = {**ITEM, "fields": ITEM["fields"][:2]}
    names = ("keyed", "repeated", "fleeting", "refused", "packed")
    return {**dict.fromkeys(NAMES, ITEM), **dict.fromkeys(names, open_item)}


@pytest.fixture
def load(client, submit, finish):
    """Import CSV into one of the entities; gives the job at its end."""

    def run(entity, text, **options):
        return finish(client, submit(client, text, entity, **options))

    return run


def titles(client, entity):
    records = client.get(f"/v1/entities/{entity}/records").json()["records"]
    return {record["id"]: record["title"] for record in records}


def rows(*ids, title="T"):
    return "id,title\n" + "".join(f"{each},{title}\n" for each in ids)


def test_a_plan_tells_what_would_change_and_is_applied_as_it_stands(client, load, finish):
    load("planned", "id,title,pin\na,Apple,1\nb,Bread,2\nc,Corn,3\n")
    text = "id,title,pin,do\na,Ale,1,\nb,Bread,2,\nc,,,drop\nd,Dill,9,\ne,,,\n"
    dry = load("planned", text, dry_run="true")
    assert (dry["outcome"], dry["parent"]) == ("partial", None)
    plan = client.get(f"/v1/jobs/{dry['id']}/plan").json()
    assert plan["counts"] == {
        "created": 1, "updated": 1, "unchanged": 1, "deleted": 1, "removed": 0,
        "rejected": 1, "skipped": 0,
    }  # fmt: skip
    assert plan["shares"] == [{"kind": "", "gone": 1, "stored": 3}]
    [updated] = plan["samples"]["updated"]
    assert (updated["record"], updated["before"]["title"], updated["after"]["title"]) == (
        1, "Apple", "Ale",
    )  # fmt: skip
    assert updated["before"]["pin"] == updated["after"]["pin"] == "********"
    assert [each["after"]["id"] for each in plan["samples"]["created"]] == ["d"]
    assert [each["before"]["id"] for each in plan["samples"]["deleted"]] == ["c"]
    assert titles(client, "planned") == {"a": "Apple", "b": "Bread", "c": "Corn"}
    answer = client.post(f"/v1/jobs/{dry['id']}/apply")
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
    job = finish(client, answer.json())
    assert (job["state"], job["parent"]) == ("succeeded", dry["id"])
    assert job["options"]["expected_plan"] == plan["hash"]
    assert {name: job["counts"][name] for name in plan["counts"]} == plan["counts"]
    assert titles(client, "planned") == {"a": "Ale", "b": "Bread", "d": "Dill"}
    again = client.post(f"/v1/jobs/{dry['id']}/apply")
    assert (again.status_code, again.json()["code"]) == (409, "PLAN_OUTDATED")


def test_a_plan_is_not_applied_once_the_records_have_changed(client, load):
    load("outdated", rows("a"))
    dry = load("outdated", rows("a", "b", title="New"), dry_run="true")
    plan = client.get(f"/v1/jobs/{dry['id']}/plan").json()
    load("outdated", rows("z"))
    refused = client.post(f"/v1/jobs/{dry['id']}/apply")
    assert (refused.status_code, refused.json()["code"]) == (409, "PLAN_OUTDATED")
    late = load("outdated", rows("a", "b", title="New"), expected_plan=plan["hash"])
    assert (late["state"], late["error"]["code"]) == ("failed", "PLAN_OUTDATED")
    assert late["counts"]["unprocessed"] == 2
    assert titles(client, "outdated") == {"a": "T", "z": "T"}
    fresh = load("outdated", rows("a", "b", title="New"), dry_run="true")
    hold = client.get(f"/v1/jobs/{fresh['id']}/plan").json()["hash"]
    other = load("outdated", rows("a", "c", title="New"), expected_plan=hold)
    assert other["error"]["code"] == "PLAN_OUTDATED"
    same = load("outdated", rows("a", "b", title="New"), expected_plan=hold)
    assert same["state"] == "succeeded"


def test_applying_is_repeatable_by_key_and_only_for_plans(client, load, finish):
    dry = load("keyed", rows("k"), dry_run="true")
    key = {"Idempotency-Key": "apply-once"}
    first = client.post(f"/v1/jobs/{dry['id']}/apply", headers=key)
    second = client.post(f"/v1/jobs/{dry['id']}/apply", headers=key)
    assert first.json()["id"] == second.json()["id"]
    done = finish(client, first.json())
    assert client.get(f"/v1/jobs/{done['id']}/input").content == rows("k").encode()
    for wrong in (done["id"], load("keyed", rows("k"))["id"]):
        answer = client.post(f"/v1/jobs/{wrong}/apply")
        assert (answer.status_code, answer.json()["code"]) == (409, "JOB_HAS_NO_PLAN")
    assert client.post("/v1/jobs/nothing/apply").status_code == 404


def test_a_snapshot_removes_what_the_file_has_not(client, load):
    load("snapped", rows("a", "b", "c", "d"))
    job = load("snapped", rows("a", "b", "c", "e"), snapshot="true")
    counts = job["counts"]
    assert (counts["unchanged"], counts["created"], counts["removed"], counts["read"]) == (
        3, 1, 1, 4,
    )  # fmt: skip
    assert titles(client, "snapped") == dict.fromkeys("abce", "T")
    plan = client.get(f"/v1/jobs/{job['id']}/plan").json()
    assert [each["before"]["id"] for each in plan["samples"]["removed"]] == ["d"]
    bare = load("snapped", rows("a"), snapshot="true")
    assert (bare["state"], bare["error"]["code"]) == ("failed", "MAX_DELETE_RATIO_EXCEEDED")
    assert "3 of 4 stored records would go" in bare["error"]["message"]
    assert len(titles(client, "snapped")) == 4
    forced = load("snapped", rows("a"), snapshot="true", max_delete_ratio=1)
    assert forced["counts"]["removed"] == 3
    assert titles(client, "snapped") == {"a": "T"}


def test_a_rejected_record_is_not_missing_in_a_snapshot(client, load):
    load("broken", rows("a", "b", "c"))
    job = load("broken", "id,title\na,New\nb,\n", snapshot="true")
    assert job["outcome"] == "partial"
    assert [each["code"] for each in job["warnings"]] == ["SNAPSHOT_INCOMPLETE"]
    assert titles(client, "broken") == {"a": "New", "b": "T", "c": "T"}
    cut = load("broken", 'id,title\na,Newer\n"b,open\n', snapshot="true")
    assert cut["state"] == "failed"
    assert titles(client, "broken")["a"] == "New"


def test_guards_of_deletes_count_what_goes_and_stop_all_of_it(client, load):
    load("guarded", rows(*"abcdefghij"))
    text = "id,title,do\n" + "".join(f"{each},,drop\n" for each in "abc") + "k,New,\n"
    for guard in ({"max_deletes": 2}, {"max_delete_ratio": 0.25}):
        job = load("guarded", text, **guard)
        assert job["error"]["code"].startswith("MAX_DELETE"), job
        assert job["counts"]["unprocessed"] == 4
        shares = client.get(f"/v1/jobs/{job['id']}/plan").json()["shares"]
        assert shares == [{"kind": "", "gone": 3, "stored": 10}]
        assert len(titles(client, "guarded")) == 10
    few = load("guarded", text, max_delete_ratio=0.25, delete_guard_from=11)
    assert (few["counts"]["deleted"], few["counts"]["created"]) == (3, 1)
    swap = load("guarded", "id,title,do\nd,,drop\nd,Again,\n", max_deletes=0, on_duplicate="apply")
    assert swap["counts"]["deleted"] == swap["counts"]["created"] == 1


def test_a_guarded_file_may_have_rejected_records(client, load):
    job = load("whole", "id,title\na,A\nb,\n", max_deletes=0)
    assert job["outcome"] == "partial"
    assert titles(client, "whole") == {"a": "A"}
    many = load("whole", "id,title\nc,C\nb,\n", max_deletes=0, max_error_ratio=0.1)
    assert many["error"]["code"] == "MAX_ERROR_RATIO_EXCEEDED"
    assert titles(client, "whole") == {"a": "A"}


def test_removing_what_is_not_there_is_no_error_and_deleting_it_is(client, load):
    load("removed", rows("a"))
    job = load("removed", "id,title,do\na,,away\nz,,away\ny,,drop\n")
    assert (job["counts"]["deleted"], job["counts"]["unchanged"], job["counts"]["rejected"]) == (
        1, 1, 1,
    )  # fmt: skip
    assert titles(client, "removed") == {}


def test_a_dry_run_sees_across_the_records_of_a_file(client, load):
    text = "id,title,do\na,A,\na,,drop\n"
    dry = load("dropped", text, dry_run="true", on_duplicate="apply")
    assert (dry["counts"]["created"], dry["counts"]["deleted"]) == (1, 1)
    assert client.get(f"/v1/jobs/{dry['id']}/plan").json()["shares"] == []


def test_a_job_without_a_plan_says_so(client, load):
    job = load("bare", rows("x"))
    answer = client.get(f"/v1/jobs/{job['id']}/plan")
    assert (answer.status_code, answer.json()["code"]) == (409, "JOB_HAS_NO_PLAN")


def outcome(client, job):
    """All that a client can see of a job, but for its names and times."""
    plan = client.get(f"/v1/jobs/{job['id']}/plan")
    accepted = client.get(f"/v1/jobs/{job['id']}/accepted.csv")
    facts = {name: fact for name, fact in job["format"].items() if name != "same_file_as"}
    told = {name: job[name] for name in ("state", "outcome", "counts", "warnings", "error")}
    return told, facts, plan.status_code == 200 and plan.json(), accepted.text


@pytest.mark.parametrize(
    "options",
    [
        {"atomicity": "file"},
        {"atomicity": "file", "on_duplicate": "last"},
        {"snapshot": "true", "max_delete_ratio": 1},
        {"max_deletes": 0, "unknown_columns": "ignore"},
    ],
)
def test_a_file_that_is_stored_already_is_not_read_again(client, load, submit, finish, options):
    text = "id,title,colour\n" + "".join(f"{each},T,red\n" for each in range(60_000))
    text += "1,Again,blue\n" if "on_duplicate" in options else ""
    first = load("repeated", text, **options)
    again = load("repeated", text, **options)
    third = load("repeated", text, **options)
    dry = load("repeated", text, dry_run="true", **options)
    assert "same_file_as" not in first["format"]
    assert again["format"]["same_file_as"] == first["id"]
    assert third["format"]["same_file_as"] == dry["format"]["same_file_as"] == first["id"]
    read = finish(client, submit(client, text.encode() + b"\n", "repeated", **options))
    assert "same_file_as" not in read["format"]
    assert read["counts"]["unchanged"] == 60_000
    assert outcome(client, again) == outcome(client, third) == outcome(client, read)
    assert dry["counts"] == read["counts"]
    hold = client.get(f"/v1/jobs/{dry['id']}/plan").json()["hash"]
    assert load("repeated", text, expected_plan=hold, **options)["state"] == "succeeded"
    late = load("repeated", text, expected_plan=hold[::-1], **options)
    assert late["error"]["code"] == "PLAN_OUTDATED"
    assert "same_file_as" not in late["format"]


@pytest.mark.parametrize("change", [b"", b"c,T\n"])
def test_a_file_that_is_packed_anew_is_looked_into(client, load, change):
    def packed(text, moment):
        return gzip.compress(text, mtime=moment)

    text = rows("a", "b").encode()
    options = {"atomicity": "file"}
    first = load("packed", packed(text, 1), **options)
    again = load("packed", packed(text + change, 2), **options)
    assert again["format"].get("same_file_as") == (None if change else first["id"])
    assert again["counts"]["unchanged"] == 2
    guarded = load("packed", packed(text + change, 3), max_errors=5, max_deletes=0, **options)
    assert guarded["format"]["same_file_as"] == (again if change else first)["id"]
    assert client.get(f"/v1/jobs/{guarded['id']}/plan").status_code == 200
    plain = load("packed", text, **options)
    assert "same_file_as" not in plain["format"]


def test_a_snapshot_is_only_taken_of_upserts(client):
    for operation in ("insert", "update", "delete", "remove"):
        query = {"entity": "keyed", "snapshot": "true", "operation": operation}
        answer = client.post("/v1/jobs", params=query, content=rows("a").encode(),
                             headers={"Content-Type": "text/csv"})  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (400, "OPTION_INVALID"), answer.text


def test_a_file_is_read_again_once_anything_has_changed(client, load):
    whole = {"atomicity": "file"}
    file = rows("a", "b")

    def is_read(text=file, **options):
        return "same_file_as" not in load("fleeting", text, **options)["format"]

    assert is_read(**whole)
    assert not is_read(**whole)
    assert is_read(rows("a", "c"), **whole)
    assert is_read(**whole)
    load("fleeting", "id,title\na,Other\n")
    assert is_read(**whole)
    assert titles(client, "fleeting")["a"] == "T"
    assert not is_read(**whole)
    assert is_read(atomicity="file", unknown_columns="ignore")
    assert is_read()


@pytest.mark.parametrize(
    ("entity", "text", "options"),
    [
        ("refused", rows("a") + "b,\n", {"max_deletes": 9}),
        ("refused", rows("c") + "c,Again\n", {"on_duplicate": "apply", "atomicity": "file"}),
        ("refused", "id,title,do\nd,T,\nzz,,away\n", {"atomicity": "file"}),
        ("secret", "id,title,pin\ne,T,1234\n", {"atomicity": "file"}),
    ],
)
def test_a_file_that_might_end_otherwise_is_read_again(load, entity, text, options):
    for _ in range(3):
        job = load(entity, text, **options)
        assert job["state"] == "succeeded"
        assert "same_file_as" not in job["format"]


def test_the_command_line_says_that_a_dry_run_wrote_nothing(server, tmp_path):
    file = tmp_path / "planned.csv"
    file.write_text(rows("n1", "n2"))
    access = ("--server", server.url, "--token", server.token)
    told = server.run(
        "submit", str(file), "--entity", "dropped", "--dry-run", "--watch", *access
    ).stdout
    job = told.split("job", 1)[1].split()[0]
    assert "nothing was written" in told
    assert f"waybill plan {job}" in told
    plan = server.run("plan", job, *access).stdout
    assert "2 created" in plan
    assert "read" not in plan
