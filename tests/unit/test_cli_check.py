"""How an offline check is shown and saved."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from waybill.cli.check import CheckFormat, check_exit_code, save_report, show_report
from waybill.errors import FileRefused
from waybill.model.administration import CheckReport
from waybill.model.finding import FileWarning, Finding, Level, Rejection

if TYPE_CHECKING:
    from pathlib import Path


def report(rejected: int = 2, **changes: object) -> CheckReport:
    found = Finding(code="REQUIRED", level=Level.ERROR, message="a is required", field="a")
    many = (
        Rejection(record=n, line=n + 1, byte=0, cells=(None, "[bold]x"), findings=(found,))
        for n in range(1, rejected + 1)
    )
    base = {"records": 1_000, "rejected": rejected, "columns": ("a", "b"), "rejections": many}
    return CheckReport(**{**base, "warnings": (), "seconds": 0.5, **changes})


def shown(checked: CheckReport, count: int = 20) -> str:
    stream = io.StringIO()
    show_report(Console(file=stream, width=100), checked, count)
    return stream.getvalue()


def test_the_first_rejections_and_the_sums_are_shown() -> None:
    text = shown(report(30), 3)
    assert text.count("a is required") == 3
    assert "1,000 records, 30 rejected, 0.50 s (2,000 records/s)" in text


def test_cells_and_pointers_have_a_column_of_their_own_where_there_are_any() -> None:
    found = Finding(code="REQUIRED", level=Level.ERROR, message="a is required", cell="Stores!B7")
    one = Rejection(record=6, line=7, byte=None, cells=(None,), findings=(found,))
    text = shown(report(1, rejections=iter([one])))
    assert "place" in text
    assert "Stores!B7" in text
    assert "place" not in shown(report(1))


def test_a_clean_file_shows_only_its_sums() -> None:
    assert shown(report(0)) == "1,000 records, 0 rejected, 0.50 s (2,000 records/s)\n"


def test_warnings_and_the_refusal_are_shown_without_control_characters() -> None:
    odd = FileWarning(code="COLUMN_UNKNOWN", message="the column '\x1b[2J' is unknown")
    refused = FileRefused("a quote is open", code="QUOTE_UNCLOSED", line=2)
    text = shown(report(0, warnings=(odd,), refused=refused))
    assert "warning COLUMN_UNKNOWN: the column '\\x1b[2J' is unknown" in text
    assert "refused QUOTE_UNCLOSED at line 2: a quote is open" in text


def test_the_exit_code_tells_rejections_and_a_refusal_apart() -> None:
    refused = FileRefused("x", code="CORRUPT_GZIP")
    codes = [check_exit_code(r) for r in (report(0), report(1), report(1, refused=refused))]
    assert codes == [0, 3, 1]


def test_json_holds_the_rejections_and_the_sums(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    save_report(report(3), CheckFormat.JSON, target, None)
    document = json.loads(target.read_bytes())
    assert [one["record"] for one in document["rejections"]] == [1, 2, 3]
    assert (document["records"], document["rejected"], document["error"]) == (1_000, 3, None)


def test_json_of_a_refused_file_says_why(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    refused = FileRefused("a quote is open", code="QUOTE_UNCLOSED", line=2, byte=9)
    save_report(report(0, refused=refused), CheckFormat.JSON, target, None)
    assert json.loads(target.read_bytes())["error"]["line"] == 2


def test_csv_is_the_rejection_file_with_at_most_as_many_as_asked(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    save_report(report(3), CheckFormat.CSV, target, 2)
    assert target.read_text().splitlines()[0] == "a,b,_record,_line,_code,_field,_value,_message"
    assert len(target.read_text().splitlines()) == 3


def test_csv_of_a_refused_file_ends_as_a_failure(tmp_path: Path) -> None:
    refused = FileRefused("a quote is open", code="QUOTE_UNCLOSED", line=2)
    with pytest.raises(FileRefused):
        save_report(report(1, refused=refused), CheckFormat.CSV, tmp_path / "out.csv", None)
