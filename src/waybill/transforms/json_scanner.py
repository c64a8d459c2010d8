"""JSON read token by token: exact about the first character that cannot be right, but slow.

It goes on from any place between two tokens, and within a value that is a string. What it has read
it writes anew in a ``Layout``. Source: RFC 8259, whose section 9 allows the limits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from waybill.transforms.excess import deeper_than
from waybill.transforms.tool import PIECE_BYTES
from waybill.validation.json_structure import COLON, COMMA, OPEN_BRACE, OPEN_BRACKET
from waybill.validation.record_index import QUOTE

_SPACE: Final = re.compile(rb"[ \t\r\n]*+")
_BODY: Final = re.compile(rb'(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
_ESCAPE_BEGIN: Final = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3})?")
_NUMBER: Final = re.compile(rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")
_NUMBER_BEGIN: Final = re.compile(
    rb"""-?(?:(?:0|[1-9][0-9]*+)
         (?:\.(?:[0-9]++(?:[eE](?:[+-]?[0-9]*+))?)?|[eE][+-]?[0-9]*+)?)?""",
    re.VERBOSE,
)
_NUMBER_STARTS: Final = frozenset(b"-0123456789")
_WORDS: Final = {word[0]: word for word in (b"true", b"false", b"null")}
_CLOSING: Final = {OPEN_BRACE: ord("}"), OPEN_BRACKET: ord("]")}


MOST_SPACES: Final = 8 * PIECE_BYTES
"""That are written at once, about: a piece of brackets and commas may take hundreds of each."""


class Fault(Exception):
    """The text cannot be JSON; ``offset``: of the first byte that cannot be right.

    ``excess``: the limit that is met there, where it may be JSON after all.
    """

    def __init__(self, offset: int, excess: str = "") -> None:
        super().__init__(f"at byte {offset}")
        self.offset = offset
        self.excess = excess


class Want(Enum):
    """What may come next."""

    START = auto()
    VALUE = auto()
    FIRST_VALUE = auto()
    KEY = auto()
    FIRST_KEY = auto()
    COLON = auto()
    NEXT = auto()
    """A comma or a closing bracket; at depth 0 nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How JSON is written. ``indent``: spaces of one level; 0 is one line, -1 has no spaces."""

    indent: int

    @property
    def colon(self) -> bytes:
        """What stands between a name and its value."""
        return b":" if self.indent < 0 else b": "

    def comma(self, depth: int) -> bytes:
        """What stands between two items."""
        return b", " if self.indent == 0 else b"," + self.line(depth)

    def line(self, depth: int) -> bytes:
        """What begins a line."""
        return b"\n" + b" " * (self.indent * depth) if self.indent > 0 else b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """The name of a member. ``start``: of its quote. ``text``: between its quotes, as written.

    ``owner``: the number of its object, see ``Scan``.
    """

    start: int
    text: bytes
    owner: int


@dataclass(slots=True, kw_only=True)
class Scan:
    """What was read at one time.

    ``end``: where the rest begins. ``output``: it, written anew. ``owners``: numbers of the
    containers that are open, the outermost first; those that were open at the begin are counted
    from 0. ``fault``: where it ended early. ``excess``: the limit that was met there.
    """

    owners: list[int]
    opened: int
    end: int = 0
    output: list[bytes] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    fault: int | None = None
    excess: str = ""


class _Incomplete(Exception):
    """The text ends within a token."""


class Scanner:
    """Where in a document one is.

    ``kinds``: the opening bracket of each container that is open. ``most_depth``: of those.
    ``most_bytes``: of a name or number.
    """

    def __init__(self, layout: Layout, *, most_depth: int, most_bytes: int) -> None:
        self.layout = layout
        self.kinds = bytearray()
        self.want = Want.START
        self.is_in_string = False
        self._most_depth = most_depth
        self._most_bytes = most_bytes
        self._too_long = f"A name or number is longer than {most_bytes} bytes."
        self._most_written = MOST_SPACES // len(layout.comma(most_depth))
        self._is_end = False

    def scan(self, text: bytes, *, is_end: bool, stops_at_comma: bool) -> Scan:
        """Read on, up to the end of the text, a token that it cuts, a fault, or ``MOST_SPACES``.

        ``is_end``: the document ends with it. ``stops_at_comma``: or up to the next comma behind
        an item.
        """
        self._is_end = is_end
        depth = len(self.kinds)
        scan = Scan(owners=list(range(depth)), opened=depth)
        try:
            self._scan(text, scan, stops_at_comma=stops_at_comma)
        except Fault as fault:
            scan.fault, scan.excess = fault.offset, fault.excess
        except _Incomplete:
            if is_end:
                scan.fault = len(text)
            elif len(text) - scan.end > self._most_bytes:
                scan.fault, scan.excess = scan.end, self._too_long
        else:
            is_whole = self.want is Want.NEXT and not self.kinds
            if is_end and scan.end == len(text) and not is_whole:
                scan.fault = len(text)
        return scan

    def _scan(self, text: bytes, scan: Scan, *, stops_at_comma: bool) -> None:
        if self.is_in_string:
            scan.end = self._string_part(text, 0, scan)
        while not self.is_in_string and len(scan.output) < self._most_written:
            at = _reach(_SPACE, text, scan.end)
            scan.end = at
            if at == len(text):
                return
            if stops_at_comma and self.want is Want.NEXT and self.kinds and text[at] == COMMA:
                return
            scan.end = self._token(text, at, scan)

    def _token(self, text: bytes, at: int, scan: Scan) -> int:
        """Read the token there; where it ends."""
        match self.want:
            case Want.NEXT:
                return self._comma_or_close(text, at, scan)
            case Want.COLON:
                return self._colon(text, at, scan)
            case Want.KEY | Want.FIRST_KEY:
                return self._key(text, at, scan)
            case Want.START | Want.VALUE | Want.FIRST_VALUE:
                return self._value(text, at, scan)

    def _comma_or_close(self, text: bytes, at: int, scan: Scan) -> int:
        if not self.kinds:
            raise Fault(at)
        if text[at] != COMMA:
            return self._close(text, at, scan)
        scan.output.append(self.layout.comma(len(self.kinds)))
        self.want = Want.KEY if self.kinds[-1] == OPEN_BRACE else Want.VALUE
        return at + 1

    def _colon(self, text: bytes, at: int, scan: Scan) -> int:
        if text[at] != COLON:
            raise Fault(at)
        scan.output.append(self.layout.colon)
        self.want = Want.VALUE
        return at + 1

    def _key(self, text: bytes, at: int, scan: Scan) -> int:
        if text[at] != QUOTE:
            if self.want is Want.FIRST_KEY:
                return self._close(text, at, scan)
            raise Fault(at)
        end = _body_end(text, at + 1)
        if end == len(text) or text[end] != QUOTE:
            raise _Incomplete
        if end - at > self._most_bytes:
            raise Fault(at, self._too_long)
        self._begin_item(scan)
        scan.keys.append(Key(start=at, text=text[at + 1 : end], owner=scan.owners[-1]))
        scan.output.append(text[at : end + 1])
        self.want = Want.COLON
        return end + 1

    def _value(self, text: bytes, at: int, scan: Scan) -> int:
        first = text[at]
        if first in _CLOSING:
            return self._open(at, first, scan)
        if first == QUOTE:
            self._begin_item(scan)
            scan.output.append(b'"')
            self.is_in_string = True
            return self._string_part(text, at + 1, scan)
        if first in _NUMBER_STARTS:
            end = self._number_end(text, at)
        elif first in _WORDS:
            end = _word_end(text, at, _WORDS[first])
        elif self.want is Want.FIRST_VALUE:
            return self._close(text, at, scan)
        else:
            raise Fault(at)
        self._begin_item(scan)
        scan.output.append(text[at:end])
        self.want = Want.NEXT
        return end

    def _open(self, at: int, bracket: int, scan: Scan) -> int:
        if len(self.kinds) >= self._most_depth:
            raise Fault(at, deeper_than(self._most_depth))
        self._begin_item(scan)
        scan.output.append(bytes((bracket,)))
        self.kinds.append(bracket)
        scan.owners.append(scan.opened)
        scan.opened += 1
        self.want = Want.FIRST_KEY if bracket == OPEN_BRACE else Want.FIRST_VALUE
        return at + 1

    def _close(self, text: bytes, at: int, scan: Scan) -> int:
        if text[at] != _CLOSING[self.kinds[-1]]:
            raise Fault(at)
        self.kinds.pop()
        scan.owners.pop()
        if self.want is Want.NEXT:
            scan.output.append(self.layout.line(len(self.kinds)))
        scan.output.append(text[at : at + 1])
        self.want = Want.NEXT
        return at + 1

    def _begin_item(self, scan: Scan) -> None:
        """The first item of a container begins a line; what follows a comma has begun it."""
        if self.want in {Want.FIRST_KEY, Want.FIRST_VALUE}:
            scan.output.append(self.layout.line(len(self.kinds)))

    def _string_part(self, text: bytes, at: int, scan: Scan) -> int:
        """Read on within a value that is a string; where what was read of it ends."""
        end = _body_end(text, at)
        is_closed = end < len(text) and text[end] == QUOTE
        scan.end = end + is_closed
        scan.output.append(text[at : scan.end])
        if is_closed:
            self.is_in_string = False
            self.want = Want.NEXT
        elif end < len(text):
            raise _Incomplete
        return scan.end

    def _number_end(self, text: bytes, at: int) -> int:
        """Where the number ends; behind the last byte of the text it could go on."""
        end = _reach(_NUMBER_BEGIN, text, at)
        is_whole = _reach(_NUMBER, text, at) == end
        if end == len(text) and not (is_whole and self._is_end):
            raise _Incomplete
        if not is_whole:
            raise Fault(end)
        if end - at > self._most_bytes:
            raise Fault(at, self._too_long)
        return end


def _reach(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    """How far the pattern matches from there on."""
    found = pattern.match(text, at)
    return at if found is None else found.end()


def _word_end(text: bytes, at: int, word: bytes) -> int:
    found = text[at : at + len(word)]
    if found == word:
        return at + len(word)
    if word.startswith(found):
        raise _Incomplete
    raise Fault(at + next(i for i, byte in enumerate(found) if byte != word[i]))


def _body_end(text: bytes, at: int) -> int:
    """Where what can be right in a string ends: before its quote, at the text's end or an escape.

    Raises:
        Fault: a byte there cannot be right.
    """
    end = _reach(_BODY, text, at)
    if end == len(text) or text[end] == QUOTE:
        return end
    wrong = _reach(_ESCAPE_BEGIN, text, end)
    if wrong < len(text):
        raise Fault(wrong)
    return end
