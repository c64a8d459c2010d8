"""Rows as JSON objects, one per line or in one array: raw values, nothing escaped for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.reports.json_text import encode, gather, json_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from waybill.reports.rows import Cell


def write_ndjson_rows(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The rows as pieces of UTF-8, one JSON object per line."""
    return json_lines(_objects(names, rows))


def write_json_rows(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The rows as pieces of one JSON array, an object per line."""
    return gather(_array(names, rows))


def _array(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    before = b"[\n"
    for row in _objects(names, rows):
        yield before + encode(row)
        before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"


def _objects(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[dict[str, Cell]]:
    return (dict(zip(names, row, strict=True)) for row in rows)
