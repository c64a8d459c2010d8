"""The elements under the operations of a feed, one by one, or many at once where they are plain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from waybill.formats.contained.feed_elements import UPDATE, has_text
from waybill.formats.contained.feed_scanning import Scanned, scan
from waybill.formats.contained.xml_records import FEED_BYTES, PARSER, forget, local_name
from waybill.formats.contained.xml_text import feed, refuse_syntax
from waybill.model.feed import CLEAR, MOST_CHANGES, OPERATIONS
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from waybill.formats.contained.protocol import Task
    from waybill.model.feed import Feed

    Element = Any
    Pieces = Iterable[tuple[bytes, int]]

ROOT: Final = "operations"
WINDOW_BYTES: Final = 4 * 1024 * 1024
"""As much text is looked at at once."""

PARSED_BYTES: Final = 256 * 1024
"""As much the parser reads at least before it is tried again whether the text is plain."""

_MARKUP: Final = re.compile(rb"<[!?]")


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
        self._changes = 0
        self._looked_at = WINDOW_BYTES
        self._line = 0
        self._last: tuple[str, Element] = ("", None)
        self._is_simple = bool(kinds.elements)
        self._cut = re.compile(
            _either("<", OPERATIONS) + b"|" + _either("</", self._records_names())
        )
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
                scanned = self._scan(held)
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

    def _scan(self, held: bytes) -> Scanned | None:
        """What arrays find; of operations with few records no more is looked at than they take."""
        look = self._looked_at
        scanned = scan(held[:look], self._feed, is_update=self._rank == UPDATE)
        if scanned is None and look < len(held):
            scanned = scan(held, self._feed, is_update=self._rank == UPDATE)
        if scanned is not None:
            self._looked_at = max(PARSED_BYTES, min(WINDOW_BYTES, 4 * scanned.consumed))
        return scanned

    def _next_cut(self, held: bytes, *, is_last: bool) -> int:
        """How much the parser is given: up to where it may stand directly in an operation.

        Far enough, so that a text that is not plain is not looked at for every element of it.
        """
        if not self._is_simple:
            return len(held)
        found = self._cut.search(held, 0 if self._operation is None else PARSED_BYTES)
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
        self._parser, self._operation = self._new_parser(), None
        for _ in self._fed(f"<{ROOT}><{OPERATIONS[self._rank]}>".encode()):
            raise AssertionError("an operation that has begun holds nothing")

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
        names = (ROOT, *OPERATIONS, *self._records_names())
        return [f"{{*}}{name}" for name in names]

    def _records_names(self) -> tuple[str, ...]:
        """What stands directly in operations, where that is known."""
        return (*self._feed.elements, *self._feed.wrappers)

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
                refuse_text(element, self._line)
                self._operation = None
                forget(element)
            elif event == "end" and parent is self._operation:
                before = list(element.itersiblings(preceding=True))
                yield from self._others(reversed(before))
                yield from self._records(element)
                forget(element)

    def _others(self, elements: Iterable[Element]) -> Iterator[Found]:
        """What nobody looks for, though it stands where records do; those are gone by now."""
        known = self._records_names()
        for element in elements:
            if known and local_name(element) not in known:
                yield Found(self._rank, element, self._line)

    def _check_root(self, root: Element, event: str) -> None:
        if event == "end":
            self._refuse_others(root)
        elif root.attrib or root.nsmap:
            self._is_simple = False

    def _refuse_others(self, root: Element) -> None:
        """Under the root stand operations, each of them taken as it came, and nothing else."""
        for element in root:
            if local_name(element) not in OPERATIONS:
                self._refuse_operation(element)
        refuse_text(root, self._line)

    def _refuse_operation(self, element: Element) -> None:
        reason = f"{local_name(element)!r} is no operation; known are {', '.join(OPERATIONS)}"
        raise file_refused("FEED_INVALID", line=self._line + element.sourceline, reason=reason)

    def _begin(self, element: Element, parent: Element) -> None:
        name, line = local_name(element), self._line + element.sourceline
        if parent.getparent() is not None:
            self._refuse_operation(parent)
        if name not in OPERATIONS:
            self._refuse_operation(element)
        for before in element.itersiblings(preceding=True):
            if local_name(before) not in OPERATIONS:
                self._refuse_operation(before)
        rank = OPERATIONS.index(name)
        self._changes += rank != self._rank
        if self._changes > MOST_CHANGES:
            reason = f"operations change more than {MOST_CHANGES} times; put those of one together"
            raise file_refused("FEED_INVALID", line=line, reason=reason)
        self._operation, self._rank = element, rank
        if element.attrib or element.nsmap:
            self._is_simple = False

    def _records(self, element: Element) -> Iterator[Found]:
        """The element, or what stands in it where it only wraps others."""
        if OPERATIONS[self._rank] == CLEAR:
            yield Found(self._rank, element, self._line)
            return
        for each in unwrapped(element, self._feed, self._line):
            yield Found(self._rank, each, self._line)


def refuse_root(name: str) -> None:
    """Let a document pass whose root may hold operations."""
    if name != ROOT:
        raise file_refused("FEED_INVALID", reason=f"the root is {name!r}, not {ROOT!r}")


def unwrapped(element: Element, kinds: Feed, line: int) -> Iterable[Element]:
    """The element, or those in it where it only wraps others; ``line``: before its own."""
    if local_name(element) not in kinds.wrappers:
        return (element,)
    refuse_text(element, line)
    return list(element)


def refuse_text(element: Element, line: int) -> None:
    """Let an element pass that holds nothing but elements; ``line``: before its own."""
    if has_text(element):
        reason = f"text stands in {local_name(element)!r} beside its records"
        raise file_refused("FEED_INVALID", line=line + element.sourceline, reason=reason)


def _either(before: str, names: Iterable[str]) -> bytes:
    """A pattern of tags of any of these names."""
    return f"{before}(?:{'|'.join(map(re.escape, names))})>".encode()
