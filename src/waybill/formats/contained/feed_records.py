"""A feed of operations as a table: one row for each record, batches of one operation each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from lxml import etree

from waybill.formats.contained.batches import record_too_long, send_batch, send_table
from waybill.formats.contained.feed_elements import REMOVE, RecordReader, Row, has_text
from waybill.formats.contained.feed_operations import (
    ROOT,
    Found,
    FoundMany,
    Operations,
    refuse_root,
    unwrapped,
)
from waybill.formats.contained.protocol import BatchFacts, Fault, Table
from waybill.formats.contained.source import in_order
from waybill.formats.contained.xml_records import BATCH_BYTES, PARSER, local_name, small_pieces
from waybill.formats.contained.xml_text import begin_document, refuse_syntax, watch_tokens
from waybill.model.feed import CLEAR, COLUMNS, OPERATIONS
from waybill.ports.reader import Kind
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.formats.contained.feed_scanning import Scanned
    from waybill.formats.contained.protocol import Task
    from waybill.model.feed import Feed

    Element = Any

FEW_ROWS: Final = 64
"""Fewer plain records in a row than this are no batch of their own."""


def read(task: Task, output: BinaryIO) -> None:
    """Send the records of a feed as a table."""
    if task.feed is None:
        raise ValueError("the task has no feed")
    pieces = small_pieces(watch_tokens(in_order(task), task.limits))
    opening = begin_document(pieces, task)
    refuse_root(opening.first_names[0])
    facts: dict[str, str | int | float | bool] = {"format": "feed", "records_path": f"/{ROOT}/*"}
    send_table(output, Table(names=COLUMNS, facts=facts))
    operations = Operations(chain(opening.pieces, pieces), task.feed, task)
    sender = _Sender(task, task.feed, operations, output)
    for found in operations:
        sender.take(found)
    sender.flush()


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
        for each in unwrapped(element, self.feed, line - 1):
            self._take_element(each, line - 1)
        if self._is_full:
            self.flush()

    def _take_element(self, element: Element, line: int) -> None:
        reader = RecordReader(self.feed, self.rank, self.task.limits.xml_attributes)
        for row in reader.rows(element):
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
