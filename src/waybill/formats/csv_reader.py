"""A CSV file as chunks: cut in sequence, parsed and worked on by a few threads."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Generic, TypeVar

from waybill.errors import FileRefused
from waybill.formats.csv_cutting import CutRules, Slice, SliceCutter
from waybill.formats.csv_parsing import CsvShape, parse_slice, record_bytes
from waybill.formats.encoding_watch import EncodingWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from waybill.formats.text_stream import TextStream
    from waybill.model.finding import FileWarning
    from waybill.ports.reader import Header, RawChunk, ReadPosition

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvSource:
    """An input whose first record has been read.

    ``open_text``: a new stream at the text's beginning. ``body``: where the records begin.
    """

    open_text: Callable[[], TextStream]
    input_bytes_total: int
    body: ReadPosition
    rules: CutRules
    shape: CsvShape
    threads: int


class CsvReader:
    """See ``waybill.ports.reader.Reader``. Holds no file open between calls.

    Memory: ``threads`` + 2 chunks of text, and the tables of ``threads`` of them.
    """

    def __init__(self, source: CsvSource, header: Header) -> None:
        self._source = source
        self._header = header
        self._watch = EncodingWatch(source.shape.encoding)

    @property
    def header(self) -> Header:
        """See ``Reader.header``."""
        return self._header

    @property
    def input_bytes_total(self) -> int:
        """See ``Reader.input_bytes_total``."""
        return self._source.input_bytes_total

    @property
    def warnings(self) -> Sequence[FileWarning]:
        """See ``Reader.warnings``: complete once all chunks were read."""
        return self._watch.warnings()

    def map_chunks(
        self,
        work: Callable[[RawChunk], T],
        *,
        after: ReadPosition | None = None,
        first_ordinal: int = 0,
        wanted: Callable[[int], bool] | None = None,
    ) -> Generator[T]:
        """See ``Reader.map_chunks``."""
        if not self._header.names:
            return
        source = self._source
        with closing(source.open_text()) as stream:
            cutter = SliceCutter(stream, source.rules, after or source.body, first_ordinal)
            slices = _wanted(cutter, wanted)
            flight = _Flight(slices, lambda piece: work(self._parse(piece)), source.threads)
            yield from flight.results()

    def close(self) -> None:
        """See ``Reader.close``."""

    def _parse(self, piece: Slice) -> RawChunk:
        chunk = parse_slice(piece, self._source.shape)
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


def _wanted(cutter: SliceCutter, wanted: Callable[[int], bool] | None) -> Iterator[Slice]:
    while piece := cutter.next_slice():
        if wanted is None or wanted(piece.ordinal):
            yield piece


class _Flight(Generic[T]):
    """Work on slices in threads, a few ahead, results in order."""

    def __init__(self, slices: Iterator[Slice], work: Callable[[Slice], T], threads: int) -> None:
        self._slices = slices
        self._work = work
        self._threads = threads
        self._flying: deque[Future[T]] = deque()
        self._refusal: FileRefused | None = None
        self._is_cut = False

    def results(self) -> Iterator[T]:
        """Each result; then the refusal that ended the cutting, if any."""
        first, second = self._next(), self._next()
        if first is not None and second is None:
            yield self._work(first)  # one chunk: no thread is worth its start
        elif first is not None and second is not None:
            self._slices = chain((first, second), self._slices)
            yield from self._in_threads()
        if self._refusal:
            raise self._refusal

    def _in_threads(self) -> Iterator[T]:
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="waybill-chunk")
        try:
            while self._launch(pool):
                yield self._flying.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _launch(self, pool: ThreadPoolExecutor) -> bool:
        """Fill up the look-ahead; whether anything flies."""
        while not self._is_cut and len(self._flying) <= self._threads:
            piece = self._next()
            if piece is not None:
                self._flying.append(pool.submit(self._work, piece))
        return bool(self._flying)

    def _next(self) -> Slice | None:
        if self._is_cut:
            return None
        try:
            piece = next(self._slices, None)
        except FileRefused as error:
            self._refusal, piece = error, None
        self._is_cut = piece is None
        return piece
