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
    import numpy.typing as npt

    from waybill.validation.record_index import Bytes, Offsets

    Flags = npt.NDArray[np.bool_]

COMMA: Final = ord(",")
COLON: Final = ord(":")
OPEN_BRACE: Final = ord("{")
CLOSE_BRACE: Final = ord("}")
CLOSE_BRACKET: Final = ord("]")
BACKSLASH: Final = ord("\\")
WHITE_SPACE: Final = b" \t\r\n"

_MARKS: Final = bytes(byte in b'{}[]:,"' for byte in range(256))
_STEPS: Final = bytes((byte in b"{[") + 255 * (byte in b"}]") for byte in range(256))
_SPACE: Final = np.zeros(256, dtype=np.bool_)
_SPACE[list(WHITE_SPACE)] = True
_FEW_SPACES: Final = 3
_NOTHING: Final = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """The brackets, colons and commas outside of strings, in parallel arrays.

    ``places``: their offsets, rising. ``marks``: the bytes. ``depths``: how many brackets are open
    behind each; below zero where more were closed than opened. ``backslashes``: the offsets of all.
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

    @property
    def deepest(self) -> int:
        """The most brackets that are open at one place."""
        return int(self.depths.max(initial=0))


def find_structure(text: bytes) -> Structure:
    """The structure of a text that begins outside of strings."""
    array = as_array(text)
    places = np.flatnonzero(np.frombuffer(text.translate(_MARKS), dtype=np.bool_))
    marks = array[places]
    is_quote = marks == QUOTE
    opens_or_closes = is_quote
    backslashes = _NOTHING
    if BACKSLASH in text:
        backslashes = np.flatnonzero(array == BACKSLASH)
        opens_or_closes = is_quote.copy()
        opens_or_closes[places.searchsorted(_escaped_quotes(array, backslashes))] = False
    is_inside: Flags = np.logical_xor.accumulate(opens_or_closes)
    is_outside = ~(is_inside | is_quote)
    marks = np.compress(is_outside, marks)
    steps = np.frombuffer(marks.tobytes().translate(_STEPS), dtype=np.int8)
    return Structure(
        places=np.compress(is_outside, places),
        marks=marks,
        depths=np.cumsum(steps, dtype=np.int32),
        backslashes=backslashes,
    )


def _escaped_quotes(array: Bytes, backslashes: Offsets) -> Offsets:
    """The offsets of quotes behind an odd number of backslashes."""
    is_first = np.diff(backslashes, prepend=-2) != 1
    is_last = np.append(is_first[1:], True)
    behind = backslashes[is_last] + 1
    behind = behind[(behind - backslashes[is_first]) % 2 == 1]
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
        is_space = _SPACE[array[places]]
        if not is_space.any():
            return places
        places = places + step * is_space
    solid = np.flatnonzero(~_SPACE[array])
    at = solid.searchsorted(places, "left" if step > 0 else "right")
    found: Offsets = solid[at if step > 0 else at - 1]
    return found
