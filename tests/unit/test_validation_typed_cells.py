"""The types of accepted cells: what a column holds, and what it must not pretend to hold."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from waybill.model.options import Operation, UnknownColumns
from waybill.ports.reader import Header
from waybill.testing.raw_chunks import raw_chunk
from waybill.validation.columns import match_columns
from waybill.validation.descriptor import parse_descriptor
from waybill.validation.sandbox import Sandbox, open_sandbox
from waybill.validation.typed_cells import CellTyper, TypedCells, arrow_type

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDE = {"name": "a", "type": "integer", "constraints": {"maximum": str(10**30)}}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = open_sandbox(
        memory_bytes=200 << 20, threads=1, temp_directory=tmp_path_factory.mktemp("spill")
    )
    yield made
    made.close()


def typed(
    sandbox: Sandbox, field: dict[str, Any], *cells: str | None, as_written: bool = False
) -> TypedCells:
    entity = parse_descriptor({"fields": [{"name": "a", **field}]}, name="sample")
    columns = match_columns(entity, ("a",), operation=Operation.INSERT, unknown=UnknownColumns.WARN)
    typer = CellTyper(columns.bound, Header(names=("a",)), sandbox, as_written=as_written)
    found = typer.values(raw_chunk([[cell] for cell in cells]).table)
    typer.close()
    assert found.columns[0].type == arrow_type(entity.fields[0])
    return found


@pytest.mark.parametrize(
    ("field", "kind", "cell", "value"),
    [
        ({"type": "integer"}, pa.int64(), "-007", -7),
        (WIDE, pa.decimal128(38, 0), "9" * 30, Decimal("9" * 30)),
        ({"type": "year"}, pa.int64(), "2024", 2024),
        ({"type": "number"}, pa.float64(), "1e3", 1000.0),
        ({"type": "number", "decimalChar": ",", "groupChar": "."}, pa.float64(), "1.234,5", 1234.5),
        ({"type": "boolean", "trueValues": ["yes"]}, pa.bool_(), "yes", True),
        ({"type": "date"}, pa.date32(), "0001-01-01", date(1, 1, 1)),
        ({"type": "date", "format": "%d.%m.%Y"}, pa.date32(), "31.1.2024", date(2024, 1, 31)),
        ({"type": "time"}, pa.string(), "15:00:00", "15:00:00"),
        ({"type": "yearmonth"}, pa.string(), "2024-01", "2024-01"),
        ({"type": "object"}, pa.string(), '{"a": 1}', '{"a": 1}'),
        ({"type": "array"}, pa.string(), "[1]", "[1]"),
        ({"type": "string"}, pa.string(), "=1", "=1"),
        ({"type": "string", "waybill": {"trim": "both"}}, pa.string(), " x ", "x"),
        ({"type": "integer", "waybill": {"default": "5"}}, pa.int64(), None, 5),
        ({"type": "integer", "missingValues": ["-"]}, pa.int64(), "-", None),
    ],
)
def test_each_type_has_its_column(
    sandbox: Sandbox, field: dict[str, Any], kind: pa.DataType, cell: str | None, value: object
) -> None:
    column: Any = typed(sandbox, field, cell).columns[0]
    assert (column.type, column.to_pylist()) == (kind, [value])


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("2024-01-31T15:00:00", datetime(2024, 1, 31, 15, 0)),  # noqa: DTZ001 - as written
        ("2024-01-31T15:00:00Z", datetime(2024, 1, 31, 15, 0)),  # noqa: DTZ001 - in UTC
        ("2024-01-31T15:00:00+02:00", datetime(2024, 1, 31, 13, 0)),  # noqa: DTZ001 - in UTC
        ("9999-12-31T23:59:59.123456000", datetime(9999, 12, 31, 23, 59, 59, 123456)),  # noqa: DTZ001 - see above
    ],
)
def test_a_datetime_is_a_timestamp_in_utc_where_it_has_an_offset(
    sandbox: Sandbox, cell: str, value: datetime
) -> None:
    found = typed(sandbox, {"type": "datetime"}, cell)
    column: Any = found.columns[0]
    assert column.to_pylist() == [value]
    assert not found.too_fine


def test_times_finer_than_a_microsecond_are_told_not_cut(sandbox: Sandbox) -> None:
    cells = ("2024-01-31T15:00:00", "2024-01-31T15:00:00.1234567", None)
    found = typed(sandbox, {"type": "datetime"}, *cells)
    column: Any = found.columns[0]
    assert column.to_pylist()[1:] == [None, None]
    assert found.too_fine[0].tolist() == [1]


@pytest.mark.parametrize(
    ("field", "kept", "lost"),
    [
        ({"type": "number"}, "0.1", "0.12345678901234567890"),
        ({"type": "number"}, "12345678", "12345678901234567890"),
        ({"type": "number"}, "-0", "-INF"),
        ({"type": "datetime"}, "2024-01-31T15:00:00", "2024-01-31T15:00:00Z"),
        ({"type": "datetime"}, "2024-01-31T15:00:00.000", "2024-01-31T15:00:00.5"),
    ],
)
def test_as_written_leaves_out_what_the_type_holds_less_exactly(
    sandbox: Sandbox, field: dict[str, Any], kept: str, lost: str
) -> None:
    column: Any = typed(sandbox, field, kept, lost, as_written=True).columns[0]
    first, second = column.to_pylist()
    assert first is not None
    assert second is None
    column = typed(sandbox, field, kept, lost).columns[0]
    assert None not in column.to_pylist()


def test_what_is_no_value_of_its_field_is_null_or_stays_text(sandbox: Sandbox) -> None:
    number: Any = typed(sandbox, {"type": "integer"}, "abc").columns[0]
    time: Any = typed(sandbox, {"type": "time", "format": "any"}, "soon").columns[0]
    assert number.to_pylist() == [None]
    assert time.to_pylist() == ["soon"]
