"""The events of a YAML stream, held to what is safe, and the places of their marks."""

from __future__ import annotations

import re
from collections import deque
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, Protocol, cast

import yaml

from waybill.transforms.excess import deeper_than, too_large
from waybill.transforms.places import Place
from waybill.transforms.source_text import read_text
from waybill.transforms.tool import PIECE_BYTES, Refused
from waybill.transforms.utf8 import empty_input

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.model.limits import Limits
    from waybill.transforms.tool import Source

LINE_ENDS: Final = "\r\n\x85\u2028\u2029"
"""What ends a line for the parser, which reads YAML 1.1."""

_CERTAIN_ENDS: Final = ("\n", "\x85", "\u2028", "\u2029")
_MOST_ALIASES: Final = 1_000
_MOST_ANCHORS: Final = 100_000
_TAG_NAMES: Final = "null bool int float binary timestamp omap pairs set str seq map merge value"
_SAFE_TAGS: Final = {"!"} | {"tag:yaml.org,2002:" + name for name in _TAG_NAMES.split()}
_UNPRINTABLE: Final = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAG: Final = re.compile("!")
_BAD_ESCAPE: Final = "found unknown escape character"
_READ_AHEAD: Final = 64 * 1024
_EVERYTHING: Final = 1 << 62


class Mark(Protocol):
    """A place as the parser tells it, from 0."""

    @property
    def line(self) -> int:
        """Which line."""

    @property
    def column(self) -> int:
        """Which character of the line."""


class YamlEvents:
    """What a stream says, from libyaml's parser, and the lines that it says it in.

    Lines are held from the last one that was taken, as the parser counts them from 0; in its eyes
    Unicode's separators end lines, too. ``first_line``: the first one that was not taken.
    """

    def __init__(self, source: Source, limits: Limits) -> None:
        self._pieces = read_text(source)
        self._limits = limits
        self._lines: deque[str] = deque()
        self.first_line = 0
        self._taken = ""
        self._taken_place = Place()
        self._unended = ""
        self._unread = deque([""])
        self._given = 0
        self._since_event = 0
        self._is_blank = True
        self._is_ended = False
        self._fault: Refused | None = None

    def events(self) -> Iterator[yaml.Event]:
        """The events in their order; aliases stay aliases.

        Raises:
            Refused: ``INVALID_YAML``, ``INVALID_ENCODING``, ``EMPTY_INPUT`` or
                ``PAYLOAD_TOO_LARGE``.
        """
        rules = _Rules(self, self._limits.nesting_depth)
        parsed = yaml.parse(self, Loader=yaml.CSafeLoader)
        while (event := self._next(parsed)) is not None:
            self._since_event = 0
            rules.check(event)
            yield event

    def read(self, size: int = PIECE_BYTES, /) -> str:
        """What the parser calls for more text; text that goes on without an event is refused."""
        if self._given == len(self._unread[0]):
            self._next_piece()
        text = self._unread[0][self._given : self._given + size]
        self._given += len(text)
        self._since_event += len(text)
        if self._since_event > self._limits.field_bytes + _READ_AHEAD:
            most = self._limits.field_bytes
            message = f"A text or comment is longer than {most} bytes (limits.field_bytes)."
            raise self.refuse_at(self.first_line, 0, message)
        return text

    def too_much(self, mark: Mark, message: str) -> Refused:
        """What says that a limit is met at a mark; ``message`` names it."""
        return self.refuse_at(mark.line, mark.column, message)

    def refuse(self, mark: Mark, sign: re.Pattern[str] | None = None) -> Refused:
        """What says that the character at a mark, or a sign after it, cannot be right."""
        if sign is None:
            return self.refuse_at(mark.line, mark.column)
        before = max(mark.line - self.first_line + 1, 0)
        text = "".join(islice(self._held(), before, None))
        found = sign.search(text, mark.column)
        return self.refuse_at(
            mark.line, mark.column if found is None else found.start(found.lastindex or 0)
        )

    def refuse_at(self, line: int, column: int, excess: str = "") -> Refused:
        """What says that the character there, both from 0, cannot be right.

        The column may lie behind the end of its line, in a later one. ``excess``: the limit that is
        met there.
        """
        before = max(line - self.first_line + 1, 0)
        held = list(self._held())
        offset = sum(map(len, held[:before])) + column
        place = self._taken_place.after_text("".join(held)[:offset])
        if excess:
            return too_large(excess, place)
        return place.refused("YAML validation failed.", "INVALID_YAML")

    def take_lines(self, end: int) -> Iterator[str]:
        """The lines before the one numbered ``end`` that were not taken, with what ends them."""
        while self.first_line < end and self._has_line():
            self._taken_place = self._taken_place.after_text(self._taken)
            if self._lines:
                self._taken = self._lines.popleft()
            else:
                self._taken, self._unended = self._unended, ""
            self.first_line += 1
            yield self._taken

    def pass_lines(self, end: int) -> None:
        """Take the lines before the one numbered ``end``, of which nothing is wanted."""
        deque(self.take_lines(end), maxlen=0)

    def _held(self) -> Iterator[str]:
        """The last line that was taken, and what was read after it."""
        return chain([self._taken], self._lines, [self._unended])

    def _next(self, parsed: Iterator[yaml.Event]) -> yaml.Event | None:
        try:
            return next(parsed, None)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            if mark is None:
                raise self.refuse_at(_EVERYTHING, 0) from error
            is_escape = error.problem == _BAD_ESCAPE
            raise self.refuse_at(mark.line, mark.column + is_escape) from error
        except yaml.YAMLError as error:
            raise self.refuse_at(_EVERYTHING, 0) from error

    def _has_line(self) -> bool:
        """Whether a whole line is there; the parser may have seen the beginning of one alone."""
        while not self._lines and self._fill():
            pass
        return bool(self._lines or self._unended)

    def _next_piece(self) -> None:
        """Let the parser go on with the next piece, none at the end."""
        if len(self._unread) == 1:
            self._fill()
        if len(self._unread) > 1:
            self._unread.popleft()
            self._given = 0
        elif self._fault is not None:
            raise self._fault

    def _fill(self) -> bool:
        """Read a piece and cut its lines; whether there was one.

        A fault waits until the parser has had what stands before it. A character that YAML has not
        is found here, for the parser does not tell its place.
        """
        if self._is_ended:
            return False
        try:
            piece = next(self._pieces, "")
        except Refused as refused:
            piece, self._fault = "", refused
        found = _UNPRINTABLE.search(piece)
        text = piece if found is None else piece[: found.start()]
        self._is_ended = not piece or found is not None
        lines = (self._unended + text).splitlines(keepends=True)
        self._unended = ""
        if lines and not self._is_ended and not lines[-1].endswith(_CERTAIN_ENDS):
            self._unended = lines.pop()
        self._lines += lines
        if text:
            self._unread.append(text)
            self._is_blank = self._is_blank and text.isspace()
        if found is not None:
            self._fault = self.refuse_at(_EVERYTHING, 0)
        elif self._is_ended and self._is_blank and self._fault is None:
            self._fault = empty_input()
        return bool(text)


def start_of(event: yaml.Event) -> Mark:
    """Where an event begins; libyaml always tells."""
    return cast("Mark", event.start_mark)


def end_of(event: yaml.Event) -> Mark:
    """Where an event ends."""
    return cast("Mark", event.end_mark)


class _Rules:
    """What is safe: YAML's own tags, few aliases, each to a known anchor, and no great depth."""

    def __init__(self, source: YamlEvents, most_depth: int) -> None:
        self._source = source
        self._most_depth = most_depth
        self._depth = 0
        self._aliases = 0
        self._anchors: set[str] = set()
        self._is_empty = True

    def check(self, event: yaml.Event) -> None:
        """Refuse an event that breaks a rule, and the end of a stream without a document.

        Raises:
            Refused: ``INVALID_YAML``, ``EMPTY_INPUT`` or ``PAYLOAD_TOO_LARGE``.
        """
        if isinstance(event, yaml.NodeEvent):
            self._check_node(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            self._is_empty = False
            self._anchors.clear()
        elif isinstance(event, yaml.StreamEndEvent) and self._is_empty:
            raise empty_input()

    def _check_node(self, event: yaml.NodeEvent) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._aliases += 1
            if event.anchor not in self._anchors:
                raise self._source.refuse(start_of(event))
            self._check_count(event, self._aliases, _MOST_ALIASES, "aliases")
            return
        if isinstance(event, yaml.CollectionStartEvent):
            self._depth += 1
            if self._depth > self._most_depth:
                raise self._source.too_much(start_of(event), deeper_than(self._most_depth))
        tag = cast("yaml.ScalarEvent", event).tag
        if tag is not None and tag not in _SAFE_TAGS:
            raise self._source.refuse(start_of(event), _TAG)
        if event.anchor is not None:
            self._anchors.add(event.anchor)
            self._check_count(event, len(self._anchors), _MOST_ANCHORS, "anchors")

    def _check_count(self, event: yaml.Event, count: int, most: int, what: str) -> None:
        if count > most:
            raise self._source.too_much(start_of(event), f"There are more than {most} {what}.")
