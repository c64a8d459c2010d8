"""Accepted rows as CSV and NDJSON."""

from __future__ import annotations

import json

from waybill.reports.accepted import AcceptedRow, write_accepted_csv, write_accepted_ndjson

ROWS = [
    AcceptedRow(1, "created", ("=1+1", -5.5, True, None)),
    AcceptedRow(4, "unchanged", ("", 7, False, "x,y")),
]
COLUMNS = ("a", "b", "c", "d")


def test_csv_has_record_and_outcome_first_and_escapes_text_only() -> None:
    assert b"".join(write_accepted_csv(COLUMNS, ROWS)).decode() == (
        '_record,_outcome,a,b,c,d\n1,created,\'=1+1,-5.5,true,\n4,unchanged,"",7,false,"x,y"\n'
    )


def test_ndjson_has_raw_values() -> None:
    lines = b"".join(write_accepted_ndjson(COLUMNS, ROWS)).decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"_record": 1, "_outcome": "created", "a": "=1+1", "b": -5.5, "c": True, "d": None},
        {"_record": 4, "_outcome": "unchanged", "a": "", "b": 7, "c": False, "d": "x,y"},
    ]


def test_no_rows_give_a_header_and_no_objects() -> None:
    assert b"".join(write_accepted_csv(("a",), [])) == b"_record,_outcome,a\n"
    assert b"".join(write_accepted_ndjson(("a",), [])) == b""
