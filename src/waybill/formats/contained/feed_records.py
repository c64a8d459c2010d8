"""A feed of operations as a table: one row for each record, chunks of one operation each.

The elements of the document are taken one by one as they end, and are gone once the next one comes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec
import pyarrow as pa
from lxml import etree

from waybill.formats.contained.batches import record_too_long, send_batch, send_table
from waybill.formats.contained.feed_elements import RecordReader, has_text
from waybill.formats.contained.protocol import BatchFacts, Fault, Table
from waybill.formats.contained.source import in_order
from waybill.formats.contained.xml_records import (
    BATCH_BYTES,
    PARSER,
    forget,
    local_name,
    small_pieces,
)
from waybill.formats.contained.xml_text import begin_document, refuse_syntax, watch_tokens
from waybill.model.feed import CLEAR, COLUMNS, MOST_OPERATIONS, OPERATIONS
from waybill.ports.reader import Kind
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from waybill.formats.contained.feed_elements import Row
    from waybill.formats.contained.protocol import Task
    from waybill.model.feed import Feed

    Element = Any
    Pieces = Iterable[tuple[bytes, int]]

ROOT: Final = "operations"


def read(task: Task, output: BinaryIO) -> None:
    """Send the records of a feed as a table."""
    if task.feed is None:
        raise ValueError("the task has no feed")
    pieces = small_pieces(watch_tokens(in_order(task), task.limits))
    opening = begin_document(pieces, task)
    facts: dict[str, str | int | float | bool] = {"format": "feed", "records_path": f"/{ROOT}/*"}
    send_table(output, Table(names=COLUMNS, facts=facts))
    sender = _Sender(task, output)
    for operation in Operations(chain(opening.pieces, pieces), task.feed, task):
        sender.take(operation)
    sender.flush()


@dataclass(frozen=True, slots=True)
class Found:
    """An element that an operation is about; ``rank`` of the operation, ``input_bytes`` so far."""

    rank: int
    element: Element
    input_bytes: int


class Operations:
    """The elements under all operations, in order; each is gone once the next one is asked for."""

    def __init__(self, pieces: Pieces, feed: Feed, task: Task) -> None:
        self._pieces = pieces
        self._feed = feed
        self._task = task
        self._rank = 0
        self._operation: Element = None
        self._operations = 0
        self._input_bytes = 0

    def __iter__(self) -> Iterator[Found]:
        """The elements.

        Raises:
            FileRefused: the XML is not well-formed, is no feed, or a limit was met.
        """
        parser: Any = etree.XMLPullParser(events=("start", "end"), tag=self._tags(), **PARSER)
        try:
            for piece, consumed in self._pieces:
                self._input_bytes = consumed
                parser.feed(piece)
                yield from self._passed(parser)
            parser.close()
            yield from self._passed(parser)
        except etree.XMLSyntaxError as error:
            raise refuse_syntax(error, self._task.limits) from error

    def _tags(self) -> list[str] | None:
        """The elements to look at: where kinds are known, those of no others cost nothing."""
        if not self._feed.elements:
            return None
        names = (ROOT, *OPERATIONS, *self._feed.elements, *self._feed.wrappers)
        return [f"{{*}}{name}" for name in names]

    def _passed(self, parser: Any) -> Iterator[Found]:  # noqa: ANN401 - lxml has no types
        """What of the document has begun or ended."""
        for event, element in parser.read_events():
            parent = element.getparent()
            if parent is None:
                self._check_root(element, event)
            elif self._operation is None:
                self._begin(element, parent)
            elif element is self._operation:
                yield from self._others(element)
                _refuse_text(element)
                self._operation = None
                forget(element)
            elif event == "end" and parent is self._operation:
                yield from self._others(element.itersiblings(preceding=True))
                yield from self._records(element)
                forget(element)

    def _others(self, elements: Iterable[Element]) -> Iterator[Found]:
        """What nobody looks for, though it stands where records do; those are gone by now."""
        known = {*self._feed.elements, *self._feed.wrappers}
        for element in elements:
            if known and local_name(element) not in known:
                yield Found(self._rank, element, self._input_bytes)

    def _check_root(self, root: Element, event: str) -> None:
        if event == "end":
            self._refuse_others(root)
        if local_name(root) != ROOT:
            reason = f"the root is {local_name(root)!r}, not {ROOT!r}"
            raise file_refused("FEED_INVALID", line=root.sourceline, reason=reason)

    def _refuse_others(self, root: Element) -> None:
        """Under the root stand operations, each of them taken as it came, and nothing else."""
        for element in root:
            if local_name(element) not in OPERATIONS:
                self._refuse_operation(element)
        _refuse_text(root)

    def _refuse_operation(self, element: Element) -> None:
        reason = f"{local_name(element)!r} is no operation; known are {', '.join(OPERATIONS)}"
        raise file_refused("FEED_INVALID", line=element.sourceline, reason=reason)

    def _begin(self, element: Element, parent: Element) -> None:
        name, line = local_name(element), element.sourceline
        self._operations += 1
        if name not in OPERATIONS or parent.getparent() is not None:
            self._refuse_operation(element)
        for before in element.itersiblings(preceding=True):
            if local_name(before) not in OPERATIONS:
                self._refuse_operation(before)
        if self._operations > MOST_OPERATIONS:
            reason = f"it has more than {MOST_OPERATIONS} operations; put records of one together"
            raise file_refused("FEED_INVALID", line=line, reason=reason)
        self._operation, self._rank = element, OPERATIONS.index(name)

    def _records(self, element: Element) -> Iterator[Found]:
        """The element, or what stands in it where it only wraps others."""
        is_wrapper = local_name(element) in self._feed.wrappers
        if not is_wrapper or OPERATIONS[self._rank] == CLEAR:
            yield Found(self._rank, element, self._input_bytes)
            return
        _refuse_text(element)
        for each in element:
            yield Found(self._rank, each, self._input_bytes)


def _refuse_text(element: Element) -> None:
    if has_text(element):
        reason = f"text stands in {local_name(element)!r} beside its records"
        raise file_refused("FEED_INVALID", line=element.sourceline, reason=reason)


@dataclass(slots=True)
class _Sender:
    """Makes batches of rows; one holds rows of one operation."""

    task: Task
    output: BinaryIO
    rank: int = 0
    input_bytes: int = 0
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    cleared: list[str] = field(default_factory=list)
    held_bytes: int = 0
    reader: RecordReader | None = None

    def take(self, found: Found) -> None:
        """Take an element."""
        feed = self.task.feed
        if feed is None:
            return
        if self.reader is None or found.rank != self.rank:
            self.flush()
            self.rank, self.reader = found.rank, RecordReader(feed, found.rank)
        self.input_bytes = found.input_bytes
        if OPERATIONS[found.rank] == CLEAR:
            self._clear(feed, found.element)
            return
        for row in self.reader.rows(found.element):
            self._add(row)
        if self._is_full:
            self.flush()

    def _clear(self, feed: Feed, element: Element) -> None:
        kinds = feed.kinds_cleared(local_name(element))
        if not kinds or len(element) or has_text(element):
            reason = f"{local_name(element)!r} in clear is no empty element of a kind of record"
            raise file_refused("FEED_INVALID", line=element.sourceline, reason=reason)
        self.cleared += kinds

    def _add(self, row: Row | Fault) -> None:
        number = len(self.rows) + len(self.faults)
        if isinstance(row, Fault):
            self.faults.append(msgspec.structs.replace(row, record=number))
            return
        size = len(row.attributes or "")
        if size > self.task.limits.record_bytes:
            self.faults.append(record_too_long(number, row.line, self.task.limits))
            return
        self.held_bytes += size
        self.rows.append(row)

    @property
    def _is_full(self) -> bool:
        count = len(self.rows) + len(self.faults)
        return count >= self.task.batch_rows or self.held_bytes >= BATCH_BYTES

    def flush(self) -> None:
        """Send what is held."""
        count = len(self.rows) + len(self.faults)
        if not count and not self.cleared:
            return
        operation = OPERATIONS[self.rank]
        columns = (
            [operation] * len(self.rows),
            [row.owner for row in self.rows],
            [row.kind for row in self.rows],
            [row.key for row in self.rows],
            [row.attributes for row in self.rows],
        )
        plain = pa.nulls(len(self.rows), pa.uint8())
        kinds = [Kind.OBJECT.value if row.attributes else None for row in self.rows]
        send_batch(
            self.output,
            BatchFacts(
                records=count,
                input_bytes=min(self.input_bytes, self.task.stored_bytes),
                faults=tuple(self.faults),
                rank=self.rank,
                cleared=tuple(dict.fromkeys(self.cleared)),
            ),
            [pa.array(column, pa.string()) for column in columns],
            [plain, plain, plain, plain, pa.array(kinds, pa.uint8())],
            [row.line for row in self.rows],
        )
        self.rows, self.faults, self.cleared, self.held_bytes = [], [], [], 0
