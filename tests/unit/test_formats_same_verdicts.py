"""One written grammar: the same value has the same verdict in every format (S20, S24)."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import pyarrow as pa
import pytest
from pyarrow import parquet

from reading import open_content
from waybill.model.limits import Limits
from waybill.validation.checker import Checker
from waybill.validation.compiled import CheckOptions
from waybill.validation.descriptor import parse_descriptor
from waybill.validation.rejects import iterate_rejections
from waybill.validation.sandbox import open_sandbox
from workbooks import table, workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from waybill.validation.sandbox import Sandbox

    Verdicts = Mapping[str, object]
    Judge = Callable[..., Verdicts]

S20 = (
    "१२३", "١٢٣", "1_000", " inf ", "inf", "NaN", "0x10", "0b11", "+5", "-0", "1.5", "1e5", ".5",
    "5.", "\u00a07", "007", "12", "-12", "", " ", "12 ", "1,5", "9" * 30, "1e400", "TRUE", "x",
)  # fmt: skip
S24 = (
    "0000-00-00", "10000-01-01", "2024-02-30", "2024-02-29", "1900-02-29", "23:59:60", "epoch",
    "infinity", "44-03-15 (BC)", "2024-01-01T00:00:00", "2024-01-01T02:30:00Z", "45292",
    "01.02.2024",
)  # fmt: skip
JSON_NUMBERS = ("-0", "1.5", "1e5", "12", "-12", "9" * 30, "1e400", "0.10", "1E+2")


def write_csv(texts: Sequence[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([["at", "x"], *enumerate(texts)])
    return out.getvalue().encode()


def write_xml(texts: Sequence[str]) -> bytes:
    rows = (f"<r><at>{at}</at><x>{escape(text)}</x></r>" for at, text in enumerate(texts))
    return f"<rs>{''.join(rows)}</rs>".encode()


def write_xlsx(texts: Sequence[str]) -> bytes:
    return table([["at", "x"], *[[str(at), text] for at, text in enumerate(texts)]])


TEXTS = {"csv": write_csv, "xml": write_xml, "xlsx": write_xlsx}


@pytest.fixture
def judge(tmp_path: Path) -> Iterator[Judge]:
    sandbox = open_sandbox(memory_bytes=100 << 20, threads=1, temp_directory=tmp_path / "spill")
    yield lambda content, texts, **field: _judge(sandbox, tmp_path, content, texts, field)
    sandbox.close()


def _judge(
    sandbox: Sandbox, folder: Path, content: bytes, texts: Sequence[str], field: dict[str, object]
) -> Verdicts:
    """By text: the codes of its findings, or how the value that was taken looks in Python."""
    reader = open_content(folder, content)
    fields = [{"name": "at", "type": "any"}, {"name": "x", **field}]
    checker = Checker(
        parse_descriptor({"fields": fields}, name="sample"),
        reader.header,
        CheckOptions(),
        limits=Limits(),
        sandbox=sandbox,
        pepper="pepper",
    )
    found: dict[str, object] = {}
    for checked in reader.map_chunks(checker.check):
        for rejection in iterate_rejections([checked.rejects]):
            found[texts[rejection.record - 1]] = [each.code for each in rejection.findings]
        taken = zip(checked.good["_record"].to_pylist(), checked.good["x"].to_pylist(), strict=True)
        found.update({texts[record - 1]: repr(value) for record, value in taken})
    checker.close()
    reader.close()
    assert set(found) == set(texts)
    return found


@pytest.mark.parametrize("kind", ["integer", "number", "boolean", "string", "year"])
def test_s20_text_has_one_verdict_in_csv_xml_and_workbooks(judge: Judge, kind: str) -> None:
    found = {name: judge(write(S20), S20, type=kind) for name, write in TEXTS.items()}
    assert found["xml"] == found["csv"]
    assert found["xlsx"] == found["csv"]


def test_s20_only_what_the_grammar_of_whole_numbers_says_is_taken(judge: Judge) -> None:
    taken = {
        text: value
        for text, value in judge(write_csv(S20), S20, type="integer").items()
        if not isinstance(value, list)
    }
    assert taken == {"-0": "0", "007": "7", "12": "12", "-12": "-12", "": "None"}


@pytest.mark.parametrize("kind", ["integer", "number"])
def test_s20_a_number_of_json_has_the_verdict_of_its_text(judge: Judge, kind: str) -> None:
    lines = "".join(f'{{"at":{at},"x":{text}}}\n' for at, text in enumerate(JSON_NUMBERS))
    found = judge(lines.encode(), JSON_NUMBERS, type=kind)
    assert found == judge(write_csv(JSON_NUMBERS), JSON_NUMBERS, type=kind)


def test_text_is_no_number_where_the_format_has_types(judge: Judge) -> None:
    lines = b'{"at":1,"x":"12"}\n{"at":2,"x":12}\n'
    columns = pa.table({"at": [1, 2], "x": ["12", "13"]})
    sink = io.BytesIO()
    parquet.write_table(columns, sink)
    assert judge(lines, ("text", "12"), type="integer") == {"text": ["KIND_MISMATCH"], "12": "12"}
    assert judge(sink.getvalue(), ("12", "13"), type="integer") == {
        "12": ["KIND_MISMATCH"],
        "13": ["KIND_MISMATCH"],
    }


@pytest.mark.parametrize("kind", ["date", "datetime", "time", "yearmonth", "duration"])
def test_s24_text_of_a_date_has_one_verdict_everywhere(judge: Judge, kind: str) -> None:
    found = {name: judge(write(S24), S24, type=kind) for name, write in TEXTS.items()}
    lines = "".join(json.dumps({"at": at, "x": text}) + "\n" for at, text in enumerate(S24))
    sink = io.BytesIO()
    parquet.write_table(pa.table({"at": range(len(S24)), "x": S24}), sink)
    found["ndjson"] = judge(lines.encode(), S24, type=kind)
    found["parquet"] = judge(sink.getvalue(), S24, type=kind)
    assert all(verdicts == found["csv"] for verdicts in found.values())


@pytest.mark.parametrize(
    ("is_1904", "serial", "day"),
    [
        (False, 59, "1900-02-28"),
        (False, 61, "1900-03-01"),
        (False, 45292, "2024-01-01"),
        (True, 60, "1904-03-01"),
        (True, 43830, "2024-01-01"),
    ],
)
def test_s24_a_day_of_a_workbook_is_that_day_written_out(
    judge: Judge, is_1904: bool, serial: int, day: str
) -> None:
    def fill(book: Workbook, sheet: Worksheet) -> None:
        sheet.write_row(0, 0, ["at", "x"])
        sheet.write_string(1, 0, "0")
        sheet.write_number(1, 1, serial, book.add_format({"num_format": "yyyy-mm-dd"}))

    found = judge(workbook(fill, date_1904=is_1904), (day,), type="date")
    assert found == judge(write_csv((day,)), (day,), type="date")
    assert found[day] == repr(day)


def test_s24_the_day_that_only_excel_has_is_the_day_before(judge: Judge) -> None:
    def fill(book: Workbook, sheet: Worksheet) -> None:
        sheet.write_row(0, 0, ["at", "x"])
        sheet.write_string(1, 0, "0")
        sheet.write_number(1, 1, 60, book.add_format({"num_format": "yyyy-mm-dd"}))

    assert judge(workbook(fill), ("60",), type="date") == {"60": repr("1900-02-28")}
