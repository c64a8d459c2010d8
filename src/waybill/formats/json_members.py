"""The members of many JSON objects at once: columns of spans over the bytes of the text.

Colons and commas at depth one part the members of a record. Records that all have the same members
in the same order, as most files do, are told by their marks alone; in others the names are encoded
one by one. Every record has been found to be valid JSON before, so nothing here doubts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.formats.json_structure import (
    CLOSE_BRACE,
    CLOSE_BRACKET,
    COLON,
    COMMA,
    OPEN_BRACE,
    find_structure,
    trimmed,
)
from waybill.ports.reader import Kind
from waybill.validation.record_index import as_array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from waybill.formats.json_structure import Flags, Structure
    from waybill.validation.record_index import Offsets

_NULL: Final = 0
_KINDS: Final = np.full(256, Kind.NUMBER.value, dtype=np.uint8)
_KINDS[ord('"')] = Kind.STRING.value
_KINDS[list(b"tf")] = Kind.BOOLEAN.value
_KINDS[ord("{")] = Kind.OBJECT.value
_KINDS[ord("[")] = Kind.ARRAY.value
_KINDS[ord("n")] = _NULL
_MOST_EVEN_MARKS: Final = 16_384
"""Records of more marks have so many columns that a step for each costs more than it saves."""

_WORDS: Final = (8, 4, 2, 1)
_NOTHING: Final = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Where the values of one name begin and end; ``records``: whose they are, ``None``: of all."""

    starts: Offsets
    ends: Offsets
    records: Offsets | None = None

    def of_all(self, count: int) -> Spans:
        """One span for each record; twice the same place where it has none."""
        if self.records is None:
            return self
        starts, ends = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        starts[self.records], ends[self.records] = self.starts, self.ends
        return Spans(starts=starts, ends=ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The members of all records of a text.

    ``columns``: the values of each name, in order of first appearance. ``repeated``: the records in
    which a name stands twice. ``escapes``: the offsets of backslashes, and the record of each.
    """

    text: bytes
    records: int
    columns: Mapping[str, Spans]
    repeated: Offsets
    escapes: tuple[Offsets, Offsets]

    def column(self, name: str) -> tuple[pa.Array[Any], pa.Array[Any]]:
        """Text and kind of one member in each record; null where it is missing or null."""
        found = self.columns.get(name)
        if found is None:
            return pa.nulls(self.records, pa.string()), pa.nulls(self.records, pa.uint8())
        spans = found.of_all(self.records)
        kinds = _KINDS[as_array(self.text)[spans.starts]]
        kinds[spans.ends == spans.starts] = _NULL
        is_present = kinds != _NULL
        is_string = kinds == Kind.STRING.value
        edges = np.empty(2 * self.records, dtype=np.int32)
        edges[0::2] = spans.starts + is_string
        edges[1::2] = spans.ends - is_string
        if is_present.all():
            texts, shown = _taken(self.text, edges), pa.array(kinds)
        else:
            texts, shown = self._with_gaps(edges, is_present), pa.array(kinds, mask=~is_present)
        return self._unescaped(texts, spans, is_string), shown

    def _with_gaps(self, edges: Any, is_present: Flags) -> Any:  # noqa: ANN401 - arrays of NumPy and of Arrow
        """The values as the file has them; null where none is present."""
        edges[0::2][~is_present] = edges[1::2][~is_present] = 0
        edges = np.maximum.accumulate(edges)  # a value that is not there lies behind the last one
        is_valid = np.zeros(edges.size, dtype=np.bool_)
        is_valid[0::2] = is_present
        return _taken(self.text, edges, is_valid)

    def _unescaped(self, texts: pa.Array[Any], spans: Spans, is_string: Flags) -> pa.Array[Any]:
        """The texts, with the escapes of strings undone."""
        at, records = self.escapes
        is_within = (spans.starts[records] < at) & (at < spans.ends[records]) & is_string[records]
        rows = np.unique(records[is_within])
        if not rows.size:
            return texts
        mask = np.zeros(self.records, dtype=np.bool_)
        mask[rows] = True
        plain = _decoded(texts.filter(pa.array(mask)))
        undone: pa.Array[Any] = pc.replace_with_mask(
            texts, pa.array(mask), pa.array(plain, pa.string())
        )
        return undone


def split_members(text: bytes, structure: Structure | None = None) -> Members:
    """The members of a text of valid objects, between which white space and commas may stand."""
    found = find_structure(text) if structure is None else structure
    marks = _top(found)
    opening = marks.places[(marks.marks == OPEN_BRACE) & (marks.depths == 1)]
    columns = _even_columns(text, marks, opening.size)
    repeated = _NOTHING
    if columns is None:
        columns, repeated = _uneven_columns(text, marks)
    return Members(
        text=text,
        records=opening.size,
        columns=columns,
        repeated=repeated,
        escapes=(found.backslashes, opening.searchsorted(found.backslashes) - 1),
    )


def _top(structure: Structure) -> Structure:
    """The marks of the records alone: not those of values, and no commas between records."""
    marks, depths = structure.marks, structure.depths
    if structure.deepest > 1:
        is_end = (marks == CLOSE_BRACE) | (marks == CLOSE_BRACKET)
        return structure.only(((depths == 1) & ~is_end) | ((depths == 0) & (marks != COMMA)))
    return structure.only((depths == 1) | (marks != COMMA))


def _even_columns(text: bytes, structure: Structure, records: int) -> Mapping[str, Spans] | None:
    """The columns of records which all have the same members in one order; ``None`` if not."""
    marks_each, rest = divmod(structure.places.size, records)
    if rest or marks_each > _MOST_EVEN_MARKS:
        return None
    marks = structure.marks.reshape(records, -1)
    if not (marks == marks[0]).all():
        return None
    array = as_array(text)
    places = np.ascontiguousarray(structure.places.reshape(records, -1).T)
    columns: dict[str, Spans] = {}
    for before, colon, after in zip(places[:-2:2], places[1::2], places[2::2], strict=False):
        if not _are_alike(text, before + 1, colon):
            return None
        name = msgspec.json.decode(text[before[0] + 1 : colon[0]], type=str)
        if name in columns:
            return None
        starts, ends = trimmed(array, colon + 1, after)
        columns[name] = Spans(starts=starts, ends=ends)
    return columns


def _are_alike(text: bytes, starts: Offsets, ends: Offsets) -> bool:
    """Whether all these spans hold the same bytes."""
    size = int(ends[0] - starts[0])
    if not (ends - starts == size).all():
        return False
    word = next(width for width in _WORDS if width <= size)
    words: Any = np.ndarray(len(text) - word + 1, f"<u{word}", buffer=text, strides=(1,))
    steps = (*range(0, size - word, word), size - word)
    return all((words[starts + step] == words[starts[0] + step]).all() for step in steps)


def _uneven_columns(text: bytes, structure: Structure) -> tuple[Mapping[str, Spans], Offsets]:
    """The columns of any records, and the records in which a name stands twice."""
    array = as_array(text)
    at = np.flatnonzero(structure.marks == COLON)
    colons = structure.places[at]
    owners = np.cumsum(structure.depths == 0)[at]
    known, names = _encoded(text, *trimmed(array, structure.places[at - 1] + 1, colons))
    starts, ends = trimmed(array, colons + 1, structure.places[at + 1])
    order = np.argsort(names, kind="stable")
    bounds = names[order].searchsorted(np.arange(len(known) + 1))
    columns: dict[str, Spans] = {}
    for name, first, stop in zip(known, bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        mine = order[first:stop]
        columns[name] = Spans(starts=starts[mine], ends=ends[mine], records=owners[mine])
    is_twice = (np.diff(names[order]) == 0) & (np.diff(owners[order]) == 0)
    return columns, np.unique(owners[order][1:][is_twice])


def _encoded(text: bytes, starts: Offsets, ends: Offsets) -> tuple[Sequence[str], Offsets]:
    """The different names of the spans, in order of appearance, and which of them each holds."""
    if not starts.size:
        return [], _NOTHING
    edges = np.empty(2 * starts.size, dtype=np.int32)
    edges[0::2], edges[1::2] = starts, ends
    keys = _taken(text, edges).dictionary_encode()
    written = [msgspec.json.decode(key, type=str) for key in keys.dictionary.to_pylist()]
    known = list(dict.fromkeys(written))
    number = {name: at for at, name in enumerate(known)}  # one name may be written in two ways
    renumbered = np.array([number[name] for name in written], dtype=np.int64)
    return known, renumbered[keys.indices.to_numpy(zero_copy_only=False)]


def _taken(text: bytes, edges: Any, is_valid: Any = None) -> Any:  # noqa: ANN401 - arrays of NumPy and of Arrow
    """Every other one of the texts between neighbouring edges, null where it is not valid."""
    bits: Any = None if is_valid is None else np.packbits(is_valid, bitorder="little")
    bitmap = None if bits is None else pa.py_buffer(bits)
    buffers = [bitmap, pa.py_buffer(edges), pa.py_buffer(text)]
    pieces: Any = pa.Array.from_buffers(pa.string(), edges.size - 1, buffers)
    return pieces.take(pa.array(np.arange(0, edges.size, 2)))


def _decoded(texts: pa.Array[Any]) -> Sequence[str]:
    """The texts of strings, with their escapes undone."""
    parts: Any = texts.to_pylist()
    written = '["' + '","'.join(parts) + '"]'
    return msgspec.json.decode(written.encode(), type=list[str])
