"""Reads a file as the server does, for tests of formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from waybill.errors import FileRefused
from waybill.formats.opening import open_reader
from waybill.model.limits import Limits
from waybill.ports.reader import MalformedRecord, RawChunk, Reader, ReadOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Row = tuple[str | None, ...]


def open_content(
    folder: Path, content: bytes, *, limits: Limits | None = None, **options: object
) -> Reader:
    """A reader of these bytes; ``options`` are of ``ReadOptions``."""
    path = folder / "input"
    path.write_bytes(content)
    return open_reader(str(path), ReadOptions(**options), limits or Limits())


def chunks_of(reader: Reader) -> list[RawChunk]:
    return list(reader.map_chunks(lambda chunk: chunk))


def rows_of(reader: Reader) -> list[Row]:
    """The texts of all well-formed records."""
    width = len(reader.header.names)
    return [
        row
        for chunk in chunks_of(reader)
        for row in zip(*(c.to_pylist() for c in chunk.table.columns[:width]), strict=True)
    ]


def kinds_of(reader: Reader) -> list[tuple[int | None, ...]]:
    """The kinds of all cells of well-formed records."""
    width = len(reader.header.names)
    return [
        row
        for chunk in chunks_of(reader)
        for row in zip(*(c.to_pylist() for c in chunk.table.columns[width:]), strict=True)
    ]


def malformed_of(reader: Reader) -> list[MalformedRecord]:
    return [record for chunk in chunks_of(reader) for record in chunk.malformed]


def lines_of(reader: Reader) -> list[int]:
    """The line of every well-formed record."""
    return [
        line
        for chunk in chunks_of(reader)
        for line, _ in chunk.positions.locate(chunk.record_numbers.tolist())
    ]


def refusal(call: Callable[[], object]) -> FileRefused:
    """What the call is refused with."""
    with pytest.raises(FileRefused) as caught:
        call()
    return caught.value


def read_until_refused(reader: Reader) -> tuple[list[RawChunk], FileRefused | None]:
    """The chunks that come before the refusal that ends the reading, if any does."""
    chunks: list[RawChunk] = []
    try:
        chunks.extend(reader.map_chunks(lambda chunk: chunk))
    except FileRefused as error:
        return chunks, error
    return chunks, None
