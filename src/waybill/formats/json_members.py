"""The members of many JSON objects at once, found by arrays over their bytes.

Quotes that no backslash escapes open and close strings in turn; brackets outside of them give the
depth; colons and commas at depth one part the members of a record. Every record has been found to
be valid JSON before, so nothing here needs to doubt it. Source: RFC 8259.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.ports.reader import Kind
from waybill.validation.record_index import QUOTE, as_array

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy.typing as npt

    from waybill.validation.record_index import Offsets

    Kinds = npt.NDArray[np.uint8]

_ESCAPED_QUOTE: Final = re.compile(rb'\\+(?=")')
_MARKS: Final = bytes(byte in b'{}[]:,"' for byte in range(256))
_DEPTH: Final = np.zeros(256, dtype=np.int32)
_DEPTH[list(b"{[")] = 1
_DEPTH[list(b"}]")] = -1
COLON: Final = ord(":")
CLOSE_BRACE: Final = ord("}")
CLOSE_BRACKET: Final = ord("]")
_SPACE: Final = np.zeros(256, dtype=np.bool_)
_SPACE[list(b" \t\r\n")] = True
_KINDS: Final = np.full(256, Kind.NUMBER.value, dtype=np.uint8)
_KINDS[ord('"')] = Kind.STRING.value
_KINDS[list(b"tf")] = Kind.BOOLEAN.value
_KINDS[ord("{")] = Kind.OBJECT.value
_KINDS[ord("[")] = Kind.ARRAY.value
_NULL: Final = 0
_KINDS[ord("n")] = _NULL


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """All members of the records, in file order, in parallel arrays.

    ``records``: which record (from 0) each belongs to. ``names``: which of ``known`` it is called.
    ``values``: the text of a string without quotes, escapes not yet undone; else what the file has.
    ``kinds``: of ``Kind``, 0 for null. ``has_escapes``: somewhere a backslash occurs.
    """

    records: Offsets
    names: Offsets
    known: Sequence[str]
    values: pa.Array[Any]
    kinds: Kinds
    has_escapes: bool

    def repeated(self) -> Offsets:
        """The records in which a name stands twice."""
        places = self.records * max(1, len(self.known)) + self.names
        found, counts = np.unique(places, return_counts=True)
        return np.unique(found[counts > 1] // max(1, len(self.known)))

    def column(self, name: str, records: int) -> tuple[pa.Array[Any], pa.Array[Any]]:
        """Text and kind of one member in each of so many records; null where there is none."""
        at = np.full(records, -1, dtype=np.int64)
        if name in self.known:
            mine = np.flatnonzero((self.names == self.known.index(name)) & (self.kinds != _NULL))
            at[self.records[mine]] = mine
        texts, kinds = _take(self.values, at), _take(pa.array(self.kinds), at)
        return _unescaped(texts, kinds, may_be_escaped=self.has_escapes), kinds


def split_members(objects: Sequence[bytes]) -> Members:
    """The members of JSON objects; white space around each of them may stay."""
    text = b"\n".join(objects)
    bytes_ = as_array(text)
    colons, before, after, records = _parts(text)
    key_starts, key_ends = _trimmed(bytes_, before + 1, colons)
    value_starts, value_ends = _trimmed(bytes_, colons + 1, after)
    kinds = _KINDS[bytes_[value_starts]]
    is_string = kinds == Kind.STRING.value
    edges = np.empty(4 * colons.size + 1, dtype=np.int64)
    edges[0:-1:4], edges[1::4] = key_starts + 1, key_ends - 1
    edges[2::4], edges[3::4] = value_starts + is_string, value_ends - is_string
    edges[-1] = len(text)
    pieces = _slices(text, edges)
    keys = _take(pieces, np.arange(colons.size) * 4).dictionary_encode()
    known = [msgspec.json.decode(f'"{key}"', type=str) for key in keys.dictionary.to_pylist()]
    names = keys.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    unique = list(dict.fromkeys(known))
    if len(unique) < len(known):  # one name, written in two ways
        names = np.array([unique.index(name) for name in known], dtype=np.int64)[names]
    return Members(
        records=records,
        names=names,
        known=unique,
        values=_take(pieces, np.arange(colons.size) * 4 + 2),
        kinds=kinds,
        has_escapes=b"\\" in text,
    )


def _structure(text: bytes) -> tuple[Offsets, npt.NDArray[np.uint8]]:
    """The brackets, colons and commas outside of strings: where they are, and what."""
    array = as_array(text)
    places = np.flatnonzero(np.frombuffer(text.translate(_MARKS), dtype=np.bool_))
    marks = array[places]
    quotes = marks == QUOTE
    if b"\\" in text:
        runs = _ESCAPED_QUOTE.finditer(text)
        escaped = [run.end() for run in runs if (run.end() - run.start()) % 2]
        quotes[places.searchsorted(np.array(escaped, dtype=np.int64))] = False
    is_outside = (np.cumsum(quotes, dtype=np.uint8) & 1 == 0) & (marks != QUOTE)
    return places[is_outside], marks[is_outside]


def _parts(text: bytes) -> tuple[Offsets, Offsets, Offsets, Offsets]:
    """Of each member: its colon, the edges before and after it, and its object."""
    places, marks = _structure(text)
    depths = np.cumsum(_DEPTH[marks], dtype=np.int64)
    is_end = depths == 0
    objects = np.cumsum(is_end) - is_end
    is_top = depths == 1
    is_bracket_end = (marks == CLOSE_BRACE) | (marks == CLOSE_BRACKET)
    colon = np.flatnonzero(is_top & (marks == COLON))
    edges = np.flatnonzero(is_end | (is_top & (marks != COLON) & ~is_bracket_end))
    after = edges.searchsorted(colon)
    return places[colon], places[edges[after - 1]], places[edges[after]], objects[colon]


def _trimmed(array: np.ndarray, starts: Offsets, ends: Offsets) -> tuple[Offsets, Offsets]:
    """The spans without white space at both ends; each holds something else."""
    starts, ends = starts.copy(), ends.copy()
    while (spaced := _SPACE[array[starts]]).any():
        starts[spaced] += 1
    while (spaced := _SPACE[array[ends - 1]]).any():
        ends[spaced] -= 1
    return starts, ends


def _slices(text: bytes, edges: Offsets) -> pa.Array[Any]:
    """The texts between neighbouring edges, over the same memory."""
    offsets = pa.py_buffer(edges.astype(np.int32).tobytes())
    return pa.Array.from_buffers(pa.string(), edges.size - 1, [None, offsets, pa.py_buffer(text)])


def _take(array: pa.Array[Any], places: Offsets) -> Any:  # noqa: ANN401 - an array of any type
    """The values at the places, null for a negative one."""
    indices: Any = pa.array(places, mask=places < 0)
    return array.take(indices)


def _unescaped(
    texts: pa.Array[Any], kinds: pa.Array[Any], *, may_be_escaped: bool
) -> pa.Array[Any]:
    """The texts, with the escapes of strings undone."""
    if not may_be_escaped:
        return texts
    escaped = pc.and_(
        pc.equal(kinds, pa.scalar(Kind.STRING.value, pa.uint8())), pc.match_substring(texts, "\\")
    )
    rows = np.flatnonzero(escaped.fill_null(False).to_numpy(zero_copy_only=False))  # noqa: FBT003 - the value to fill in
    if not rows.size:
        return texts
    plain = [msgspec.json.decode(f'"{texts[row].as_py()}"', type=str) for row in rows.tolist()]
    mask = np.zeros(len(texts), dtype=np.bool_)
    mask[rows] = True
    undone: pa.Array[Any] = pc.replace_with_mask(
        texts, pa.array(mask), pa.array(plain, pa.string())
    )
    return undone
