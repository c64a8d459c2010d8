"""Rows as CSV, NDJSON and one JSON array."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal

from waybill.reports.csv_rows import write_csv_rows
from waybill.reports.json_rows import write_json_rows, write_ndjson_rows

NAMES = ("_record", "a", "b", "c", "d")
ROWS = [(1, "=1+1", -5.5, True, None), (4, "", 7, False, "x,y")]
OBJECTS = [
    {"_record": 1, "a": "=1+1", "b": -5.5, "c": True, "d": None},
    {"_record": 4, "a": "", "b": 7, "c": False, "d": "x,y"},
]


def test_csv_escapes_text_only_and_keeps_missing_and_empty_apart() -> None:
    assert b"".join(write_csv_rows(NAMES, ROWS)).decode() == (
        '_record,a,b,c,d\n1,\'=1+1,-5.5,true,\n4,"",7,false,"x,y"\n'
    )


def test_csv_has_dates_as_in_iso_8601_and_decimals_digit_by_digit() -> None:
    row = (date(2024, 1, 31), datetime(2024, 1, 31, 15, 0), Decimal("-1E+20"))  # noqa: DTZ001 - as written
    assert b"".join(write_csv_rows(("a", "b", "c"), [row])).decode().splitlines()[1] == (
        "2024-01-31,2024-01-31T15:00:00,-100000000000000000000"
    )


def test_ndjson_has_raw_values() -> None:
    lines = b"".join(write_ndjson_rows(OBJECTS)).decode().splitlines()
    assert [json.loads(line) for line in lines] == OBJECTS


def test_json_is_one_array_of_the_same_objects() -> None:
    assert json.loads(b"".join(write_json_rows(OBJECTS))) == OBJECTS


def test_no_rows_give_a_header_no_objects_and_an_empty_array() -> None:
    assert b"".join(write_csv_rows(("a",), [])) == b"a\n"
    assert b"".join(write_ndjson_rows([])) == b""
    assert b"".join(write_json_rows([])) == b"[]\n"


def test_many_rows_are_handed_on_in_pieces() -> None:
    rows = [{"a": "x" * 1000}] * 1000
    pieces = list(write_json_rows(iter(rows)))
    assert 3 <= len(pieces) <= 5
    assert len(json.loads(b"".join(pieces))) == 1000
