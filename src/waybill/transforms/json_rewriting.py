"""JSON checked and written anew in a layout, a part at a time.

A text is cut at the last comma between two items. With brackets around it, for the containers that
are open at both ends, it is a document by itself, which a library checks and writes; what the
brackets add is known and cut off. Where there is no such comma, or the library refuses the text,
it is read token by token, which tells the place of a fault to the character.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from waybill.transforms.excess import too_large
from waybill.transforms.json_keys import KeyBook, keys_of_scan, keys_of_structure
from waybill.transforms.json_scanner import MOST_SPACES, Layout, Scanner, Want
from waybill.transforms.json_text import JsonText, invalid_json
from waybill.transforms.tool import PIECE_BYTES, Refused
from waybill.transforms.utf8 import empty_input
from waybill.validation.json_structure import COMMA, OPEN_BRACE, WHITE_SPACE, find_structure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from waybill.model.limits import Limits
    from waybill.transforms.json_keys import Keys
    from waybill.transforms.places import Place
    from waybill.transforms.tool import Source
    from waybill.validation.json_structure import Structure

COMPACT: Final = Layout(indent=-1)
MOST_DEPTH: Final = 512
"""More is never allowed: libraries call themselves once a level."""

_MOST_TOKEN_BYTES: Final = PIECE_BYTES
"""Of names and numbers; no less than is looked at together, so that cuts change no verdict."""

_NOT_TAKEN: Final = (msgspec.DecodeError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a document.

    ``text``: it, written anew. ``source``: as it was; its first byte stands at ``place``.
    ``is_whole``: an item ends with it; otherwise a text, or what a bracket or name begins, goes on.
    """

    text: bytes
    source: bytes
    place: Place
    is_whole: bool


def rewrite(source: Source, layout: Layout, limits: Limits) -> Iterator[Part]:
    """The parts of a document; each begins where the one before ended.

    Memory: a few times ``MOST_SPACES``, and 16 bytes for each name of an object that is larger than
    a piece.

    Raises:
        Refused: ``INVALID_JSON``, ``INVALID_ENCODING`` or ``EMPTY_INPUT``; ``PAYLOAD_TOO_LARGE``
            where it is nested too deep, or a name or number is longer than a piece.
    """
    return _Rewriter(source, layout, limits).parts()


class _Rewriter:
    def __init__(self, source: Source, layout: Layout, limits: Limits) -> None:
        self._text = JsonText(source)
        self._layout = layout
        self._most_depth = min(limits.nesting_depth, MOST_DEPTH)
        self._scanner = Scanner(layout, most_depth=self._most_depth, most_bytes=_MOST_TOKEN_BYTES)
        self._book = KeyBook()

    def parts(self) -> Iterator[Part]:
        """All of them."""
        self._text.fill()
        while self._text.text or not self._text.is_end:
            yield self._next()
            self._text.fill()
        yield self._scan(stops_at_comma=False)
        if self._text.failure is not None:
            raise self._text.failure

    def _next(self) -> Part:
        scanner, text = self._scanner, self._text
        if scanner.is_in_string or not (scanner.want is Want.START or self._is_between_items):
            return self._scan(stops_at_comma=True)
        structure = find_structure(text.text)
        count = self._marks_at_once(structure)
        if text.is_end and count == structure.marks.size:
            return self._cut(text.text, structure)
        commas = np.flatnonzero(structure.marks[:count] == COMMA)
        size = int(structure.places[commas[-1]]) if commas.size else 0
        if not size:
            return self._scan(stops_at_comma=False)
        return self._cut(text.text[:size], structure.first(int(commas[-1])))

    def _marks_at_once(self, structure: Structure) -> int:
        """Before how many of the marks ``MOST_SPACES`` are written; each may begin a line."""
        indent, depth = self._layout.indent, len(self._scanner.kinds)
        size = structure.marks.size
        if size * (structure.deepest + depth) * indent <= MOST_SPACES:
            return size
        spaces = np.cumsum((structure.depths + depth) * indent, dtype=np.int64)
        return int(spaces.searchsorted(MOST_SPACES))

    @property
    def _is_between_items(self) -> bool:
        return self._scanner.want is Want.NEXT and bool(self._scanner.kinds)

    def _cut(self, text: bytes, structure: Structure) -> Part:
        """Take a text that ends before a comma, or with the document."""
        kinds = self._scanner.kinds
        depth = len(kinds)
        closed, opened = structure.left_open()
        after = kinds[: max(0, depth - closed)] + structure.marks[opened].tobytes()
        is_sound = closed <= depth and depth + structure.deepest <= self._most_depth
        if text.rstrip(WHITE_SPACE).endswith((b"[", b"{")):
            is_sound = False  # a comma behind it is a fault, which closing it would hide
        written = self._written(text, bytes(after)) if is_sound else None
        ends = self._text.is_end and len(text) == len(self._text.text)
        if written is None or (ends and after):
            return self._scan(stops_at_comma=False)
        keys = keys_of_structure(text, structure, depth)
        self._enter(keys, [*range(depth - closed), *(opened + depth).tolist()])
        self._scanner.kinds = after
        self._scanner.want = Want.NEXT
        return self._passed(len(text), written)

    def _written(self, text: bytes, after: bytes) -> bytes | None:
        """The text written anew; ``None`` where the library does not take it.

        ``after``: the containers that are open behind it.
        """
        before = bytes(self._scanner.kinds)
        try:
            written = self._format(_opening(before) + text + _closing(after))
        except _NOT_TAKEN:
            return None
        begin = 0
        if before:
            borders = self._format(_opening(before) + _closing(before))
            begin = len(borders) - self._closing_size(len(before))
        return written[begin : len(written) - self._closing_size(len(after))]

    def _format(self, text: bytes) -> bytes:
        return msgspec.json.format(text, indent=self._layout.indent)

    def _closing_size(self, depth: int) -> int:
        """How many bytes close so many containers that are not empty."""
        return sum(len(self._layout.line(level)) + 1 for level in range(depth))

    def _scan(self, *, stops_at_comma: bool) -> Part:
        """Read token by token, as much as is written at once or up to where it can be cut again."""
        text, is_end = self._text.text, self._text.is_end
        scan = self._scanner.scan(text, is_end=is_end, stops_at_comma=stops_at_comma)
        self._enter(keys_of_scan(scan.keys), scan.owners)
        if scan.fault is not None:
            raise self._refused(scan.fault, scan.excess)
        part = self._passed(scan.end, b"".join(scan.output))
        if self._text.text and not part.source:  # a token that goes on
            self._text.read_more(PIECE_BYTES)
        return part

    def _enter(self, keys: Keys, owners: Sequence[int]) -> None:
        repeated = self._book.enter(keys, owners)
        if repeated is not None:
            raise invalid_json(self._text.place_at(repeated))

    def _refused(self, offset: int, excess: str) -> Refused:
        """Why the document is refused whose text cannot go on there."""
        text = self._text
        if excess:
            return too_large(excess, text.place_at(offset))
        if not (text.is_end and offset == len(text.text)):
            return invalid_json(text.place_at(offset))
        if text.failure is not None:
            return text.failure
        is_begun = self._scanner.is_in_string or self._scanner.want is not Want.START
        if not is_begun and not text.text.strip(WHITE_SPACE):
            return empty_input()
        return invalid_json(text.place_at(offset))

    def _passed(self, size: int, written: bytes) -> Part:
        place, source = self._text.place, self._text.text[:size]
        self._text.pass_over(size)
        is_whole = self._scanner.want is Want.NEXT
        return Part(text=written, source=source, place=place, is_whole=is_whole)


def _opening(kinds: bytes) -> bytes:
    """What opens those containers; the innermost has one item."""
    opened = [b'{"":' if kind == OPEN_BRACE else b"[" for kind in kinds]
    return b"".join(opened) + (b"0" if kinds else b"")


def _closing(kinds: bytes) -> bytes:
    return kinds[::-1].translate(bytes.maketrans(b"{[", b"}]"))
