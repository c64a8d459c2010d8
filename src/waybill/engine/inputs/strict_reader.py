"""A file of which every record must be JSON: the first that is none ends the reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from waybill.engine.inputs.wrapped_reader import WrappedReader
from waybill.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    import numpy as np

    from waybill.ports.reader import FoundRecord, Header, RawChunk, Reader, ReadPosition

T = TypeVar("T")
BROKEN: Final = "JSON_INVALID"


@dataclass(frozen=True)
class StrictReader(WrappedReader):
    """See ``Reader``."""

    @property
    def header(self) -> Header:
        """See ``Reader.header``."""
        return self.reader.header

    def map_chunks(self, work: Callable[[RawChunk], T]) -> Generator[T, None, None]:
        """See ``Reader.map_chunks``; refuses the file at the first broken record."""

        def strictly(chunk: RawChunk) -> T:
            for record in chunk.malformed:
                for finding in record.findings:
                    if finding.code == BROKEN:
                        raise FileRefused(
                            finding.message, code=BROKEN, line=record.line, byte=record.byte
                        )
            return work(chunk)

        return self.reader.map_chunks(strictly)

    def find_records(
        self, records: np.ndarray, marks: Sequence[ReadPosition]
    ) -> Iterator[FoundRecord]:
        """See ``Reader.find_records``."""
        return self.reader.find_records(records, marks)

    def widened(self) -> Reader:
        """See ``Reader.widened``."""
        return StrictReader(self.reader.widened())
