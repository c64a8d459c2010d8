"""Well-formed records of a chunk, picked out with their raw cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from waybill.ports.reader import FoundRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.ports.reader import RawChunk


def found_records(chunk: RawChunk, records: np.ndarray, width: int) -> Iterator[FoundRecord]:
    """The records of these rising numbers; ``width``: how many columns the file has."""
    cells = chunk.table.select(range(width))
    rows = cells.take(np.searchsorted(chunk.record_numbers, records))
    places = chunk.positions.locate(records.tolist())
    texts = zip(*(column.to_pylist() for column in rows.columns), strict=True)
    for record, (line, byte), values in zip(records.tolist(), places, texts, strict=True):
        yield FoundRecord(record=record, line=line, byte=byte, cells=values)
