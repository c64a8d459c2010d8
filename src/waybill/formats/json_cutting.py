"""Cutting the items of one JSON array or object into slices, without reading it as a whole.

Items are parted by the commas that stand in no string and no further bracket. A bracket that closes
nothing belongs to its item, unless it is the one that ends the container: so an item that is no
JSON spoils no other as long as its own quotes and brackets are in pairs.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from waybill.formats.csv_exact import QuoteLayout
from waybill.formats.json_judging import NOT_JSON, decode_raw
from waybill.formats.slices import NO_QUOTES, Slice
from waybill.ports.reader import ReadPosition
from waybill.validation.codes import file_refused
from waybill.validation.json_structure import COMMA, WHITE_SPACE, Structure, find_structure, trimmed
from waybill.validation.record_index import RecordIndex, as_array, find_line_ends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from waybill.errors import FileRefused
    from waybill.formats.slices import CutRules
    from waybill.formats.text_window import TextWindow
    from waybill.validation.record_index import Offsets

OPENING: Final = {b"]": b"[", b"}": b"{"}
_AT_BYTE: Final = re.compile(r" \(byte ([0-9]+)\)$")
_TRUNCATED: Final = "Input data was truncated"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Items:
    """The whole items at the beginning of a text.

    ``starts`` and ``ends``: of each, white space around it excluded. ``stops``: where the comma or
    bracket behind it stands. ``close``: where the container ends, -1 if not behind these items.
    """

    starts: Offsets
    ends: Offsets
    stops: Offsets
    close: int
    structure: Structure

    @property
    def is_last(self) -> bool:
        """Whether the container ends behind them."""
        return self.close >= 0

    def first(self, count: int) -> _Items:
        """The first of them, as many as asked for."""
        if count >= self.stops.size:
            return self
        return replace(
            self,
            starts=self.starts[:count],
            ends=self.ends[:count],
            stops=self.stops[:count],
            close=-1,
        )


class WindowCutter(ABC):
    """What cutters share that look at a text through a window; see ``Cutter``."""

    def __init__(self, window: TextWindow, rules: CutRules) -> None:
        self._window = window
        self._rules = rules
        self._first_record = window.position.record

    @property
    def position(self) -> ReadPosition:
        """Where the next slice begins, except for white space."""
        return self._window.position

    def slices(self) -> Iterator[Slice]:
        """All slices; raises as ``next_slice``."""
        while piece := self.next_slice():
            yield piece

    def skip_to(self, place: ReadPosition) -> None:
        """Go on from the begin of an item that lies ahead."""
        self._window.go_to(place)

    @abstractmethod
    def next_slice(self) -> Slice | None:
        """The next slice; ``None`` at the end."""


class ItemCutter(WindowCutter):
    """Cuts what stands between the brackets of one container; the window begins with it.

    ``closing``: the bracket that ends it. ``finish``: looks at what stands behind it, once all
    slices were given. Memory: a few times a chunk, or the longest item.
    """

    def __init__(
        self,
        window: TextWindow,
        rules: CutRules,
        *,
        closing: bytes = b"]",
        finish: Callable[[TextWindow], None] | None = None,
    ) -> None:
        super().__init__(window, rules)
        self._closing = closing
        self._finish = finish
        self._ordinal = 0
        self._size = rules.chunk_bytes
        self._is_done = False

    def next_slice(self) -> Slice | None:
        """The next slice; ``None`` at the end of the container.

        Raises:
            FileRefused: ``JSON_INVALID`` or ``RECORD_TOO_LONG`` of the next item, or what
                ``finish`` raises; every item before has been given.
        """
        if not self._is_done:
            self._window.pass_space(WHITE_SPACE)
            text, items = self._look()
            self._is_done = items.is_last
            if items.stops.size:
                return self._slice(text, items)
            self._window.pass_over(items.close + 1)
        if self._finish is not None:
            finish, self._finish = self._finish, None
            finish(self._window)
        return None

    def _look(self) -> tuple[bytes, _Items]:
        """The next items that make a chunk, and a text that begins with them.

        Small items make small chunks: then less than a chunk's bytes is looked at, and more only
        where that was too little.
        """
        rules, size = self._rules, self._size
        while True:
            text = self._window.look(size)
            items = self._limited(self._items(text))
            is_enough = size >= rules.chunk_bytes or items.stops.size >= rules.chunk_records
            if items.is_last or (items.stops.size and (is_enough or self._window.is_rest(size))):
                return text, items
            if not items.stops.size and (self._window.is_rest(size) or size > rules.line_bytes):
                raise self._open_item(text, items.structure)
            size = min(2 * size, rules.chunk_bytes) if size < rules.chunk_bytes else 2 * size

    def _items(self, text: bytes) -> _Items:
        structure, close = self._within(find_structure(text))
        stops = structure.places[(structure.depths == 0) & (structure.marks == COMMA)]
        is_empty = not stops.size and close == 0 and self.position.record == self._first_record
        if close >= 0 and not is_empty:
            stops = np.append(stops, close)
        starts = np.concatenate((np.zeros(1, np.int64), stops + 1))[: stops.size]
        starts, ends = trimmed(as_array(text), starts, stops)
        return _Items(
            starts=starts,
            ends=np.where(starts < stops, ends, starts),  # nothing at all between two commas
            stops=stops,
            close=close,
            structure=structure,
        )

    def _within(self, structure: Structure) -> tuple[Structure, int]:
        """The structure within the container, and where that ends; -1 where it does not."""
        depths = structure.depths
        lowest = np.minimum.accumulate(np.minimum(depths, 0))
        if not lowest.size or lowest[-1] == 0:
            return structure, -1
        is_stray = np.diff(lowest, prepend=0) < 0
        ends = np.flatnonzero(is_stray & (structure.marks == ord(self._closing)))
        size, close = (ends[0], int(structure.places[ends[0]])) if ends.size else (None, -1)
        inner = replace(
            structure,
            places=structure.places[:size],
            marks=structure.marks[:size],
            depths=(depths - lowest)[:size],
        )
        return inner, close

    def _limited(self, items: _Items) -> _Items:
        """As many items as a chunk may have, none of them too long.

        Raises:
            FileRefused: ``RECORD_TOO_LONG`` of the first one.
        """
        too_long = np.flatnonzero(items.stops - items.starts > self._rules.line_bytes)
        if not too_long.size:
            return items.first(self._rules.chunk_records)
        if too_long[0] == 0:
            raise self._refused("RECORD_TOO_LONG", 0)
        return items.first(min(int(too_long[0]), self._rules.chunk_records))

    def _slice(self, text: bytes, items: _Items) -> Slice:
        start = self.position
        size = items.close if items.is_last else int(items.stops[-1]) + 1
        text = text[:size]
        line_ends = find_line_ends(text)
        end = ReadPosition(
            byte=start.byte + size + items.is_last,
            line=start.line + line_ends.size,
            record=start.record + items.stops.size,
        )
        self._window.go_to(end)
        self._size = min(self._rules.chunk_bytes, 2 * size + 1)
        self._ordinal += 1
        return Slice(
            ordinal=self._ordinal - 1,
            text=text,
            layout=QuoteLayout.regular(NO_QUOTES),
            index=RecordIndex(starts=items.starts, line_ends=line_ends),
            start=start,
            end=end,
            input_bytes=self._window.input_bytes,
            ends=items.ends,
            structure=items.structure.until(size),
        )

    def _open_item(self, text: bytes, structure: Structure) -> FileRefused:
        """Why the item that the text begins cannot be read."""
        depth = self._rules.nesting_depth
        if structure.depths.size and structure.depths[-1] > depth:
            offset = int(structure.places[np.argmax(structure.depths > depth)])
            reason = f"nested deeper than the limit nesting_depth of {depth}, and not closed"
            return self._refused("JSON_INVALID", offset, reason=reason)
        fault = fault_in(OPENING[self._closing] + text)
        if fault is not None:
            offset, reason = fault
            return self._refused("JSON_INVALID", offset - 1, reason=reason)
        if self._window.is_rest(len(text)):
            reason = f"the text ends before {self._closing.decode()!r}"
            return self._refused("JSON_INVALID", len(text), reason=reason)
        return self._refused("RECORD_TOO_LONG", 0)

    def _refused(self, code: str, offset: int, *, reason: str = "") -> FileRefused:
        self._window.pass_over(offset)
        line, byte = self.position.line, self.position.byte
        allowed = self._rules.line_bytes
        return file_refused(
            code, line=line, byte=byte, limit="line_bytes", allowed=allowed, reason=reason
        )


def fault_in(text: bytes) -> tuple[int, str] | None:
    """Where a text is no JSON, and why; ``None`` where it is, or may be the beginning of one."""
    try:
        decode_raw(text)
    except NOT_JSON as error:
        message = str(error)
        if message == _TRUNCATED:
            return None
        found = _AT_BYTE.search(message)
        return (int(found[1]) if found else 0), _AT_BYTE.sub("", message)
    return None
