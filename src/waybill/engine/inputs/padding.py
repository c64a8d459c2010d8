"""A file read as if it had further columns, in which no record has a value.

So what a record lacks is told record by record, and not as a fault of the file; or new records get
the defaults of fields that the file has no column for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from waybill.engine.inputs.wrapped_reader import WrappedReader, with_empty_column
from waybill.model.options import MissingColumns
from waybill.validation.columns import missing_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    import numpy as np

    from waybill.model.entity import Entity
    from waybill.model.options import ImportOptions
    from waybill.ports.reader import FoundRecord, Header, RawChunk, Reader, ReadPosition

T = TypeVar("T")


def with_needed_columns(reader: Reader, entity: Entity, options: ImportOptions) -> Reader:
    """The reader, with the columns that its file lacks where the options say so."""
    header = reader.header.names
    if options.missing_columns is MissingColumns.FAIL or not header:
        return reader
    names = missing_columns(
        entity, header, operation=options.operation, missing=options.missing_columns
    )
    are_lacking = options.missing_columns is MissingColumns.KEEP
    return PaddedReader(reader, names, are_lacking=are_lacking) if names else reader


@dataclass(frozen=True)
class PaddedReader(WrappedReader):
    """See ``Reader``; ``names``: the columns that it adds behind those of the file.

    ``are_lacking``: as in ``Header.lacking``.
    """

    names: tuple[str, ...]
    are_lacking: bool

    @cached_property
    def header(self) -> Header:
        """See ``Reader.header``."""
        header = self.reader.header
        added = len(self.names)
        return replace(
            header,
            names=(*header.names, *self.names),
            added=added,
            lacking=added if self.are_lacking else 0,
        )

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
        return PaddedReader(wide, missing, self.are_lacking) if missing else wide

    def _padded(self, chunk: RawChunk) -> RawChunk:
        table, count = chunk.table, len(self.reader.header.names)
        added = range(count, count + len(self.names))
        for place in added:
            table = with_empty_column(table, place, is_typed=self.header.is_typed)
        return replace(chunk, table=table)
