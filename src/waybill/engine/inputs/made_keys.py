"""A file read as if every record had a key: where it has none, the server makes one.

A made key is the same in every attempt and every later look at the file.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from waybill.engine.inputs.wrapped_reader import WrappedReader, with_empty_column
from waybill.model.entity import BLANKS
from waybill.ports.reader import Kind
from waybill.validation.columns import recognise_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    import numpy as np

    from waybill.model.entity import Entity, Field
    from waybill.ports.reader import FoundRecord, Header, RawChunk, Reader, ReadPosition

T = TypeVar("T")
_SPACE: Final = uuid.UUID("6b1c2e6e-6f0d-4a3c-9d53-0d3b1a4c7e10")


def with_made_keys(reader: Reader, entity: Entity, seed: str) -> Reader:
    """The reader, with a key in every record where the entity's key may be generated.

    ``seed``: what tells the records of this file from those of any other.
    """
    fields = [field for field in entity.fields if field.generated]
    if not fields or not reader.header.names:
        return reader
    return KeyedReader(reader, entity, fields[0], seed)


def made_key(seed: str, record: int) -> str:
    """The key that a record gets which has none."""
    return str(uuid.uuid5(_SPACE, f"{seed}/{record}"))


@dataclass(frozen=True)
class KeyedReader(WrappedReader):
    """See ``Reader``; ``field``: the key. A file without its column gets one behind its own."""

    entity: Entity
    field: Field
    seed: str

    @cached_property
    def header(self) -> Header:
        """See ``Reader.header``."""
        header = self.reader.header
        if self._place < len(header.names):
            return header
        return replace(header, names=(*header.names, self.field.name))

    @cached_property
    def _place(self) -> int:
        """The column of the key."""
        known = recognise_columns(self.entity, self.reader.header.names)
        places = [place for place, name in known.items() if name == self.field.name]
        return places[0] if places else len(self.reader.header.names)

    def map_chunks(self, work: Callable[[RawChunk], T]) -> Generator[T, None, None]:
        """See ``Reader.map_chunks``."""
        return self.reader.map_chunks(lambda chunk: work(self._filled(chunk)))

    def find_records(
        self, records: np.ndarray, marks: Sequence[ReadPosition]
    ) -> Iterator[FoundRecord]:
        """See ``Reader.find_records``."""
        for found in self.reader.find_records(records, marks):
            cells = list(found.cells) + [None] * (self._place == len(found.cells))
            if self._is_missing(cells[self._place]):
                cells[self._place] = self._made(found.record)
            yield replace(found, cells=tuple(cells))

    def widened(self) -> Reader:
        """See ``Reader.widened``."""
        return KeyedReader(self.reader.widened(), self.entity, self.field, self.seed)

    def _filled(self, chunk: RawChunk) -> RawChunk:
        table, name = chunk.table, f"c{self._place}"
        if name not in table.column_names:
            table = with_empty_column(table, self._place, is_typed=self.header.is_typed)
        missing = self._are_missing(table.column(name))
        if not pc.any(missing).as_py():
            return replace(chunk, table=table)
        made = [self._made(record) for record in chunk.record_numbers[missing.to_numpy()].tolist()]
        table = _replaced(table, name, missing, pa.array(made, pa.string()))
        if self.header.is_typed:
            kinds = pa.array([Kind.STRING.value] * len(made), pa.uint8())
            table = _replaced(table, f"k{self._place}", missing, kinds)
        return replace(chunk, table=table)

    def _are_missing(self, cells: pa.ChunkedArray[pa.StringScalar]) -> Any:  # noqa: ANN401 - the stubs know no flags
        filled: Any = pc.fill_null(cells, pa.scalar(""))
        trimmed: Any = pc.utf8_trim(filled, characters=BLANKS)
        return pc.is_in(trimmed, value_set=pa.array(["", *self.field.missing_values]))

    def _is_missing(self, cell: str | None) -> bool:
        return (cell or "").strip(BLANKS) in ("", *self.field.missing_values)

    def _made(self, record: int) -> str:
        return made_key(self.seed, record)


def _replaced(table: pa.Table, name: str, where: Any, values: Any) -> pa.Table:  # noqa: ANN401 - as above
    """The table with other values in a column where the flags say so."""
    column: Any = table.column(name)
    changed = pc.replace_with_mask(column.combine_chunks(), where.combine_chunks(), values)
    return table.set_column(table.column_names.index(name), name, changed)
