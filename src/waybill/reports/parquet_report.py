"""Rejected records as Parquet: the columns of the CSV report, nothing escaped for people.

All columns are strings but ``_record`` and ``_line``, which are int64: the cells of a rejected
record are what was not of its type. A missing cell is null, an empty text is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

from waybill.reports.layout import REPORT_COLUMNS, Layout, lay_out
from waybill.reports.parquet_rows import write_parquet_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from waybill.model.finding import Rejection

_NUMBERS: Final = frozenset({"_record", "_line"})
_GROUP_CHARACTERS: Final = 8 * 1024 * 1024
"""About how much text one row group holds; a missing cell counts as one character."""


def write_parquet(
    columns: Sequence[str], rejections: Iterable[Rejection], directory: Path
) -> Iterator[bytes]:
    """The report as pieces of a Parquet file, first written whole below ``directory``.

    ``columns``: header names of ``Rejection.cells``, in file order. Memory is that of one row
    group, about 8 million characters.

    Raises:
        StorageFull: the folder cannot be written.
    """
    layout = lay_out(columns)
    names = (*layout.columns, *REPORT_COLUMNS)
    schema = pa.schema([(name, pa.int64() if name in _NUMBERS else pa.string()) for name in names])
    return write_parquet_rows(schema, _tables(schema, layout, rejections), directory)


def _tables(
    schema: pa.Schema, layout: Layout, rejections: Iterable[Rejection]
) -> Iterator[pa.Table]:
    rows: list[list[str | int | None]] = []
    size = 0
    for rejection in rejections:
        rows.append(
            [
                *layout.cells(rejection),
                rejection.record,
                rejection.line,
                *layout.verdict(rejection),
            ]
        )
        size += sum(len(cell) if isinstance(cell, str) else 1 for cell in rows[-1])
        if size >= _GROUP_CHARACTERS:
            yield _table(schema, rows)
            rows, size = [], 0
    yield _table(schema, rows)


def _table(schema: pa.Schema, rows: list[list[str | int | None]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)
