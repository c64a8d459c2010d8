"""Members of members as columns of their own: the nested text is split as the records were."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.formats.json_members import split_members
from waybill.ports.reader import Kind
from waybill.validation.codes import make_finding
from waybill.validation.member_paths import steps_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from waybill.model.finding import Finding
    from waybill.ports.reader import MemberPath
    from waybill.validation.json_structure import Flags
    from waybill.validation.record_index import Offsets

    Cells = tuple[pa.Array[Any], pa.Array[Any]]

_NOTHING_THERE: Final = (0, Kind.ABSENT.value)
"""Kinds of what has no members, null and absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedColumn:
    """A column that a nested member fills; ``steps``: the names from the record down to it."""

    steps: tuple[str, ...]
    name: str


def nested_columns(names: tuple[str, ...], paths: Iterable[MemberPath]) -> tuple[NestedColumn, ...]:
    """The columns that paths fill where records have these members.

    A path fills the column of the first of its field's names that is there, else one of its own.
    """
    known, found = list(names), []
    for path in paths:
        steps = steps_of(path.pointer)
        if steps[0] in known:
            name = next((each for each in path.names if each in known), path.pointer)
            found.append(NestedColumn(steps=steps, name=name))
            known.append(name)
    return tuple(found)


def twin_columns(
    names: tuple[str, ...], fields: Iterable[tuple[str, ...]]
) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """The columns of records that call a field by any of its names, each field once.

    ``fields``: the names of each. Gives with the columns which further name fills which of them.
    """
    twins: dict[str, str] = {}
    for same in fields:
        present = [name for name in names if name in same]
        if present:
            twins |= {name: present[0] for name in same if name != present[0]}
    return tuple(name for name in names if name not in twins), twins


@dataclass(slots=True)
class NestedCells:
    """Cells by column name, those of nested members filled in; ``faults``: by row number."""

    cells: dict[str, Cells]
    faults: dict[int, Finding] = field(default_factory=dict)

    def fill(self, column: NestedColumn) -> None:
        """Put the nested member where the record has none of that column's own."""
        texts, kinds = self.cells[column.steps[0]]
        for outer, step in pairwise(column.steps):
            self._refuse_others(kinds, outer)
            texts, kinds = self._members(texts, kinds, step)
        own_texts, own_kinds = self.cells[column.name]
        is_own, is_nested = ~_are(own_kinds, Kind.ABSENT), ~_are(kinds, Kind.ABSENT)
        for row in np.flatnonzero(is_own & is_nested).tolist():
            self.faults.setdefault(row, make_finding("DUPLICATE_KEY"))
        take_own = pa.array(is_own)
        self.cells[column.name] = (
            pc.if_else(take_own, own_texts, texts),
            pc.if_else(take_own, own_kinds, kinds),
        )

    def _members(self, texts: pa.Array[Any], kinds: pa.Array[Any], name: str) -> Cells:
        """The member of that name of each object; absent where there is no object."""
        is_object = _are(kinds, Kind.OBJECT)
        rows = np.flatnonzero(is_object)
        if not rows.size:
            return pa.nulls(len(texts), pa.string()), _absent(len(texts))
        objects: list[Any] = texts.filter(pa.array(is_object)).to_pylist()
        members = split_members("\n".join(objects).encode())
        for row in rows[members.repeated].tolist():
            self.faults.setdefault(row, make_finding("DUPLICATE_KEY"))
        places = _places(rows, len(texts))
        found, found_kinds = (each.take(places) for each in members.cells([name])[name])
        shown = pc.if_else(pa.array(is_object), found_kinds, _absent(len(texts)))
        return found, shown

    def _refuse_others(self, kinds: pa.Array[Any], name: str) -> None:
        """Note the rows in which something else stands where the object ``name`` should."""
        numbers: np.ndarray = kinds.fill_null(0).to_numpy(zero_copy_only=False)
        is_other = ~np.isin(numbers, (*_NOTHING_THERE, Kind.OBJECT.value))
        for row in np.flatnonzero(is_other).tolist():
            received = Kind(int(numbers[row])).name.lower()
            finding = make_finding("KIND_MISMATCH", type="object", bound=received)
            told = replace(finding, message=f"{finding.message} in {name!r}")
            self.faults.setdefault(row, told)


def filled(cells: Mapping[str, Cells], columns: Iterable[NestedColumn]) -> NestedCells:
    """The cells with those of all nested members."""
    nested = NestedCells(dict(cells))
    for column in columns:
        nested.fill(column)
    return nested


def _are(kinds: pa.Array[Any], kind: Kind) -> Flags:
    flags: Flags = kinds.fill_null(0).to_numpy(zero_copy_only=False) == kind.value
    return flags


def _absent(count: int) -> pa.Array[Any]:
    return pa.array(np.full(count, Kind.ABSENT.value, dtype=np.uint8))


def _places(rows: Offsets, count: int) -> pa.Array[Any]:
    """Of each row its place among ``rows``, null where it is none of them."""
    places: Any = np.full(count, -1, dtype=np.int64)
    places[rows] = np.arange(rows.size)
    wanted: pa.Array[Any] = pa.array(places, mask=places < 0)
    return wanted
