"""Chunks of raw cells made by hand, for tests of what reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from waybill.ports.reader import RawChunk, ReadPosition
from waybill.validation.text_traits import traits_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.ports.reader import MalformedRecord

BYTES_PER_RECORD = 100
"""Pretended size of every record, for positions."""


@dataclass(frozen=True, slots=True)
class OneLineRecords:
    """Positions of records of one line each under a header of one line."""

    def locate(self, records: Sequence[int]) -> Sequence[tuple[int, int]]:
        """Line ``record + 1``, byte ``record * BYTES_PER_RECORD``."""
        return [(record + 1, record * BYTES_PER_RECORD) for record in records]


def raw_chunk(
    rows: Sequence[Sequence[str | None]],
    *,
    width: int | None = None,
    first_record: int = 1,
    malformed: Sequence[MalformedRecord] = (),
) -> RawChunk:
    """A chunk of these rows; records that are malformed take up numbers between them."""
    broken = {each.record for each in malformed}
    total = len(rows) + len(broken)
    numbers = [n for n in range(first_record, first_record + total) if n not in broken]
    columns = width if width is not None else len(rows[0])
    cells = {
        f"c{index}": pa.array([row[index] for row in rows], pa.string()) for index in range(columns)
    }
    texts = [cell for row in rows for cell in row if cell is not None]
    end = first_record + total - 1
    return RawChunk(
        ordinal=0,
        first_record=first_record,
        records=total,
        table=pa.table(cells),
        record_numbers=np.array(numbers, dtype=np.int64),
        malformed=malformed,
        positions=OneLineRecords(),
        marks=[ReadPosition(byte=BYTES_PER_RECORD, line=2, record=first_record - 1)],
        input_bytes=(end + 1) * BYTES_PER_RECORD,
        traits=traits_of("\n".join(texts).encode(), has_blanks="" in texts),
    )
