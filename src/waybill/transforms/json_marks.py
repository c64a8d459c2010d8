"""The brackets, colons and commas of JSON text that stand in no string, found by arrays.

Quotes that no backslash escapes open and close strings in turn; brackets outside of them give the
depth. In valid JSON all this is exact. Source: RFC 8259.
"""

from __future__ import annotations

from dataclasses import dataclass
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
BACKSLASH: Final = ord("\\")
WHITE_SPACE: Final = b" \t\r\n"

BRACKET_KIND: Final = 0x20
"""The bit in which square brackets differ from braces."""

_SPACE: Final = np.zeros(256, dtype=np.bool_)
_SPACE[list(WHITE_SPACE)] = True
_BLOCK_BYTES: Final = 256 * 1024
"""Fits in the cache."""

_FEW_SPACES: Final = 3
_ONE: Final = np.uint64(1)
_HIGHEST: Final = np.uint64(63)
_NOTHING: Final = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The marks of a text, in parallel arrays.

    ``places``: their offsets, rising. ``kinds``: the bytes. ``depths``: how many more brackets are
    open behind each than at the begin. ``escapes``: the offset of the last of each run of
    backslashes.
    """

    places: Offsets
    kinds: Bytes
    depths: npt.NDArray[np.int32]
    escapes: Offsets

    def first(self, count: int) -> Marks:
        """The first of them, as many as asked for; all ``escapes``."""
        return Marks(
            places=self.places[:count],
            kinds=self.kinds[:count],
            depths=self.depths[:count],
            escapes=self.escapes,
        )

    @property
    def deepest(self) -> int:
        """The most brackets that are open at one place."""
        return int(self.depths.max(initial=0))

    def left_open(self) -> tuple[int, Offsets]:
        """What is open at the end.

        How many of the brackets that were open at the begin were closed, and the numbers of those
        marks that opened brackets which are not closed.
        """
        lowest = int(self.depths.min(initial=0))
        brackets = np.flatnonzero(self.kinds > COLON)
        depths = self.depths[brackets]
        later = np.minimum.accumulate(depths[::-1])[::-1]
        opened = (self.kinds[brackets] | BRACKET_KIND) == OPEN_BRACE
        return -lowest, brackets[opened & (depths <= later)]


def find_marks(text: bytes) -> Marks:
    """The marks of a text that begins outside of strings."""
    array = as_array(text)
    quotes = _bits(array, lambda block: block == QUOTE)
    escapes = _NOTHING
    if BACKSLASH in text:
        firsts, escapes = _run_ends(_bits(array, lambda block: block == BACKSLASH))
        escaped = _escaped_quotes(array, firsts, escapes)
        np.bitwise_and.at(quotes, escaped >> 3, ~np.left_shift(1, escaped & 7).astype(np.uint8))
    places = _offsets(_bits(array, _are_marks) & ~_strings(quotes))
    kinds = array[places]
    return Marks(places=places, kinds=kinds, depths=_depths(kinds), escapes=escapes)


def trimmed(array: Bytes, starts: Offsets, ends: Offsets) -> tuple[Offsets, Offsets]:
    """The spans without white space at both ends; each holds something else."""
    return _past_space(array, starts, 1), _past_space(array, ends - 1, -1) + 1


def _bits(array: Bytes, find: Callable[[Bytes], Flags]) -> Bytes:
    """One bit for each byte, set where it is found."""
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


def _are_marks(block: Bytes) -> Flags:
    folded = block | BRACKET_KIND
    found: Flags = folded == OPEN_BRACE
    found |= folded == CLOSE_BRACE
    found |= block == COLON
    found |= block == COMMA
    return found


def _depths(kinds: Bytes) -> npt.NDArray[np.int32]:
    """How many brackets are open behind each mark."""
    steps = np.zeros(kinds.size, dtype=np.int8)
    steps[kinds > COLON] = -1
    steps[(kinds | BRACKET_KIND) == OPEN_BRACE] = 1
    return np.cumsum(steps, dtype=np.int32)


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


def _past_space(array: Bytes, places: Offsets, step: int) -> Offsets:
    """The first place that is no white space, in steps from each place."""
    for _ in range(_FEW_SPACES):
        is_space = _SPACE[array[places]]
        if not is_space.any():
            return places
        places = places + step * is_space
    solid = np.flatnonzero(~_SPACE[array])
    at = solid.searchsorted(places, "left" if step > 0 else "right")
    passed: Offsets = solid[at if step > 0 else at - 1]
    return passed
