"""The kinds that values of a field have in formats that tell texts, numbers and others apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from waybill.model.entity import FieldType
from waybill.ports.reader import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

    from waybill.model.entity import Field

    Flags = npt.NDArray[np.bool_]

STRICT: Final = (Kind.STRING, Kind.NUMBER, Kind.BOOLEAN, Kind.OBJECT, Kind.ARRAY)
"""Those that a field may not take; what a sheet shows is always taken."""

_NUMBER_TYPES: Final = (FieldType.NUMBER, FieldType.INTEGER, FieldType.YEAR)
_KINDS: Final = {
    FieldType.BOOLEAN: Kind.BOOLEAN,
    FieldType.OBJECT: Kind.OBJECT,
    FieldType.GEOJSON: Kind.OBJECT,
    FieldType.ARRAY: Kind.ARRAY,
}


def kinds_of(field: Field) -> frozenset[Kind]:
    """The strict kinds that a field takes."""
    if field.type is FieldType.ANY:
        return frozenset(STRICT)
    if field.type is FieldType.GEOPOINT:
        by_format = {"array": Kind.ARRAY, "object": Kind.OBJECT}
        return frozenset({by_format.get(field.format, Kind.STRING)})
    if field.type is FieldType.LIST:
        return frozenset({Kind.STRING, Kind.ARRAY})
    if field.type in _NUMBER_TYPES:
        dressed = () if field.bare_number else (Kind.STRING,)
        return frozenset({Kind.NUMBER, *dressed})
    return frozenset({_KINDS.get(field.type, Kind.STRING)})


def wrong_kinds(field: Field, index: int) -> Iterator[tuple[Kind, str]]:
    """Each kind that a field does not take, with SQL that is true where a cell has it."""
    taken = kinds_of(field)
    for kind in STRICT:
        if kind not in taken:
            yield kind, f"coalesce(k{index} = {kind.value}, FALSE)"


def fitting_kinds(field: Field, index: int) -> str:
    """SQL, never NULL, true where a field takes the kind of a cell: mostly one comparison."""
    taken = sorted(kinds_of(field))
    same = " OR ".join(f"k{index} = {kind.value}" for kind in taken)
    return f"coalesce({same} OR k{index} > {max(STRICT).value}, TRUE)"


def is_absent(index: int) -> str:
    """SQL, never NULL, true where the record has no such member at all."""
    return f"coalesce(k{index} = {Kind.ABSENT.value}, FALSE)"


def misfits(field: Field, kinds: pa.ChunkedArray[Any]) -> Flags | None:
    """Which of the kinds a field does not take; ``None`` where it takes all, as it mostly does."""
    wrong = set(STRICT) - kinds_of(field)
    found: Any = pc.min_max(kinds)
    least, greatest = found["min"].as_py(), found["max"].as_py()
    if least is None or wrong.isdisjoint(range(least, greatest + 1)):
        return None
    is_wrong: Any = pc.is_in(kinds, value_set=pa.array(sorted(wrong), pa.uint8()))
    flags: Flags = is_wrong.to_numpy()
    return flags if flags.any() else None
