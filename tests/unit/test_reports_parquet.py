"""Parquet: rejections as text, rows in their types, a row group at a time."""

from __future__ import annotations

import tracemalloc
from io import BytesIO
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from waybill.errors import StorageFull
from waybill.model.finding import Finding, Level, Rejection
from waybill.reports.parquet_report import write_parquet
from waybill.reports.parquet_rows import write_parquet_rows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def rejected(*cells: str | None, record: int = 1, code: str = "ENUM") -> Rejection:
    found = Finding(code=code, level=Level.ERROR, message="'x' is not allowed", field="a")
    return Rejection(record=record, line=record + 1, byte=0, cells=cells, findings=(found,))


def report(folder: Path, columns: tuple[str, ...], rejections: Iterable[Rejection]) -> bytes:
    return b"".join(write_parquet(columns, rejections, folder))


def test_a_rejection_has_its_cells_as_text_and_its_numbers_as_numbers(tmp_path: Path) -> None:
    content = report(tmp_path, ("a", "b"), [rejected("=1", None, record=7), rejected("", "y")])
    table = pq.read_table(BytesIO(content))
    numbers = {"_record", "_line"}
    assert {field.name for field in table.schema if field.type == pa.int64()} == numbers
    assert {field.type for field in table.schema if field.name not in numbers} == {pa.string()}
    assert table.to_pylist()[0] == {
        "a": "=1",
        "b": None,
        "_record": 7,
        "_line": 8,
        "_code": "ENUM",
        "_field": "a",
        "_value": None,
        "_message": "'x' is not allowed",
    }
    assert table.column("a").to_pylist() == ["=1", ""]


def test_a_report_that_came_back_keeps_its_shape_and_ragged_records_theirs(tmp_path: Path) -> None:
    columns = ("a", "_record", "_message")
    ragged = [rejected("x"), rejected("x", "1", "m", "surplus", code="FIELD_COUNT")]
    table = pq.read_table(BytesIO(report(tmp_path, columns, ragged)))
    assert table.column_names == ["a", "_record", "_line", "_code", "_field", "_value", "_message"]
    assert table.column("_value").to_pylist() == [None, "surplus"]


def test_no_rejections_are_a_file_with_columns_and_no_rows(tmp_path: Path) -> None:
    table = pq.read_table(BytesIO(report(tmp_path, ("a",), [])))
    assert (table.num_rows, table.column_names[0]) == (0, "a")


def test_many_rejections_are_written_in_groups_in_constant_memory(tmp_path: Path) -> None:
    def many(count: int) -> Iterable[Rejection]:
        return (rejected("x" * 1000, record=number) for number in range(1, count + 1))

    def peak(count: int) -> int:
        tracemalloc.start()
        pieces = write_parquet(("a",), many(count), tmp_path)
        assert sum(map(len, pieces)) > 0
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(40_000) < 1.5 * peak(10_000)
    file = pq.ParquetFile(BytesIO(report(tmp_path, ("a",), many(30_000))))
    assert file.metadata.num_rows == 30_000
    assert file.metadata.num_row_groups == 4


def test_rows_keep_their_types(tmp_path: Path) -> None:
    table = pa.table({"n": pa.array([1, None]), "day": pa.array([0, 1], pa.date32())})
    empty = table.slice(0, 0)
    pieces = write_parquet_rows(table.schema, [table, empty, table], tmp_path)
    content = b"".join(pieces)
    assert pq.read_table(BytesIO(content)).equals(pa.concat_tables([table, table]))
    assert pq.ParquetFile(BytesIO(content)).metadata.num_row_groups == 2


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    stream = write_parquet(("a",), [rejected("x")], tmp_path)
    next(iter(stream))
    stream.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_a_storage_fault(tmp_path: Path) -> None:
    with pytest.raises(StorageFull):
        report(tmp_path / "missing", ("a",), [rejected("x")])
