"""A feed of operations as a table: one row for each record, chunks of one operation each.

The elements of the document are taken one by one as they end, and are gone once the next one comes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from lxml import etree

from waybill.formats.contained.batches import record_too_long, send_batch, send_table
from waybill.formats.contained.feed_elements import REMOVE, UPDATE, RecordReader, Row, has_text
from waybill.formats.contained.feed_scanning import Scanned, scan
from waybill.formats.contained.protocol import BatchFacts, Fault, Table
from waybill.formats.contained.source import in_order
from waybill.formats.contained.xml_records import (
    BATCH_BYTES,
    FEED_BYTES,
    PARSER,
    forget,
    local_name,
    small_pieces,
)
from waybill.formats.contained.xml_text import begin_document, feed, refuse_syntax, watch_tokens
from waybill.model.feed import CLEAR, COLUMNS, MOST_OPERATIONS, OPERATIONS
from waybill.ports.reader import Kind
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from waybill.formats.contained.protocol import Task
    from waybill.model.feed import Feed

    Element = Any
    Pieces = Iterable[tuple[bytes, int]]

ROOT: Final = "operations"
WINDOW_BYTES: Final = 4 * 1024 * 1024
"""As much text is looked at at once."""

PARSED_BYTES: Final = 256 * 1024
"""As much the parser reads at least before it is tried again whether the text is plain."""

FEW_ROWS: Final = 64
"""Fewer plain records in a row than this are no batch of their own."""

_CUT: Final = re.compile(rb"</[^<>]*>|<(?:clear|remove|add|update)>")
_MARKUP: Final = re.compile(rb"<[!?]")


def read(task: Task, output: BinaryIO) -> None:
    """Send the records of a feed as a table."""
    if task.feed is None:
        raise ValueError("the task has no feed")
    pieces = small_pieces(watch_tokens(in_order(task), task.limits))
    opening = begin_document(pieces, task)
    facts: dict[str, str | int | float | bool] = {"format": "feed", "records_path": f"/{ROOT}/*"}
    send_table(output, Table(names=COLUMNS, facts=facts))
    operations = Operations(chain(opening.pieces, pieces), task.feed, task)
    sender = _Sender(task, task.feed, operations, output)
    for found in operations:
        sender.take(found)
    sender.flush()


@dataclass(frozen=True, slots=True)
class Found:
    """An element that an operation is about; ``rank`` of the operation, ``line`` before its own."""

    rank: int
    element: Element
    line: int = 0


@dataclass(frozen=True, slots=True)
class FoundMany:
    """Elements that were found by arrays: those of ``text`` that ``scanned`` tells."""

    rank: int
    text: bytes
    scanned: Scanned
    line: int


class Operations:
    """The elements under all operations, in order; each is gone once the next one is asked for.

    An XML parser reads the document. Where it stands directly in an operation, plain elements are
    taken out of the text by arrays before it comes to them, and it begins anew behind them.
    """

    def __init__(self, pieces: Pieces, kinds: Feed, task: Task) -> None:
        self._pieces = pieces
        self._feed = kinds
        self._task = task
        self._rank = 0
        self._operation: Element = None
        self._operations = 0
        self._line = 0
        self._last: tuple[str, Element] = ("", None)
        self._is_simple = bool(kinds.elements)
        self._parser: Any = self._new_parser()
        self.input_bytes = 0

    def __iter__(self) -> Iterator[Found | FoundMany]:
        """The elements.

        Raises:
            FileRefused: the XML is not well-formed, is no feed, or a limit was met.
        """
        held: list[bytes] = []
        size = 0
        for piece, consumed in self._pieces:
            self.input_bytes = consumed
            held.append(piece)
            size += len(piece)
            if size >= WINDOW_BYTES:
                rest = yield from self._read(b"".join(held), is_last=False)
                held, size = [rest], len(rest)
        yield from self._read(b"".join(held), is_last=True)
        yield from self._fed(b"", is_last=True)

    def _read(self, held: bytes, *, is_last: bool) -> Generator[Found | FoundMany, None, bytes]:
        """Read what is held; gives what has to wait for more."""
        while held:
            if self._is_inside:
                scanned = scan(held, self._feed, is_update=self._rank == UPDATE)
                if scanned is not None:
                    text, held = held[: scanned.consumed], held[scanned.consumed :]
                    yield FoundMany(self._rank, text, scanned, self._lines_read())
                    self._begin_anew(text)
                    continue
            size = self._next_cut(held, is_last=is_last)
            if not size:
                return held
            yield from self._fed(held[:size])
            held = held[size:]
        return held

    def _next_cut(self, held: bytes, *, is_last: bool) -> int:
        """How much the parser is given: up to where it may stand directly in an operation.

        Far enough, so that a text that is not plain is not looked at for every element of it.
        """
        begin = PARSED_BYTES if self._is_inside else 0
        found = _CUT.search(held, begin)
        if found is not None:
            return found.end()
        return len(held) if is_last or len(held) > 2 * WINDOW_BYTES else 0

    @property
    def _is_inside(self) -> bool:
        """Whether the parser stands directly in an operation, behind its tag or an element."""
        event, element = self._last
        if not self._is_simple or self._operation is None or not self._is_at_cut:
            return False
        if event == "start":
            return element is self._operation
        return event == "end" and element.getparent() is self._operation

    def _lines_read(self) -> int:
        return self._line + self._fed_lines

    def _begin_anew(self, text: bytes) -> None:
        """A parser that stands behind what was taken out, in the same operation."""
        self._line = self._lines_read() + text.count(b"\n")
        self._parser, self._last = self._new_parser(), ("", None)
        self._operation = None
        operations = self._operations
        for _ in self._fed(f"<{ROOT}><{OPERATIONS[self._rank]}>".encode()):
            raise AssertionError("an operation that has begun holds nothing")
        self._operations = operations

    def _new_parser(self) -> Any:  # noqa: ANN401 - lxml has no types
        self._fed_lines = 0
        self._is_at_cut = False
        self._root: Element = None
        return etree.XMLPullParser(events=("start", "end"), tag=self._tags(), **PARSER)

    def _fed(self, text: bytes, *, is_last: bool = False) -> Iterator[Found]:
        """What the parser finds in the next text."""
        self._last = ("", None)
        self._is_at_cut = text.endswith(b">") and _MARKUP.search(text) is None
        self._fed_lines += text.count(b"\n")
        try:
            for begin in range(0, len(text), FEED_BYTES):
                feed(self._parser, text[begin : begin + FEED_BYTES], self._task.limits, self._line)
                yield from self._passed()
            if is_last:
                self._parser.close()
                yield from self._passed()
        except etree.XMLSyntaxError as error:
            raise refuse_syntax(error, self._task.limits, self._line) from error

    def _tags(self) -> list[str] | None:
        """The elements to look at: where kinds are known, those of no others cost nothing."""
        if not self._feed.elements:
            return None
        names = (ROOT, *OPERATIONS, *self._feed.elements, *self._feed.wrappers)
        return [f"{{*}}{name}" for name in names]

    def _passed(self) -> Iterator[Found]:
        """What of the document has begun or ended."""
        for event, element in self._parser.read_events():
            self._last = (event, element)
            parent = element.getparent()
            if parent is None:
                self._root = element if self._root is None else self._root
                if element is self._root:  # others have lost the document to a fault in it
                    self._check_root(element, event)
            elif self._operation is None:
                self._begin(element, parent)
            elif element is self._operation:
                yield from self._others(element)
                _refuse_text(element)
                self._operation = None
                forget(element)
            elif event == "end" and parent is self._operation:
                before = list(element.itersiblings(preceding=True))
                yield from self._others(reversed(before))
                yield from self._records(element)
                forget(element)

    def _others(self, elements: Iterable[Element]) -> Iterator[Found]:
        """What nobody looks for, though it stands where records do; those are gone by now."""
        known = {*self._feed.elements, *self._feed.wrappers}
        for element in elements:
            if known and local_name(element) not in known:
                yield Found(self._rank, element, self._line)

    def _check_root(self, root: Element, event: str) -> None:
        if event == "end":
            self._refuse_others(root)
        if event == "start" and (root.attrib or root.nsmap):
            self._is_simple = False
        if local_name(root) != ROOT:
            reason = f"the root is {local_name(root)!r}, not {ROOT!r}"
            raise file_refused("FEED_INVALID", line=self._line + root.sourceline, reason=reason)

    def _refuse_others(self, root: Element) -> None:
        """Under the root stand operations, each of them taken as it came, and nothing else."""
        for element in root:
            if local_name(element) not in OPERATIONS:
                self._refuse_operation(element)
        _refuse_text(root)

    def _refuse_operation(self, element: Element) -> None:
        reason = f"{local_name(element)!r} is no operation; known are {', '.join(OPERATIONS)}"
        raise file_refused("FEED_INVALID", line=self._line + element.sourceline, reason=reason)

    def _begin(self, element: Element, parent: Element) -> None:
        name, line = local_name(element), self._line + element.sourceline
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
        if element.attrib or element.nsmap:
            self._is_simple = False

    def _records(self, element: Element) -> Iterator[Found]:
        """The element, or what stands in it where it only wraps others."""
        is_wrapper = local_name(element) in self._feed.wrappers
        if not is_wrapper or OPERATIONS[self._rank] == CLEAR:
            yield Found(self._rank, element, self._line)
            return
        _refuse_text(element)
        for each in element:
            yield Found(self._rank, each, self._line)


def _refuse_text(element: Element) -> None:
    if has_text(element):
        reason = f"text stands in {local_name(element)!r} beside its records"
        raise file_refused("FEED_INVALID", line=element.sourceline, reason=reason)


@dataclass(slots=True)
class _Sender:
    """Makes batches of rows; one holds rows of one operation."""

    task: Task
    feed: Feed
    operations: Operations
    output: BinaryIO
    rank: int = 0
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    cleared: list[str] = field(default_factory=list)
    held_bytes: int = 0

    def take(self, found: Found | FoundMany) -> None:
        """Take what was found."""
        if found.rank != self.rank:
            self.flush()
            self.rank = found.rank
        if isinstance(found, FoundMany):
            self._take_many(found)
        elif OPERATIONS[found.rank] == CLEAR:
            self._clear(found)
        else:
            self._take_element(found.element, found.line)
            if self._is_full:
                self.flush()

    def _take_many(self, found: FoundMany) -> None:
        """Take plain records as they are, and others by the parser, all in their order."""
        scanned = found.scanned
        if OPERATIONS[found.rank] == CLEAR:
            scanned = scanned.without_plain()
        newlines = np.flatnonzero(np.frombuffer(found.text, dtype=np.uint8) == ord("\n"))
        lines = found.line + 1 + np.searchsorted(newlines, scanned.starts)
        position = 0
        is_plain = np.zeros(len(scanned.starts), dtype=np.bool_)
        is_plain[scanned.plain] = True
        for run in np.split(np.arange(len(is_plain)), np.flatnonzero(np.diff(is_plain)) + 1):
            if is_plain[run[0]]:
                self._send_plain(scanned.part(position, len(run)), lines[run])
                position += len(run)
                continue
            for number in run.tolist():
                text = found.text[int(scanned.starts[number]) : int(scanned.ends[number])]
                self._take_text(text, int(lines[number]), found)

    def _take_text(self, text: bytes, line: int, found: FoundMany) -> None:
        """Take one element that the arrays do not read."""
        try:
            element: Element = etree.fromstring(text, etree.XMLParser(**PARSER))
        except etree.XMLSyntaxError as error:
            raise refuse_syntax(error, self.task.limits, line - 1) from error
        if OPERATIONS[found.rank] == CLEAR:
            self._clear(Found(found.rank, element, line - 1))
            return
        wraps = local_name(element) in self.feed.wrappers
        if wraps and has_text(element):
            reason = f"text stands in {local_name(element)!r} beside its records"
            raise file_refused("FEED_INVALID", line=line, reason=reason)
        for each in element if wraps else (element,):
            self._take_element(each, line - 1)
        if self._is_full:
            self.flush()

    def _take_element(self, element: Element, line: int) -> None:
        for row in RecordReader(self.feed, self.rank).rows(element):
            self._add(replace_line(row, row.line + line))

    def _clear(self, found: Found) -> None:
        element = found.element
        kinds = self.feed.kinds_cleared(local_name(element))
        if not kinds or len(element) or has_text(element):
            reason = f"{local_name(element)!r} in clear is no empty element of a kind of record"
            line = found.line + element.sourceline
            raise file_refused("FEED_INVALID", line=line, reason=reason)
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
        if not self.rows and not self.faults and not self.cleared:
            return
        columns = (
            [row.owner for row in self.rows],
            [row.kind for row in self.rows],
            [row.key for row in self.rows],
            [row.attributes for row in self.rows],
        )
        arrays = [pa.array(column, pa.string()) for column in columns]
        self._send(arrays, [row.line for row in self.rows])
        self.rows, self.faults, self.cleared, self.held_bytes = [], [], [], 0

    def _send_plain(self, part: Scanned, lines: np.ndarray) -> None:
        """Send plain records; few of them go with those that are held."""
        sizes: Any = pc.binary_length(part.attributes)
        has_long = pc.max(sizes).as_py() > self.task.limits.record_bytes
        if len(lines) < FEW_ROWS or has_long:
            texts = zip(
                part.kinds.to_pylist(),
                part.keys.to_pylist(),
                part.attributes.to_pylist(),
                lines.tolist(),
                strict=True,
            )
            for kind, key, attributes, line in texts:
                told = None if self.rank == REMOVE else attributes
                self._add(Row(owner=key, kind=kind, key=key, attributes=told, line=line))
            return
        self.flush()
        attributes = part.attributes
        if self.rank == REMOVE:
            attributes = pa.nulls(len(lines), pa.string())
        for begin in range(0, len(lines), self.task.batch_rows):
            stop = begin + self.task.batch_rows
            columns = (part.keys, part.kinds, part.keys, attributes)
            self._send([each[begin:stop] for each in columns], lines[begin:stop].tolist())

    def _send(self, columns: Sequence[Any], lines: Sequence[int]) -> None:
        """Send a batch: owner, kind, key and attributes of its rows, with the faults held."""
        count = len(lines)
        operations = pa.repeat(pa.scalar(OPERATIONS[self.rank]), count)
        plain: Any = pa.nulls(count, pa.uint8())
        objects: Any = pa.repeat(pa.scalar(Kind.OBJECT.value, pa.uint8()), count)
        kinds = pc.if_else(pc.is_valid(columns[-1]), objects, plain)
        send_batch(
            self.output,
            BatchFacts(
                records=count + len(self.faults),
                input_bytes=min(self.operations.input_bytes, self.task.stored_bytes),
                faults=tuple(self.faults),
                rank=self.rank,
                cleared=tuple(dict.fromkeys(self.cleared)),
            ),
            [operations, *columns],
            [plain, plain, plain, plain, kinds],
            lines,
        )


def replace_line(row: Row | Fault, line: int) -> Row | Fault:
    """The same at another line."""
    if isinstance(row, Fault):
        return msgspec.structs.replace(row, line=line)
    return replace(row, line=line)
