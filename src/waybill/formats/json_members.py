"""The members of many JSON objects at once: columns of spans over the bytes of the text.

Colons and commas at depth one part the members of a record. Records that all have the same members
in the same order, as most files do, are told by their marks alone; in others the names are encoded
one by one. Every record has been found to be valid JSON before, so nothing here doubts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.formats.arrow_spans import spans_of
from waybill.ports.reader import Kind
from waybill.validation.json_structure import (
    CLOSE_BRACE,
    CLOSE_BRACKET,
    COLON,
    COMMA,
    OPEN_BRACE,
    find_structure,
    trimmed,
)
from waybill.validation.record_index import as_array

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from waybill.validation.json_structure import Flags, Structure
    from waybill.validation.record_index import Offsets

_NULL: Final = 0
_ABSENT: Final = Kind.ABSENT.value
_KINDS: Final = np.full(256, Kind.NUMBER.value, dtype=np.uint8)
_KINDS[ord('"')] = Kind.STRING.value
_KINDS[list(b"tf")] = Kind.BOOLEAN.value
_KINDS[ord("{")] = Kind.OBJECT.value
_KINDS[ord("[")] = Kind.ARRAY.value
_KINDS[ord("n")] = _NULL
_MOST_EVEN_MARKS: Final = 16_384
"""Records of more marks have so many columns that a step for each costs more than it saves."""

_CELLS_AT_ONCE: Final = 1024 * 1024
"""About so many cells are worked on together: few long steps let threads run side by side."""

_WORD: Final = np.dtype("<u8")
_WORD_BYTES: Final = 8
_LOW_BYTES: Final = np.array([(1 << 8 * size) - 1 for size in range(9)], dtype=_WORD)
"""By a number of bytes: the mask of that many at the low end of a word."""

_NOTHING: Final = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Where values begin and end: one row for each name, one column for each record.

    Twice the same place where a record has no such member.
    """

    starts: Offsets
    ends: Offsets


class Columns(Protocol):
    """The members of all records by name."""

    @property
    def names(self) -> Sequence[str]:
        """All of them, in order of first appearance."""

    def spans(self, names: Sequence[str]) -> Spans:
        """Where the values of those names stand; each is one of ``names``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvenColumns:
    """Those of records which all have the same members in one order; ``values``: of all names."""

    names: Sequence[str]
    values: Spans

    def spans(self, names: Sequence[str]) -> Spans:
        """See ``Columns.spans``."""
        if tuple(names) == tuple(self.names):
            return self.values
        place = {name: at for at, name in enumerate(self.names)}
        rows = [place[name] for name in names]
        return Spans(starts=self.values.starts[rows], ends=self.values.ends[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class UnevenColumns:
    """Those of any records. ``cells``: of each name the begins, ends and records of its values."""

    records: int
    cells: Mapping[str, tuple[Offsets, Offsets, Offsets]]

    @property
    def names(self) -> Sequence[str]:
        """See ``Columns.names``."""
        return list(self.cells)

    def spans(self, names: Sequence[str]) -> Spans:
        """See ``Columns.spans``."""
        shape = (len(names), self.records)
        spans = Spans(starts=np.zeros(shape, dtype=np.int64), ends=np.zeros(shape, dtype=np.int64))
        for row, name in enumerate(names):
            starts, ends, owners = self.cells[name]
            spans.starts[row, owners], spans.ends[row, owners] = starts, ends
        return spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The members of all records of a text.

    ``repeated``: the records in which a name stands twice. ``escapes``: the offsets of runs of
    backslashes, rising.
    """

    text: bytes
    records: int
    columns: Columns
    repeated: Offsets
    escapes: Offsets

    def cells(self, names: Sequence[str]) -> Mapping[str, tuple[pa.Array[Any], pa.Array[Any]]]:
        """Text and kind of the named members in each record.

        Both null where one is null; no text, and the kind ``ABSENT``, where a record has none.
        """
        known = set(self.columns.names)
        found = [name for name in names if name in known]
        texts: pa.Array[Any] = pa.nulls(self.records, pa.string())
        kinds: pa.Array[Any] = pa.array(np.full(self.records, _ABSENT, dtype=np.uint8))
        cells = dict.fromkeys(names, (texts, kinds))
        step = max(1, _CELLS_AT_ONCE // self.records)
        for at in range(0, len(found), step):
            group = found[at : at + step]
            cells.update(zip(group, self._cells(self.columns.spans(group)), strict=True))
        return cells

    def _cells(self, spans: Spans) -> Iterator[tuple[pa.Array[Any], pa.Array[Any]]]:
        """The cells of each row of spans."""
        kinds = np.ascontiguousarray(_KINDS.take(as_array(self.text).take(spans.starts.T)).T)
        kinds[spans.ends == spans.starts] = _ABSENT
        is_null, is_string = kinds == _NULL, kinds == Kind.STRING.value
        is_present = ~is_null & (kinds != _ABSENT)
        edges = np.empty((len(kinds), 2 * self.records), dtype=np.int32)
        np.add(spans.starts, is_string, out=edges[:, 0::2], casting="unsafe")
        np.subtract(spans.ends, is_string, out=edges[:, 1::2], casting="unsafe")
        for row, is_full in enumerate(is_present.all(axis=1).tolist()):
            if is_full:
                texts, shown = spans_of(self.text, edges[row]), pa.array(kinds[row])
            else:
                texts = self._with_gaps(edges[row], is_present[row])
                shown = pa.array(kinds[row], mask=is_null[row])
            if self.escapes.size:
                texts = self._unescaped(texts, spans.starts[row], spans.ends[row], is_string[row])
            yield texts, shown

    def _with_gaps(self, edges: Any, is_present: Flags) -> Any:  # noqa: ANN401 - arrays of NumPy and of Arrow
        """The values as the file has them; null where none is present."""
        edges[0::2][~is_present] = edges[1::2][~is_present] = 0
        edges = np.maximum.accumulate(edges)  # a value that is not there lies behind the last one
        is_valid = np.zeros(edges.size, dtype=np.bool_)
        is_valid[0::2] = is_present
        return spans_of(self.text, edges, is_valid)

    def _unescaped(
        self, texts: pa.Array[Any], starts: Offsets, ends: Offsets, is_string: Flags
    ) -> pa.Array[Any]:
        """The texts, with the escapes of strings undone."""
        mask = is_string & (self.escapes.searchsorted(starts) < self.escapes.searchsorted(ends))
        if not mask.any():
            return texts
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
    columns: Columns | None = _even_columns(text, marks, opening.size)
    repeated = _NOTHING
    if columns is None:
        columns, repeated = _uneven_columns(text, marks, opening.size)
    return Members(
        text=text,
        records=opening.size,
        columns=columns,
        repeated=repeated,
        escapes=found.backslashes,
    )


def _top(structure: Structure) -> Structure:
    """The marks of the records alone: not those of values, and no commas between records."""
    marks, depths = structure.marks, structure.depths
    if structure.deepest > 1:
        is_end = (marks == CLOSE_BRACE) | (marks == CLOSE_BRACKET)
        return structure.only(((depths == 1) & ~is_end) | ((depths == 0) & (marks != COMMA)))
    return structure.only((depths == 1) | (marks != COMMA))


def _even_columns(text: bytes, structure: Structure, records: int) -> EvenColumns | None:
    """The columns of records which all have the same members in one order; ``None`` if not."""
    marks_each, rest = divmod(structure.places.size, records)
    if rest or marks_each > _MOST_EVEN_MARKS:
        return None
    marks = structure.marks.reshape(records, -1)
    if not (marks == marks[0]).all():
        return None
    places = structure.places.reshape(records, -1)  # by record, as the text lies in memory
    before, colons, after = places[:, :-2:2], places[:, 1:-1:2], places[:, 2::2]
    if not _are_alike(text, before + 1, colons):
        return None
    spans = zip(before[0].tolist(), colons[0].tolist(), strict=True)
    names = [msgspec.json.decode(text[begin + 1 : end], type=str) for begin, end in spans]
    if len(set(names)) < len(names):
        return None
    starts, ends = trimmed(as_array(text), colons + 1, after)
    return EvenColumns(names=names, values=Spans(starts=starts.T, ends=ends.T))


def _are_alike(text: bytes, starts: Offsets, ends: Offsets) -> bool:
    """Whether the spans of each column hold the same bytes: compared by words, the last row apart.

    Behind any other span stands enough text to read a whole word.
    """
    sizes = ends[0] - starts[0]
    if not (ends - starts == sizes).all():
        return False
    if not all(text[a:b] == text[c:d] for a, b, c, d in _first_and_last(starts, ends)):
        return False
    starts = starts[:-1]
    words: Any = np.ndarray(max(0, len(text) - _WORD_BYTES + 1), _WORD, buffer=text, strides=(1,))
    for step in range(0, int(sizes.max(initial=0)) if starts.size else 0, _WORD_BYTES):
        columns = np.flatnonzero(sizes > step)
        at = starts[:, columns] + step
        found = words[at.ravel()].reshape(at.shape)  # flat: it takes half the time
        found &= _LOW_BYTES[np.minimum(sizes[columns] - step, _WORD_BYTES)]
        if not (found == found[0]).all():
            return False
    return True


def _first_and_last(starts: Offsets, ends: Offsets) -> Iterator[tuple[int, ...]]:
    """Begin and end of the first span and of the last one of each column."""
    edges = (starts[0], ends[0], starts[-1], ends[-1])
    return zip(*(each.tolist() for each in edges), strict=True)


def _uneven_columns(
    text: bytes, structure: Structure, records: int
) -> tuple[UnevenColumns, Offsets]:
    """The columns of any records, and the records in which a name stands twice."""
    array = as_array(text)
    at = np.flatnonzero(structure.marks == COLON)
    colons = structure.places[at]
    owners = np.cumsum(structure.depths == 0)[at]
    known, names = _encoded(text, *trimmed(array, structure.places[at - 1] + 1, colons))
    starts, ends = trimmed(array, colons + 1, structure.places[at + 1])
    order = np.argsort(names, kind="stable")
    bounds = names[order].searchsorted(np.arange(len(known) + 1))
    cells: dict[str, tuple[Offsets, Offsets, Offsets]] = {}
    for name, first, stop in zip(known, bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        mine = order[first:stop]
        cells[name] = starts[mine], ends[mine], owners[mine]
    is_twice = (np.diff(names[order]) == 0) & (np.diff(owners[order]) == 0)
    return UnevenColumns(records=records, cells=cells), np.unique(owners[order][1:][is_twice])


def _encoded(text: bytes, starts: Offsets, ends: Offsets) -> tuple[Sequence[str], Offsets]:
    """The different names of the spans, in order of appearance, and which of them each holds."""
    if not starts.size:
        return [], _NOTHING
    edges = np.empty(2 * starts.size, dtype=np.int32)
    edges[0::2], edges[1::2] = starts, ends
    keys = spans_of(text, edges).dictionary_encode()
    written = [msgspec.json.decode(key, type=str) for key in keys.dictionary.to_pylist()]
    known = list(dict.fromkeys(written))
    number = {name: at for at, name in enumerate(known)}  # one name may be written in two ways
    renumbered = np.array([number[name] for name in written], dtype=np.int64)
    return known, renumbered[keys.indices.to_numpy(zero_copy_only=False)]


def _decoded(texts: pa.Array[Any]) -> Sequence[str]:
    """The texts of strings, with their escapes undone."""
    parts: Any = texts.to_pylist()
    written = '["' + '","'.join(parts) + '"]'
    return msgspec.json.decode(written.encode(), type=list[str])
