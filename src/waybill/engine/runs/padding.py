"""A file read as if it had further columns, in which no record has a value.

So what a record lacks is told record by record, and not as a fault of the file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from waybill.model.options import MissingColumns
from waybill.validation.columns import missing_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    import numpy as np

    from waybill.model.entity import Entity
    from waybill.model.finding import FileWarning
    from waybill.model.options import ImportOptions
    from waybill.ports.reader import FoundRecord, Header, RawChunk, Reader, ReadPosition

T = TypeVar("T")


def with_needed_columns(reader: Reader, entity: Entity, options: ImportOptions) -> Reader:
    """The reader, with the columns that its file lacks where the options say so."""
    if options.missing_columns is MissingColumns.FAIL or not reader.header.names:
        return reader
    names = missing_columns(
        entity,
        reader.header.names,
        operation=options.operation,
        are_all_wanted=options.missing_columns is MissingColumns.CLEAR,
    )
    return PaddedReader(reader, names) if names else reader


@dataclass(frozen=True)
class PaddedReader:
    """See ``Reader``; ``names``: the columns that it adds behind those of the file."""

    reader: Reader
    names: tuple[str, ...]

    @cached_property
    def header(self) -> Header:
        """See ``Reader.header``."""
        header = self.reader.header
        return replace(header, names=(*header.names, *self.names))

    @property
    def input_bytes_total(self) -> int:
        """See ``Reader.input_bytes_total``."""
        return self.reader.input_bytes_total

    @property
    def warnings(self) -> Sequence[FileWarning]:
        """See ``Reader.warnings``."""
        return self.reader.warnings

    def map_chunks(self, work: Callable[[RawChunk], T]) -> Generator[T, None, None]:
        """See ``Reader.map_chunks``."""
        return self.reader.map_chunks(lambda chunk: work(self._padded(chunk)))

    def find_records(
        self, records: np.ndarray, marks: Sequence[ReadPosition]
    ) -> Iterator[FoundRecord]:
        """See ``Reader.find_records``."""
        nothing = (None,) * len(self.names)
        for found in self.reader.find_records(records, marks):
            yield replace(found, cells=(*found.cells, *nothing))

    def widened(self) -> Reader:
        """See ``Reader.widened``."""
        wide = self.reader.widened()
        missing = tuple(name for name in self.names if name not in wide.header.names)
        return PaddedReader(wide, missing) if missing else wide

    def close(self) -> None:
        """See ``Reader.close``."""
        self.reader.close()

    def _padded(self, chunk: RawChunk) -> RawChunk:
        table, count = chunk.table, len(self.reader.header.names)
        added = range(count, count + len(self.names))
        for place in added:
            nothing = pa.nulls(table.num_rows, pa.string())
            table = table.add_column(place, f"c{place}", nothing)
        for place in added if self.header.is_typed else ():
            table = table.append_column(f"k{place}", pa.nulls(table.num_rows, pa.uint8()))
        return replace(chunk, table=table)
