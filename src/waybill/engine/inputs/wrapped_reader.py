"""What readers share that give the records of another one with something added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.model.finding import FileWarning
    from waybill.ports.reader import Reader


@dataclass(frozen=True)
class WrappedReader:
    """The part of a ``Reader`` that stays as it is in the one within."""

    reader: Reader

    @property
    def input_bytes_total(self) -> int:
        """See ``Reader.input_bytes_total``."""
        return self.reader.input_bytes_total

    @property
    def cleared(self) -> frozenset[str]:
        """See ``Reader.cleared``."""
        return self.reader.cleared

    @property
    def warnings(self) -> Sequence[FileWarning]:
        """See ``Reader.warnings``."""
        return self.reader.warnings

    def close(self) -> None:
        """See ``Reader.close``."""
        self.reader.close()


def with_empty_column(table: pa.Table, place: int, *, is_typed: bool) -> pa.Table:
    """The table of a chunk with a further column, in which no record has a value."""
    table = table.add_column(place, f"c{place}", pa.nulls(table.num_rows, pa.string()))
    if not is_typed:
        return table
    return table.append_column(f"k{place}", pa.nulls(table.num_rows, pa.uint8()))
