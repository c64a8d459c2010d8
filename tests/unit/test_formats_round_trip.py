"""Any table, in any format, dialect and packing, comes back with its values, kinds and places."""

from __future__ import annotations

import contextlib
import gzip
import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from in_process import Job, told_whole
from tables import FORMATS, tables
from waybill.errors import FileRefused
from waybill.formats.opening import open_reader
from waybill.model.limits import Limits
from waybill.model.options import FileFormat
from waybill.ports.reader import ReadOptions
from workbooks import archive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tables import Cell
    from waybill.ports.reader import Reader

CHILD_JOBS = {"xml": Job.XML, "xlsx": Job.WORKBOOK, "parquet": Job.PARQUET}
_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?e[+-]?[0-9]+|0\.0{3,}[0-9]+)")


def _zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": _zstd,
}


def read(reader: Reader) -> tuple[tuple[str, ...], list[tuple[Cell, ...]], list[object]]:
    """Names, cells and places; the records have to be numbered from 1 without a gap."""
    names, rows, places, records = reader.header.names, [], [], []
    for chunk in reader.map_chunks(lambda chunk: chunk):
        assert not chunk.malformed
        records += chunk.record_numbers.tolist()
        places += chunk.positions.locate(chunk.record_numbers.tolist())
        rows += [_cells(row, len(names)) for row in chunk.table.to_pylist()]
    assert records == list(range(1, len(rows) + 1))
    return names, rows, places


def _cells(row: dict[str, object], width: int) -> tuple[Cell, ...]:
    return tuple(_normal((row[f"c{at}"], row.get(f"k{at}"))) for at in range(width))


def _normal(cell: Cell) -> Cell:
    """Numbers with an exponent, or that could have one, are written in several ways."""
    text, kind = cell
    return (repr(float(text)), kind) if text and _NUMBER.fullmatch(text) else cell


def normal(rows: list[tuple[Cell, ...]]) -> list[tuple[Cell, ...]]:
    return [tuple(map(_normal, row)) for row in rows]


@pytest.mark.parametrize("name", ["csv", "ndjson", "json"])
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_table_of_text_comes_back(tmp_path: Path, name: str, data: st.DataObject) -> None:
    written = data.draw(st.composite(lambda draw: FORMATS[name](draw(tables()), draw))())
    packing = PACKINGS[data.draw(st.sampled_from(sorted(PACKINGS)))]
    path = tmp_path / "input"
    path.write_bytes(packing(written.content))
    options = ReadOptions(delimiter="," if name == "csv" else "", encoding="utf-8", threads=1)
    size = data.draw(st.sampled_from([1, 30, 1 << 20]))
    reader = open_reader(str(path), options, Limits(), chunk_bytes=size)
    assert read(reader) == (written.names, normal(written.rows), written.places)


@pytest.mark.parametrize("name", sorted(CHILD_JOBS))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_table_read_by_a_child_comes_back(tmp_path: Path, name: str, data: st.DataObject) -> None:
    written = data.draw(st.composite(lambda draw: FORMATS[name](draw(tables()), draw))())
    path = tmp_path / "input"
    path.write_bytes(data.draw(st.sampled_from([bytes, gzip.compress]))(written.content))
    answer = told_whole(
        CHILD_JOBS[name], path, batch_rows=data.draw(st.sampled_from([1, 3, 1_000]))
    )
    assert answer.refusal is None
    assert not answer.faults
    assert answer.names == written.names
    assert normal([tuple(answer.rows[at]) for at in sorted(answer.rows)]) == normal(written.rows)
    assert [answer.lines[at] for at in sorted(answer.lines)] == [line for line, _ in written.places]


@pytest.mark.parametrize("name", sorted(FORMATS))
@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_same_through_the_door_of_the_server(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    written = data.draw(st.composite(lambda draw: FORMATS[name](draw(tables()), draw))())
    path = tmp_path / "input"
    packings = [bytes, gzip.compress, lambda content: archive({f"stores.{name}": content})]
    path.write_bytes(data.draw(st.sampled_from(packings))(written.content))
    reader = open_reader(str(path), ReadOptions(delimiter="," if name == "csv" else ""), Limits())
    assert read(reader) == (written.names, normal(written.rows), written.places)
    reader.close()


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-be", "utf-32", "iso-8859-15"])
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_declared_encoding_changes_nothing(
    tmp_path: Path, encoding: str, data: st.DataObject
) -> None:
    written = data.draw(st.composite(lambda draw: FORMATS["csv"](draw(tables()), draw))())
    text = written.content.decode().encode(encoding, "ignore").decode(encoding)
    found = []
    for content, declared in ((text.encode(), "utf-8"), (text.encode(encoding), encoding)):
        (tmp_path / "input").write_bytes(content)
        options = ReadOptions(delimiter=",", encoding=declared, threads=1)
        found.append(read(open_reader(str(tmp_path / "input"), options, Limits(), chunk_bytes=9)))
    assert found[0] == found[1]


@pytest.mark.parametrize("packing", sorted(PACKINGS))
@pytest.mark.parametrize("name", ["csv", "ndjson", "json", "xml"])
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_cut_file_gives_its_first_records_rightly(
    tmp_path: Path, name: str, packing: str, data: st.DataObject
) -> None:
    written = data.draw(st.composite(lambda draw: FORMATS[name](draw(tables()), draw))())
    packed = PACKINGS[packing](written.content)
    path = tmp_path / "input"
    path.write_bytes(packed[: data.draw(st.integers(0, len(packed) - 1))])
    rows = _first_rows(path, name)
    if packing == "plain" and name in {
        "csv",
        "ndjson",
    }:  # the last line may be a shorter one, and well-formed
        rows = rows[:-1]
    assert rows == normal(written.rows)[: len(rows)]


def _first_rows(path: Path, name: str) -> list[tuple[Cell, ...]]:
    """The rows before the damage; cut XML has to be refused."""
    rows: list[tuple[Cell, ...]] = []
    if name == "xml" and path.read_bytes()[:1] not in {b"\x1f", b"\x28"}:
        answer = told_whole(Job.XML, path, batch_rows=1)
        assert answer.refusal is not None
        return normal([tuple(answer.rows[at]) for at in sorted(answer.rows)])
    with contextlib.suppress(FileRefused):
        options = ReadOptions(encoding="utf-8", threads=1, format=FileFormat(name))
        reader = open_reader(str(path), options, Limits(), chunk_bytes=9)
        for chunk in reader.map_chunks(lambda chunk: chunk):
            rows += [_cells(row, len(reader.header.names)) for row in chunk.table.to_pylist()]
    return rows
