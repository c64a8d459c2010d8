"""The JSON report: the native shape, streamed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from waybill.model.finding import Finding, Level, Rejection
from waybill.reports.json_report import write_json, write_ndjson
from waybill.reports.json_text import as_written, encode


def rejected(*cells: str | None, record: int = 1, **more: str) -> Rejection:
    found = Finding(
        code="REQUIRED", level=Level.ERROR, message="a is required", field="a", column=1, **more
    )
    return Rejection(record=record, line=record + 1, byte=7, cells=cells, findings=(found,))


def document(columns: tuple[str, ...], *rejections: Rejection, **trailer: object) -> dict:
    return json.loads(b"".join(write_json(columns, rejections, trailer)))


def test_a_rejection_has_the_native_shape() -> None:
    assert document(("a", "b"), rejected(None, "=1")) == {
        "rejections": [
            {
                "record": 1,
                "line": 2,
                "byte": 7,
                "data": {"a": None, "b": "=1"},
                "findings": [
                    {
                        "code": "REQUIRED",
                        "level": "error",
                        "field": "a",
                        "column": 1,
                        "column_name": "a",
                        "value": None,
                        "expected": None,
                        "message": "a is required",
                        "hint": None,
                    }
                ],
            }
        ],
        "total": 1,
        "next": None,
    }


def test_an_empty_report_is_a_document_too() -> None:
    assert document(("a",)) == {"rejections": [], "total": 0, "next": None}


def test_places_of_other_formats_are_there_only_where_known() -> None:
    found = document(("a",), rejected("x", cell="B7"))["rejections"][0]["findings"][0]
    assert found["cell"] == "B7"
    assert "pointer" not in found


def test_a_short_record_has_every_column_and_a_long_one_its_extra_cells() -> None:
    short, long = document(("a", "b"), rejected("1"), rejected("1", "2", "3"))["rejections"]
    assert short["data"] == {"a": "1", "b": None}
    assert long["data"] == {"a": "1", "b": "2"}
    assert long["extra"] == ["3"]


def test_further_members_follow_the_rejections() -> None:
    assert document(("a",), rejected("x"), records=9)["records"] == 9


def test_a_long_report_comes_in_pieces_and_is_one_document() -> None:
    many = [rejected("x" * 100, record=number) for number in range(1, 5_001)]
    pieces = list(write_json(("a",), many))
    assert len(pieces) > 3
    assert json.loads(b"".join(pieces))["total"] == 5_000


def test_ndjson_has_the_same_objects_one_per_line() -> None:
    rejections = [rejected(None, "=1"), rejected("x", "y\nz", "surplus", record=2)]
    lines = b"".join(write_ndjson(("a", "b"), rejections)).decode().splitlines()
    found = [json.loads(line) for line in lines]
    assert found == document(("a", "b"), *rejections)["rejections"]


def test_no_rejections_are_no_lines() -> None:
    assert b"".join(write_ndjson(("a",), [])) == b""


def test_kinds_stand_beside_the_cells_that_are_no_strings() -> None:
    typed = replace(rejected("136", "x", None, None), kinds="ns.-")
    [found] = document(("a", "b", "c", "d"), typed)["rejections"]
    assert found["kinds"] == {"a": "number", "d": "absent"}


@pytest.mark.parametrize(
    ("cell", "kind", "text"),
    [
        ("136", "number", "136"),
        ("1.50e400", "string", '"1.50e400"'),
        ("1.50", "number", "1.50"),
        ("[1, 2]", "array", "[1, 2]"),
        ("136", None, '"136"'),
        ("nan", "number", '"nan"'),
        ("********", "number", '"********"'),
        (None, "absent", "null"),
    ],
)
def test_a_cell_can_be_written_as_the_file_has_it(
    cell: str | None, kind: str | None, text: str
) -> None:
    assert encode(as_written(cell, kind)).decode() == text
