"""What stands outside of the strings of JSON text, found by arrays over its bytes.

Quotes that no backslash escapes open and close strings in turn; brackets outside of them give the
depth. In valid JSON all this is exact; in any other text it is at least always the same, wherever
a piece of the text begins between two elements. Source: RFC 8259.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from waybill.validation.record_index import QUOTE, as_array

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from waybill.validation.record_index import Bytes, Offsets

    Flags = npt.NDArray[np.bool_]

COMMA: Final = ord(",")
COLON: Final = ord(":")
OPEN_BRACE: Final = ord("{")
OPEN_BRACKET: Final = ord("[")
CLOSE_BRACE: Final = ord("}")
CLOSE_BRACKET: Final = ord("]")
BACKSLASH: Final = ord("\\")
WHITE_SPACE: Final = b" \t\r\n"

_NO_LEVEL: Final = np.zeros(1, dtype=np.int32)
BRACKET_KIND: Final = 0x20
"""The bit in which square brackets differ from braces."""

_SPACE: Final = np.zeros(256, dtype=np.bool_)
_SPACE[list(WHITE_SPACE)] = True
_BLOCK_BYTES: Final = 256 * 1024
"""Fits in the cache; smaller ones would have threads wait for each other more often."""

_LAST_SPACE: Final = max(WHITE_SPACE)
_FEW_SPACES: Final = 3
_ONE: Final = np.uint64(1)
_HIGHEST: Final = np.uint64(63)
_NOTHING: Final = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """The brackets, colons and commas outside of strings, in parallel arrays.

    ``places``: their offsets, rising. ``marks``: the bytes. ``depths``: how many brackets are open
    behind each; below zero where more were closed than opened. ``backslashes``: the offset of the
    last of each run of them.
    """

    places: Offsets
    marks: Bytes
    depths: npt.NDArray[np.int32]
    backslashes: Offsets

    def only(self, wanted: Flags) -> Structure:
        """Those marks that are wanted."""
        if wanted.all():
            return self
        return replace(
            self,
            places=np.compress(wanted, self.places),
            marks=np.compress(wanted, self.marks),
            depths=np.compress(wanted, self.depths),
        )

    def until(self, offset: int) -> Structure:
        """What stands before an offset."""
        size = self.places.searchsorted(offset)
        return Structure(
            places=self.places[:size],
            marks=self.marks[:size],
            depths=self.depths[:size],
            backslashes=self.backslashes[: self.backslashes.searchsorted(offset)],
        )

    def first(self, count: int) -> Structure:
        """The first marks, as many as asked for; all ``backslashes``."""
        return replace(
            self,
            places=self.places[:count],
            marks=self.marks[:count],
            depths=self.depths[:count],
        )

    def left_open(self) -> tuple[int, Offsets]:
        """What is open at the end of a text that may begin inside of others.

        How many of the brackets that were open at its begin were closed, and the numbers of those
        marks that opened brackets which are not closed.
        """
        lowest = int(self.depths.min(initial=0))
        brackets = np.flatnonzero(self.marks > COLON)
        depths = self.depths[brackets]
        later = np.minimum.accumulate(depths[::-1])[::-1]
        opened = (self.marks[brackets] | BRACKET_KIND) == OPEN_BRACE
        return -lowest, brackets[opened & (depths <= later)]

    @property
    def deepest(self) -> int:
        """The most brackets that are open at one place."""
        return int(self.depths.max(initial=0))


def find_structure(text: bytes) -> Structure:
    """The structure of a text that begins outside of strings."""
    array = as_array(text)
    quotes = _bits(array, lambda block: block == QUOTE)
    backslashes = _NOTHING
    if BACKSLASH in text:
        firsts, backslashes = _run_ends(_bits(array, lambda block: block == BACKSLASH))
        escaped = _escaped_quotes(array, firsts, backslashes)
        np.bitwise_and.at(quotes, escaped >> 3, ~np.left_shift(1, escaped & 7).astype(np.uint8))
    places = _offsets(_bits(array, _marks) & ~_strings(quotes))
    marks = array[places]
    return Structure(places=places, marks=marks, depths=_depths(marks), backslashes=backslashes)


def _bits(array: Bytes, find: Callable[[Bytes], Flags]) -> Bytes:
    """One bit for each byte, set where it is found; in blocks, which stay in the cache."""
    blocks = range(0, array.size, _BLOCK_BYTES)
    found = [np.packbits(find(array[at : at + _BLOCK_BYTES]), bitorder="little") for at in blocks]
    return np.concatenate(found) if found else np.empty(0, dtype=np.uint8)


def _offsets(bits: Bytes) -> Offsets:
    """The numbers of the bits that are set."""
    size = _BLOCK_BYTES // 8
    found = [
        np.flatnonzero(np.unpackbits(bits[at : at + size], bitorder="little").view(np.bool_))
        + 8 * at
        for at in range(0, bits.size, size)
    ]
    return np.concatenate(found) if found else _NOTHING


def _marks(block: Bytes) -> Flags:
    """Where brackets, colons and commas stand."""
    folded = block | BRACKET_KIND
    found: Flags = folded == OPEN_BRACE
    found |= folded == CLOSE_BRACE
    found |= block == COLON
    found |= block == COMMA
    return found


def _depths(marks: Bytes) -> npt.NDArray[np.int32]:
    """How many brackets are open behind each mark: only at brackets this changes."""
    brackets = np.flatnonzero(marks > COLON)
    is_opening = (marks[brackets] | BRACKET_KIND) == OPEN_BRACE
    steps = np.where(is_opening, 1, -1)
    levels = np.concatenate((_NO_LEVEL, np.cumsum(steps, dtype=np.int32)))
    depths: npt.NDArray[np.int32] = np.repeat(
        levels, np.diff(brackets, prepend=0, append=marks.size)
    )
    return depths


def _strings(quotes: Bytes) -> Bytes:
    """The bits of all bytes from an opening quote up to its closing one.

    A byte is inside where the quotes up to it are odd in number: their running parity, by doubling
    within each word of 64 bits, then from word to word.
    """
    words = _words(quotes)
    for step in (1, 2, 4, 8, 16, 32):
        words ^= words << np.uint64(step)
    is_odd = np.bitwise_xor.accumulate(words >> _HIGHEST)
    words[1:] ^= -is_odd[:-1]
    return words.view(np.uint8)[: quotes.size]


def _run_ends(bits: Bytes) -> tuple[Offsets, Offsets]:
    """The offsets of the first and of the last bit of each run of bits that are set."""
    words = _words(bits)
    before, after = words << _ONE, words >> _ONE
    before[1:] |= words[:-1] >> _HIGHEST
    after[:-1] |= words[1:] << _HIGHEST
    firsts, lasts = words & ~before, words & ~after
    return _offsets(firsts.view(np.uint8)), _offsets(lasts.view(np.uint8))


def _words(bits: Bytes) -> npt.NDArray[np.uint64]:
    """The same bits in words of 64, filled up with zeros."""
    words = np.zeros(-(-bits.size // 8), dtype="<u8")
    words.view(np.uint8)[: bits.size] = bits
    return words


def _escaped_quotes(array: Bytes, firsts: Offsets, lasts: Offsets) -> Offsets:
    """The offsets of quotes behind a run of an odd number of backslashes."""
    behind = lasts + 1
    behind = behind[(behind - firsts) % 2 == 1]
    behind = behind[behind < array.size]
    quotes: Offsets = behind[array[behind] == QUOTE]
    return quotes


def find_unicode_escapes(text: bytes, backslashes: Offsets) -> Offsets:
    """Those of the backslashes behind which a ``u`` stands: perhaps an escape by number."""
    within = backslashes[backslashes < len(text) - 1]
    found: Offsets = within[as_array(text)[within + 1] == ord("u")]
    return found


def trimmed(array: Bytes, starts: Offsets, ends: Offsets) -> tuple[Offsets, Offsets]:
    """The spans without white space at both ends; each holds something else."""
    return _past_space(array, starts, 1), _past_space(array, ends - 1, -1) + 1


def _past_space(array: Bytes, places: Offsets, step: int) -> Offsets:
    """The first place that is no white space, in steps from each place."""
    for _ in range(_FEW_SPACES):
        found = array.take(places)
        if found.min(initial=_LAST_SPACE + 1) > _LAST_SPACE:
            return places
        is_space = _SPACE[found]
        if not is_space.any():
            return places
        places = places + step * is_space
    solid = np.flatnonzero(~_SPACE[array])
    at = solid.searchsorted(places, "left" if step > 0 else "right")
    passed: Offsets = solid[at if step > 0 else at - 1]
    return passed
