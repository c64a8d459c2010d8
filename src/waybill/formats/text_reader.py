"""A text as chunks: cut in sequence, parsed and worked on by a few threads."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from waybill.formats.csv_cutting import SliceCutter
from waybill.formats.encoding_watch import EncodingWatch
from waybill.formats.flight import Flight
from waybill.formats.found_records import found_records
from waybill.formats.slice_records import record_bytes
from waybill.formats.slices import MARK_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from waybill.formats.slices import Cut, CutRules, Slice
    from waybill.formats.text_stream import TextStream
    from waybill.model.finding import FileWarning
    from waybill.ports.reader import FoundRecord, Header, RawChunk, Reader, ReadPosition

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSource:
    """An input of which is known how to read it.

    ``open_text``: a new stream at the text's beginning. ``body``: where the records begin.
    ``parse``: makes the chunk of a slice. ``encoding``: the name shown in warnings. ``widen``: the
    same input with every column there is; ``None`` where the header says them all. ``cut``: makes
    the cutter of a stream, which begins at a place.
    """

    open_text: Callable[[], TextStream]
    input_bytes_total: int
    body: ReadPosition
    rules: CutRules
    parse: Callable[[Slice], RawChunk]
    encoding: str
    threads: int
    widen: Callable[[], Reader] | None = None
    cut: Cut = SliceCutter


class TextReader:
    """See ``waybill.ports.reader.Reader``. Holds no file open between calls.

    Memory: ``threads`` + 2 chunks of text, and the tables of ``threads`` of them.
    """

    def __init__(self, source: TextSource, header: Header) -> None:
        self._source = source
        self._header = header
        self._watch = EncodingWatch(source.encoding)

    @property
    def header(self) -> Header:
        """See ``Reader.header``."""
        return self._header

    @property
    def cleared(self) -> frozenset[str]:
        """See ``Reader.cleared``: no such format says so."""
        return frozenset()

    @property
    def input_bytes_total(self) -> int:
        """See ``Reader.input_bytes_total``."""
        return self._source.input_bytes_total

    @property
    def warnings(self) -> Sequence[FileWarning]:
        """See ``Reader.warnings``: complete once all chunks were read."""
        return self._watch.warnings()

    def map_chunks(self, work: Callable[[RawChunk], T]) -> Generator[T]:
        """See ``Reader.map_chunks``."""
        if not self._header.names:
            return
        source = self._source
        with closing(source.open_text()) as stream:
            cutter = source.cut(stream, source.rules, source.body)
            flight = Flight(cutter.slices(), lambda piece: work(self._parse(piece)), source.threads)
            yield from flight.results()

    def find_records(
        self, records: np.ndarray, marks: Sequence[ReadPosition]
    ) -> Iterator[FoundRecord]:
        """See ``Reader.find_records``."""
        source = self._source
        rules = replace(source.rules, chunk_bytes=MARK_BYTES)
        before = np.array([mark.record for mark in marks], dtype=np.int64)
        with closing(source.open_text()) as stream:
            cutter = source.cut(stream, rules, source.body)
            while records.size:
                mark = marks[int(before.searchsorted(records[0])) - 1]
                if mark.record > cutter.position.record:
                    cutter.skip_to(mark)
                piece = cutter.next_slice()
                if piece is None:
                    return
                here = records[: records.searchsorted(piece.end.record, "right")]
                records = records[here.size :]
                if here.size:
                    yield from found_records(source.parse(piece), here, len(self._header.names))

    def widened(self) -> Reader:
        """See ``Reader.widened``."""
        return self if self._source.widen is None else self._source.widen()

    def close(self) -> None:
        """See ``Reader.close``."""

    def _parse(self, piece: Slice) -> RawChunk:
        chunk = self._source.parse(piece)
        bad = [
            record
            for record in chunk.malformed
            if any(finding.code == "ENCODING_INVALID" for finding in record.findings)
        ]
        if bad:
            self._watch.note(
                [record.line for record in bad],
                [record_bytes(piece, record.record - chunk.first_record) for record in bad[:200]],
            )
        return chunk
