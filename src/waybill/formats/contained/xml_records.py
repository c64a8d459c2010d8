"""XML: elements as records, their attributes and children as fields, in constant memory.

A child that holds only text is text; one with children or attributes of its own is an object, one
that occurs several times an array, both as JSON. Namespaces are left out of names. Sources: XML 1.0
(fifth edition), Namespaces in XML 1.0.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import pyarrow as pa
from lxml import etree

from waybill.formats.contained.batches import record_too_long, send_batch, send_table
from waybill.formats.contained.protocol import BatchFacts, Fault, FrameKind, Table, write_frame
from waybill.formats.contained.source import in_order
from waybill.formats.contained.xml_text import (
    TEXT,
    begin_document,
    feed,
    refuse_syntax,
    watch_tokens,
)
from waybill.ports.reader import Kind
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from waybill.formats.contained.protocol import Task

    Element = Any
    Value = str | dict[str, Any] | list[Any] | None

BATCH_BYTES: Final = 4 * 1024 * 1024
FEED_BYTES: Final = 64 * 1024
_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_MARKUP: Final = (
    "{http://www.w3.org/2001/XMLSchema-instance}",
    "{http://www.w3.org/XML/1998/namespace}",
)
_NAMES_SHOWN: Final = 10
_NAME: Final = re.compile(r"[^\s/\[\]{}()@*'\"]+")
PARSER: Final = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


def read(task: Task, output: BinaryIO) -> None:
    """Send the records of a document as a table."""
    pieces = small_pieces(watch_tokens(in_order(task), task.limits))
    opening = begin_document(pieces, task)
    path = Path.of(task.records_path) if task.records_path else Path(names=opening.first_names)
    records = Records(chain(opening.pieces, pieces), path, task)
    _Sender(task, path, output).send(records)


def small_pieces(pieces: Iterable[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
    """The same bytes in pieces that a parser takes at once."""
    for piece, consumed in pieces:
        for begin in range(0, len(piece), FEED_BYTES):
            yield piece[begin : begin + FEED_BYTES], consumed


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """Which elements are records: by the names from the root, or by their own name anywhere."""

    names: tuple[str, ...]
    is_anywhere: bool = False

    @classmethod
    def of(cls, text: str) -> Path:
        """The path that the option ``records_path`` says.

        Raises:
            FileRefused: it is none.
        """
        names = tuple(step.rpartition(":")[2] for step in text.strip("/").split("/"))
        is_anywhere = not text.startswith("/")
        if not all(_NAME.fullmatch(name) for name in names) or (is_anywhere and len(names) > 1):
            reason = "that is no element's name such as store, nor a path such as /stores/store"
            raise file_refused("RECORDS_NOT_FOUND", path=f"at {text!r}", reason=reason)
        return cls(names=names, is_anywhere=is_anywhere)

    @property
    def name(self) -> str:
        """The name of the elements themselves."""
        return self.names[-1]

    def __str__(self) -> str:
        """The path as XPath."""
        return f"//{self.name}" if self.is_anywhere else "/" + "/".join(self.names)

    def has_place_in(self, root: Element) -> bool:
        """Whether records could stand in the document, so that there may be none."""
        if self.is_anywhere or local_name(root) != self.names[0]:
            return not len(root) and self.is_anywhere
        above = "/".join(f"{{*}}{name}" for name in self.names[1:-1])
        return len(self.names) > 1 and (not above or root.find(above) is not None)

    def fits(self, element: Element) -> bool:
        """Whether the element is a record, and not part of one."""
        above = [local_name(each) for each in element.iterancestors()]
        if self.is_anywhere:
            return self.name not in above
        return above == list(reversed(self.names[:-1]))


class Records:
    """The record elements of a document in order; each is gone once the next one is asked for."""

    def __init__(self, pieces: Iterable[tuple[bytes, int]], path: Path, task: Task) -> None:
        self._pieces = pieces
        self._path = path
        self._task = task
        self._found = 0
        self.input_bytes = 0

    def __iter__(self) -> Iterator[Element]:
        """The elements.

        Raises:
            FileRefused: the XML is not well-formed, or a limit was met.
        """
        parser = etree.XMLPullParser(events=("end",), tag=f"{{*}}{self._path.name}", **PARSER)
        try:
            for piece, consumed in self._pieces:
                self.input_bytes = consumed
                feed(parser, piece, self._task.limits)
                yield from self._ended(parser)
            root = parser.close()
            yield from self._ended(parser)
            self._end(root)
        except etree.XMLSyntaxError as error:
            raise refuse_syntax(error, self._task.limits) from error

    def _ended(self, parser: Any) -> Iterator[Element]:  # noqa: ANN401 - lxml has no types
        for _, element in parser.read_events():
            if self._path.fits(element):
                self._found += 1
                self._refuse_others(element)
                yield element
                forget(element)

    def _refuse_others(self, element: Element) -> None:
        """Without a path, every child of the root must be a record, and there is nothing else."""
        if not self._task.records_path:
            before = element.getprevious()
            self._refuse_text(element.getparent().text if before is None else before.tail, element)
            for other in element.itersiblings(preceding=True):
                self._refuse_other(other)

    def _end(self, root: Element) -> None:
        """Refuse what is left over; with a path, that there was nothing where it leads."""
        if self._task.records_path:
            if not self._found and not self._path.has_place_in(root):
                inside = ", ".join(sorted({local_name(each) for each in root})[:_NAMES_SHOWN])
                reason = f"{local_name(root)!r} holds {inside or 'nothing'}"
                raise file_refused("RECORDS_NOT_FOUND", path=f"at {self._path}", reason=reason)
        else:
            self._refuse_text(root[-1].tail if len(root) else root.text, root)
            for other in root:
                self._refuse_other(other)

    def _refuse_text(self, text: str | None, place: Element) -> None:
        if text and text.strip():
            reason, line = f"text stands beside {self._path}", place.sourceline
            raise file_refused("RECORDS_NOT_FOUND", line=line, path="for certain", reason=reason)

    def _refuse_other(self, other: Element) -> None:
        if local_name(other) == self._path.name:
            return
        reason = f"the element {local_name(other)!r} stands beside {self._path}"
        raise file_refused(
            "RECORDS_NOT_FOUND", line=other.sourceline, path="for certain", reason=reason
        )


def local_name(element: Element) -> str:
    """The name of an element without its namespace."""
    return without_namespace(element.tag)


def without_namespace(name: str) -> str:
    """A name in lxml's notation without its namespace."""
    return name.rpartition("}")[2]


def forget(element: Element) -> None:
    """Free a record and everything before it; the text behind it may not have come yet."""
    element.clear(keep_tail=True)
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
    for above in element.iterancestors():
        while above.getprevious() is not None:
            del above.getparent()[0]


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a record: its text, and its kind where it is no plain text, or not there."""

    text: str | None
    kind: int | None
    step: str


def cells_of(record: Element, arrays: Container[str] = ()) -> dict[str, Cell]:
    """The fields of a record by name, in order of appearance.

    ``arrays``: names whose single element is the only item of an array.

    Raises:
        RecursionError: it is nested deeper than ``record`` may be; the caller has checked that.
    """
    return {
        name: _cell(_as_array(value) if name in arrays else value, step)
        for name, (value, step) in _members(record).items()
    }


def _as_array(value: Value) -> Value:
    """The value as an array, unless it is one, also as JSON, or nothing."""
    if value is None or isinstance(value, list):
        return value
    is_json = isinstance(value, str) and value.lstrip().startswith("[")
    return value if is_json else [value]


def _cell(value: Value, step: str) -> Cell:
    if value is None or isinstance(value, str):
        return Cell(value or None, None, step)
    kind = Kind.OBJECT if isinstance(value, dict) else Kind.ARRAY
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Cell(text, kind.value, step)


def _members(element: Element) -> dict[str, tuple[Value, str]]:
    """Attributes, children and own text, each with the step that leads to it."""
    found: dict[str, tuple[Value, str]] = {}
    for name, text in element.items():
        if not name.startswith(_MARKUP):
            _add(found, without_namespace(name), text, "/@")
    for child in element:
        _add(found, local_name(child), _value(child), "/")
    text = "".join((element.text or "", *(child.tail or "" for child in element)))
    if text.strip():
        found[TEXT] = (text, "/text()")
    return found


def _add(found: dict[str, tuple[Value, str]], name: str, value: Value, step: str) -> None:
    if name not in found:
        found[name] = (value, f"{step}{name}")
        return
    known, way = found[name]
    together = known if isinstance(known, _Several) else _Several([known])
    together.append(value)
    found[name] = (together, way)


class _Several(list["Value"]):
    """The values of elements of one name."""


def _value(element: Element) -> Value:
    if element.get(_NIL) in {"true", "1"}:
        return None
    members = {name: value for name, (value, _) in _members(element).items()}
    if not members:
        return element.text or None
    return members[TEXT] if list(members) == [TEXT] else members


def depth_of(element: Element) -> int:
    """How many levels of elements there are, the element itself included."""
    level, deepest = [element], 0
    while level:
        deepest += 1
        level = [child for each in level for child in each]
    return deepest


@dataclass(slots=True)
class _Sender:
    """Makes batches of records; the header goes out with the first one.

    ``known``: the columns, each with its step.
    """

    task: Task
    path: Path
    output: BinaryIO
    known: dict[str, str] = field(init=False)
    rows: list[dict[str, Cell]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    held_bytes: int = 0
    has_header: bool = False

    def __post_init__(self) -> None:
        """Begin with the columns that are known."""
        self.known = {name: f"/{name}" for name in self.task.known_columns}

    def send(self, records: Records) -> None:
        """Send all records."""
        for record in records:
            self._take(record)
            if self._is_full and not self.task.collects_names and not self._flush(records):
                return
        self._flush(records, is_last=True)

    @property
    def _is_full(self) -> bool:
        return (
            len(self.rows) + len(self.faults) >= self.task.batch_rows
            or self.held_bytes >= BATCH_BYTES
        )

    def _take(self, record: Element) -> None:
        line = record.sourceline
        self._check_shape(record, line)
        cells = cells_of(record, self.task.array_columns)
        for name, cell in cells.items():
            if not self.has_header and self.known.setdefault(name, cell.step) != cell.step:
                self.known[name] = cell.step
        if self.task.collects_names:
            self._check_columns(line)
            return
        size = sum(len(cell.text) for cell in cells.values() if cell.text)
        limits = self.task.limits
        if size > limits.record_bytes:
            number = len(self.rows) + len(self.faults)
            self.faults.append(record_too_long(number, line, limits))
            return
        self.held_bytes += size
        self.rows.append(cells)
        self.lines.append(line)

    def _check_shape(self, record: Element, line: int) -> None:
        limits = self.task.limits
        if len(record) and depth_of(record) > limits.nesting_depth:
            limit, allowed = "nesting_depth", limits.nesting_depth
            raise file_refused("XML_TOO_DEEP", line=line, limit=limit, allowed=allowed)
        if max((len(each.attrib) for each in record.iter("*")), default=0) > limits.xml_attributes:
            limit = f"the limit xml_attributes of {limits.xml_attributes}"
            reason = f"an element has more attributes than {limit}"
            raise file_refused("XML_INVALID", line=line, reason=reason)

    def _check_columns(self, line: int) -> None:
        limits = self.task.limits
        if len(self.known) > limits.columns:
            raise file_refused("TOO_MANY_COLUMNS", line=line, allowed=limits.columns)

    def _flush(self, records: Records, *, is_last: bool = False) -> bool:
        """Send what is held; ``False`` where a record has a column that the header has not."""
        if not self.has_header:
            self._send_header(is_last=is_last)
        if any(name not in self.known for row in self.rows for name in row):
            write_frame(self.output, FrameKind.GREW, b"")
            return False
        columns = [[row.get(name, _ABSENT) for row in self.rows] for name in self.known]
        send_batch(
            self.output,
            BatchFacts(
                records=len(self.rows) + len(self.faults),
                input_bytes=min(records.input_bytes, self.task.stored_bytes),
                faults=tuple(self.faults),
            ),
            [pa.array([cell.text for cell in column], pa.string()) for column in columns],
            [pa.array([cell.kind for cell in column], pa.uint8()) for column in columns],
            self.lines,
        )
        self.rows, self.lines, self.faults, self.held_bytes = [], [], [], 0
        return True

    def _send_header(self, *, is_last: bool) -> None:
        self.has_header = True
        if not self.known and (self.rows or self.faults):  # records without any field are records
            self.known = {name: f"/{name}" for name in self.task.column_names}
        self._check_columns(1)
        facts: dict[str, str | int | float | bool] = {
            "format": "xml",
            "records_path": str(self.path),
        }
        is_complete = is_last or bool(self.task.known_columns)
        send_table(
            self.output,
            Table(
                names=tuple(self.known),
                facts=facts,
                steps=tuple(self.known.values()),
                is_complete=is_complete,
            ),
        )


_ABSENT: Final = Cell(None, Kind.ABSENT.value, "")
