"""What a file leaves out is kept or made, and what must stay or follow in order is judged."""

from __future__ import annotations

import re

import pytest

from workbooks import table

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def text(name, **waybill):
    return {"name": name, "type": "string", "waybill": waybill}


def needed(field):
    return {**field, "constraints": {"required": True}}


MEMBERS = {
    "fields": [
        text("login"),
        needed(text("unit")),
        needed(text("zone", default="EU")),
        {"name": "active", "type": "boolean", "trueValues": ["TRUE", "1"],
         "falseValues": ["FALSE", "0"], "waybill": {"default": "TRUE", "ignoreCase": True}},
        {"name": "roles", "type": "list", "delimiter": "|",
         "waybill": {"itemEnum": ["lead", "guest"]}},
    ],
    "primaryKey": ["login"],
}  # fmt: skip
TERMS = {
    "fields": [
        text("term"),
        text("room", immutable=True, repeatable=True),
        {"name": "number", "type": "integer", "waybill": {"immutable": True}},
        *({"name": name, "type": "datetime", "format": "%Y-%m-%dT%H:%M:%SZ"}
          for name in ("begins", "ends", "closes")),
    ],
    "primaryKey": ["term"],
    "waybill": {"ascending": [["begins", "ends", "closes"]]},
}  # fmt: skip
PLACES = {"fields": [text("id", generated=True), text("name")], "primaryKey": ["id"]}
SPANS = {
    "fields": [
        text("id"),
        *({"name": name, "type": "number"} for name in ("low", "high")),
        *({"name": name, "type": "integer"} for name in ("first", "last")),
    ],
    "primaryKey": ["id"],
    "waybill": {
        "ascending": [["low", "high"], ["first", "last"]],
        "action": {"column": "op", "actions": {"D": "delete"}},
    },
}
ROOMS = {"fields": [text("room"), text("size")], "primaryKey": ["room"]}
BOOKINGS = {
    "fields": [text("term"), text("room", immutable=True), text("size")],
    "primaryKey": ["term"],
    "waybill": {
        "writes": [
            {"entity": "terms", "fields": {"term": "term", "room": "room"}},
            {"entity": "rooms", "fields": {"room": "room", "size": "size"}},
        ]
    },
}
BOOKINGS["fields"][1]["constraints"] = {"required": True}
ENTITIES = {
    "members": MEMBERS, "terms": TERMS, "places": PLACES, "rooms": ROOMS, "spans": SPANS,
    "bookings": BOOKINGS,
}  # fmt: skip


@pytest.fixture(scope="module")
def entities():
    return ENTITIES


@pytest.fixture
def run(client, submit, finish):
    """Import; gives the findings by record, and the counts."""

    def to_the_end(entity, content, **query):
        job = finish(client, submit(client, content, entity=entity, **query))
        assert job["state"] == "succeeded", job["error"]
        answer = client.get(f"/v1/jobs/{job['id']}/rejections").json()
        found = {
            each["record"]: [(finding["code"], finding["field"]) for finding in each["findings"]]
            for each in answer["rejections"]
        }
        return found, job["counts"], job["id"]

    return to_the_end


def stored(client, entity, *names):
    records = client.get(f"/v1/entities/{entity}/records").json()["records"]
    return [tuple(record[name] for name in names) for record in records]


def test_a_column_left_out_keeps_what_is_stored_and_gives_new_records_their_defaults(client, run):
    run("members", "login,unit,zone,active\nann,red,US,FALSE\nbob,red,,false\n")
    found, counts, job = run("members", "login\nann\nbob\neve\n", missing_columns="keep")
    assert (found, counts["unchanged"] + counts["updated"]) == (
        {3: [("REQUIRED_ON_CREATE", "unit")]}, 2,
    )  # fmt: skip
    assert (
        client.get(f"/v1/jobs/{job}/rejections.csv")
        .text.splitlines()[0]
        .startswith("login,_record")
    )
    assert client.get(f"/v1/jobs/{job}/accepted.csv").text.splitlines()[1:] == [
        f"1,{'unchanged' if counts['unchanged'] else 'updated'},ann",
        f"2,{'unchanged' if counts['unchanged'] else 'updated'},bob",
    ]
    found, _, _ = run("members", "login,unit\nann,blue\neve,blue\n", missing_columns="keep")
    assert found == {}
    rows = stored(client, "members", "login", "unit", "zone", "active")
    assert [row for row in rows if row[0] in ("ann", "bob", "eve")] == [
        ("ann", "blue", "US", False), ("bob", "red", "EU", False), ("eve", "blue", "EU", True),
    ]  # fmt: skip
    _, counts, _ = run("members", "login,unit\nann,blue\neve,blue\n", missing_columns="keep")
    assert counts["unchanged"] == 2
    found, _, _ = run("members", "login,unit\nann,\n", missing_columns="keep")
    assert found == {1: [("REQUIRED", "unit")]}


def test_the_same_of_formats_with_types(client, run):
    query = {"missing_columns": "keep", "absent_members": "keep", "format": "json"}
    run("members", '[{"login": "j1", "unit": "x", "active": false}]', **query)
    found, _, _ = run("members", '[{"login": "j1"}, {"login": "j3"}]', **query)
    assert found == {2: [("REQUIRED_ON_CREATE", "unit")]}
    some = '[{"login": "j1"}, {"login": "j2", "unit": "y"}]'  # not the file lacks it, one record
    assert run("members", some, **query)[0] == {1: [("REQUIRED", "unit")]}
    rows = stored(client, "members", "login", "unit", "zone", "active")
    assert [row for row in rows if row[0].startswith("j")] == [
        ("j1", "x", "EU", False), ("j2", "y", "EU", True),
    ]  # fmt: skip
    book = table([["login"], ["j1"], ["j9"]])
    found, _, _ = run("members", book, missing_columns="keep")
    assert found == {2: [("REQUIRED_ON_CREATE", "unit")]}


def test_a_key_cannot_be_kept(client, submit, finish):
    job = finish(client, submit(client, "unit\nx\n", entity="members", missing_columns="keep"))
    assert (job["state"], job["error"]["code"]) == ("failed", "COLUMN_MISSING")


def test_words_in_any_case_and_items_of_a_closed_list(client, run):
    found, _, _ = run(
        "members",
        "login,unit,active,roles\nw1,u,tRuE,lead|guest\nw2,u,fALSE,\nw3,u,yes,lead\n"
        "w4,u,1,lead|boss\nw5,u,0,lead |guest\n",
    )
    assert found == {
        3: [("TYPE_MISMATCH", "active")],
        4: [("LIST_ITEM", "roles")],
        5: [("LIST_ITEM", "roles")],
    }
    rows = stored(client, "members", "login", "active", "roles")
    assert [row for row in rows if row[0].startswith("w")] == [
        ("w1", True, "lead|guest"), ("w2", False, None),
    ]  # fmt: skip


def test_what_must_stay_stays(client, run):
    found, _, _ = run("terms", "term,room,number\nt1,A,1\nt2,,2\nt3,A,\n")
    assert found == {}
    found, counts, _ = run(
        "terms", "term,room,number\nt1,A,1\nt1,B,1\nt2,C,\nt3,,3\nt4,D,4\nt4,E,4\nt4,D,4\n",
        on_duplicate="apply",
    )  # fmt: skip
    assert found == {
        2: [("IMMUTABLE", "room")],
        3: [("IMMUTABLE", "number")],
        4: [("IMMUTABLE", "room")],
        6: [("IMMUTABLE", "room")],
    }
    assert (counts["created"], counts["unchanged"]) == (1, 2)
    rows = stored(client, "terms", "term", "room", "number")
    assert [row for row in rows if row[0] in ("t1", "t2", "t3", "t4")] == [
        ("t1", "A", 1), ("t2", None, 2), ("t3", "A", None), ("t4", "D", 4),
    ]  # fmt: skip
    found, _, _ = run("terms", "term,begins\nt1,2026-01-01T00:00:00Z\n")
    assert found == {}


def test_what_must_stay_in_a_part_stays_there(client, run):
    found, _, _ = run("bookings", "term,room,size\nb1,X,9\nb2,X,9\n")
    assert found == {}
    found, _, _ = run(
        "bookings", "term,room,size\nb1,Y,1\nb2,X,8\nb3,Y,2\nb3,Z,2\n", on_duplicate="apply"
    )
    assert found == {1: [("IMMUTABLE", "room")], 4: [("IMMUTABLE", "room")]}
    assert stored(client, "rooms", "room", "size") == [("X", "8"), ("Y", "2")]


def test_values_follow_in_order_where_a_record_has_them(run):
    found, _, _ = run(
        "terms",
        "term,begins,ends,closes\n"
        "o1,2026-1-1T00:00:00Z,2026-1-1T00:00:00Z,2026-02-01T00:00:00Z\n"
        "o2,2026-1-2T00:00:00Z,2026-1-1T00:00:00Z,2026-1-1T12:00:00Z\n"
        "o3,2026-1-2T00:00:00Z,,2026-1-1T12:00:00Z\n"
        "o4,,2026-1-2T00:00:00Z,\n"
        "o5,2026-13-2T00:00:00Z,2026-1-1T00:00:00Z,\n",
    )
    assert found == {
        2: [("NOT_ASCENDING", "ends"), ("NOT_ASCENDING", "closes")],
        3: [("NOT_ASCENDING", "closes")],
        5: [("DATE_INVALID", "begins")],
    }
    found, _, _ = run("terms", "term,ends\no1,2020-1-1T00:00:00Z\no2,2020-1-1T00:00:00Z\n")
    assert found == {1: [("NOT_ASCENDING", "ends")]}
    found, _, _ = run("terms", "term,begins\no1,2026-1-2T00:00:00Z\no1x,2026-1-2T00:00:00Z\n")
    assert found == {1: [("NOT_ASCENDING", "begins")]}
    found, _, _ = run("terms", "term,ends,closes\no1,,\n")
    assert found == {}
    assert run("terms", "term,begins\no1,2027-1-2T00:00:00Z\n")[0] == {}


def test_numbers_follow_in_order_whatever_is_stored_of_them(run):
    odd = 2**53 + 1  # a double cannot hold it
    stored_spans = f"a,9,10,9,10\nb,0.1,10.5,{odd},{odd}\nc,NaN,NaN,1,2\n"
    assert run("spans", f"id,low,high,first,last\n{stored_spans}")[0] == {}
    found, _, _ = run("spans", f"id,high,last\na,10.25,9\nb,0.05,{odd - 1}\nc,-1,0\nd,1,1\n")
    assert found == {
        2: [("NOT_ASCENDING", "high"), ("NOT_ASCENDING", "last")],
        3: [("NOT_ASCENDING", "last")],
    }
    found, _, _ = run("spans", "id,low,op\na,99,D\nb,99,\n")
    assert found == {2: [("NOT_ASCENDING", "low")]}


@pytest.mark.parametrize(
    "content",
    ["id,name\n,North\nown,South\n  ,West\n", "name,id\nNorth,\nSouth,own\nWest,\n"],
)
def test_a_key_is_made_where_a_record_has_none(client, run, content):
    before = len(stored(client, "places", "id"))
    found, counts, job = run("places", content)
    assert found == {}
    made = stored(client, "places", "id", "name")
    assert counts["created"] == len(made) - before
    lines = client.get(f"/v1/jobs/{job}/accepted.csv").text.splitlines()[1:]
    ids = [UUID.search(line) for line in lines]
    assert [bool(found) for found in ids] == [True, False, True]
    assert {found[0] for found in ids if found} <= {key for key, _ in made}


def test_keys_are_made_for_a_file_without_their_column(client, run):
    for content, query in (
        ("name\nA\nB\n", {}),
        ('[{"name": "C"}, {"name": "D", "id": null}]', {"format": "json"}),
        (table([["name"], ["E"]]), {"missing_columns": "keep"}),
    ):
        found, counts, job = run("places", content, **query)
        assert (found, counts["created"]) == ({}, counts["read"])
        lines = client.get(f"/v1/jobs/{job}/accepted.csv").text.splitlines()
        assert len({UUID.search(line)[0] for line in lines[1:]}) == counts["read"]


def test_a_column_may_stand_twice_and_be_left_out_of_records(client, run):
    found, _, job = run(
        "terms",
        "term,room,number,room,begins\n"
        "r1,A,1,A,2026-01-01T00:00:00Z\n"
        "r2,A,1,2026-01-01T00:00:00Z\n"
        'r3,"B ""x"" ",1,,2026-01-01T00:00:00Z\n'
        "r4,A,1,B,2026-01-01T00:00:00Z\n"
        'r5,"C\nD",1,2026-01-01T00:00:00Z\n'
        "r6,A,1\n"
        "r7,A,1,,2026-01-01T00:00:00Z,more\n"
        "r8,,1,E,2026-01-01T00:00:00Z\n"
        "r9,A,x,2026-01-01T00:00:00Z\n",
    )
    assert found == {
        4: [("REPEATED_COLUMN", None)],
        6: [("FIELD_COUNT", None)],
        7: [("FIELD_COUNT", None)],
        8: [("REPEATED_COLUMN", None)],
        9: [("TYPE_MISMATCH", "number")],
    }
    rows = stored(client, "terms", "term", "room", "number", "begins")
    assert [row[:3] for row in rows if row[0].startswith("r")] == [
        ("r1", "A", 1), ("r2", "A", 1), ("r3", 'B "x" ', 1), ("r5", "C\nD", 1),
    ]  # fmt: skip
    assert len({row[3] for row in rows if row[0].startswith("r")}) == 1
    report = client.get(f"/v1/jobs/{job}/rejections").json()["rejections"]
    assert report[0]["data"]["begins"] == "2026-01-01T00:00:00Z"
    assert [each["line"] for each in report] == [5, 8, 9, 10, 11]


def test_no_other_column_may_stand_twice(client, submit, finish):
    for header in ("term,number,number", "term,room,room,room"):
        job = finish(client, submit(client, f"{header}\na,1,1,1\n", entity="terms"))
        assert (job["state"], job["error"]["code"]) == ("failed", "HEADER_DUPLICATE")
