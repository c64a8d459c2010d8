"""Well-formed records of a chunk, picked out with their raw cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from waybill.ports.reader import FoundRecord
from waybill.validation.kinds import letters_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.ports.reader import RawChunk


def found_records(chunk: RawChunk, records: np.ndarray, width: int) -> Iterator[FoundRecord]:
    """The records of these rising numbers; ``width``: how many columns the file has."""
    rows = chunk.table.take(np.searchsorted(chunk.record_numbers, records))
    places = chunk.positions.locate(records.tolist())
    texts = zip(*(column.to_pylist() for column in rows.columns[:width]), strict=True)
    found = zip(records.tolist(), places, texts, letters_of(rows, width), strict=True)
    for record, (line, byte), cells, kinds in found:
        yield FoundRecord(record=record, line=line, byte=byte, cells=cells, kinds=kinds)
