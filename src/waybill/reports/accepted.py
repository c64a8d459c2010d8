"""Accepted records in input order, each with what became of it, as CSV and NDJSON.

Both have ``_record`` and ``_outcome`` first, then the declared fields of the file. CSV is for
people and carries the formula escape on text, never on numbers; NDJSON has the raw values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from waybill.reports.csv_text import gather, line, text_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Cell = str | int | float | bool | None

_BUFFER_BYTES: Final = 256 * 1024
_encode = msgspec.json.Encoder().encode


class AcceptedRow(NamedTuple):
    """One accepted record: its number, its outcome as a word, its values in column order.

    A named tuple, for there are millions of them.
    """

    record: int
    outcome: str
    cells: Sequence[Cell]


def write_accepted_csv(columns: Sequence[str], rows: Iterable[AcceptedRow]) -> Iterator[bytes]:
    """The rows as pieces of UTF-8 CSV, a header line first."""
    return gather(_csv_lines(columns, rows))


def write_accepted_ndjson(columns: Sequence[str], rows: Iterable[AcceptedRow]) -> Iterator[bytes]:
    """The rows as pieces of UTF-8, one JSON object per line."""
    names = ("_record", "_outcome", *columns)
    buffer = bytearray()
    for row in rows:
        buffer += _encode(dict(zip(names, (row.record, row.outcome, *row.cells), strict=True)))
        buffer += b"\n"
        if len(buffer) >= _BUFFER_BYTES:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)


def _csv_lines(columns: Sequence[str], rows: Iterable[AcceptedRow]) -> Iterator[str]:
    yield line([text_cell(name) for name in ("_record", "_outcome", *columns)])
    for record, outcome, cells in rows:
        yield line([str(record), outcome, *map(_value_cell, cells)])


def _value_cell(value: Cell) -> str:
    if value is None or isinstance(value, str):
        return text_cell(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
