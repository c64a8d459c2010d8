"""Rows as JSON objects, one per line or in one array: raw values, nothing escaped for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.reports.json_text import encode, gather, json_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from waybill.reports.rows import Cell


def write_ndjson_rows(rows: Iterable[Mapping[str, Cell]]) -> Iterator[bytes]:
    """The rows as pieces of UTF-8, one JSON object per line."""
    return json_lines(rows)


def write_json_rows(rows: Iterable[Mapping[str, Cell]]) -> Iterator[bytes]:
    """The rows as pieces of one JSON array, an object per line."""
    return gather(_array(rows))


def _array(rows: Iterable[Mapping[str, Cell]]) -> Iterator[bytes]:
    before = b"[\n"
    for row in rows:
        yield before + encode(row)
        before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"
