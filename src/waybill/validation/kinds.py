"""The kinds that values of a field have in formats that tell texts, numbers and others apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.model.entity import BLANKS, FieldType, Trim
from waybill.model.finding import KIND_LETTERS
from waybill.ports.reader import Kind
from waybill.validation.node import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from waybill.model.entity import Field
    from waybill.validation.node import Node

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


_WORDS: Final = {kind.name.lower(): kind for kind in STRICT}
_SCALARS: Final = (Kind.STRING, Kind.NUMBER, Kind.BOOLEAN)
_TEXT_OR_NUMBER: Final = (Kind.STRING, Kind.NUMBER)
_CHOICES: Final = {
    FieldType.ANY: STRICT,
    FieldType.STRING: _SCALARS,
    FieldType.BOOLEAN: _SCALARS,
    FieldType.OBJECT: (Kind.OBJECT,),
    FieldType.GEOJSON: (Kind.OBJECT,),
    FieldType.ARRAY: (Kind.ARRAY,),
}
"""What a field may be declared to take: what can be a value of its type at all."""

_NO_LETTER: Final = "."
_LETTERS: Final = np.full(256, ord(_NO_LETTER), dtype=np.uint8)
for _letter, _word in KIND_LETTERS.items():
    _LETTERS[Kind[_word.upper()]] = ord(_letter)


def parse_kinds(ours: Node, field: Field) -> tuple[str, ...]:
    """The kinds that a field is declared to take, of a list its items; none: its type says it.

    Raises:
        SchemaInvalid: no kind, an unknown one, or one that is no value of the type.
    """
    words = ours.texts("kinds", ())
    field_type = field.item_type if field.type is FieldType.LIST else field.type
    if "kinds" in ours.value and not words:
        raise ours.refusal("kinds", "must hold at least one kind")
    if words and field_type is FieldType.GEOPOINT:
        raise ours.refusal("kinds", "does not apply to fields of type geopoint: its format says it")
    for word in words:
        if word not in _WORDS:
            raise ours.refusal("kinds", f"there is no kind {word!r}{did_you_mean(word, _WORDS)}")
        if _WORDS[word] not in _CHOICES.get(field_type, _TEXT_OR_NUMBER):
            raise ours.refusal("kinds", f"no {word} is a value of the type {field_type}")
    return words


def letters_of(rows: pa.Table, width: int) -> list[str]:
    """Of each row the kinds of its cells as ``Rejection.kinds``; empty where there are none."""
    if "k0" not in rows.column_names:
        return [""] * rows.num_rows
    columns: list[Any] = [rows.column(f"k{index}") for index in range(width)]
    kinds = np.stack([column.fill_null(0).to_numpy() for column in columns], axis=1)
    return [letters.tobytes().decode() for letters in _LETTERS[kinds]]


def kinds_of(field: Field) -> frozenset[Kind]:
    """The strict kinds that a field takes."""
    if field.kinds and field.type is not FieldType.LIST:
        return frozenset(_WORDS[word] for word in field.kinds)
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
    """Each kind that a field does not take, with SQL that is true where a cell has it.

    A text that stands for a missing value is of no kind.
    """
    taken = kinds_of(field)
    for kind in STRICT:
        if kind not in taken:
            yield kind, f"coalesce(k{index} = {kind.value}, FALSE) AND v{index} IS NOT NULL"


def fitting_kinds(field: Field, index: int) -> str:
    """SQL, never NULL, true where a field takes the kind of a cell: mostly one comparison."""
    taken = sorted(kinds_of(field))
    same = " OR ".join(f"k{index} = {kind.value}" for kind in taken)
    return f"coalesce({same} OR k{index} > {max(STRICT).value} OR v{index} IS NULL, TRUE)"


def is_absent(index: int) -> str:
    """SQL, never NULL, true where the record has no such member at all."""
    return f"coalesce(k{index} = {Kind.ABSENT.value}, FALSE)"


def are_absent(kinds: pa.ChunkedArray[Any]) -> Flags:
    """Which rows have no such member."""
    column: Any = kinds
    flags: Flags = column.fill_null(0).to_numpy() == Kind.ABSENT.value
    return flags


def absent_names(names: Sequence[str], absent: Sequence[Flags]) -> Any:  # noqa: ANN401 - the stubs know no columns of lists
    """Of each row the names that it has no member of: a column of lists."""
    rows, places = np.nonzero(np.stack(absent, axis=1))
    ends = np.bincount(rows, minlength=len(absent[0])).cumsum()
    offsets: Any = pa.array(np.concatenate([[0], ends]), pa.int32())
    values: Any = pa.array(names, pa.string()).take(pa.array(places, pa.int64()))
    return pa.chunked_array([pa.ListArray.from_arrays(offsets, values)])


def misfits(field: Field, kinds: pa.ChunkedArray[Any], cells: pa.ChunkedArray[Any]) -> Flags | None:
    """Which cells are of a kind that a field does not take; ``None`` where none is, as mostly."""
    wrong = set(STRICT) - kinds_of(field)
    found: Any = pc.min_max(kinds)
    least, greatest = found["min"].as_py(), found["max"].as_py()
    if least is None or wrong.isdisjoint(range(least, greatest + 1)):
        return None
    is_wrong: Any = pc.is_in(kinds, value_set=pa.array(sorted(wrong), pa.uint8()))
    flags: Flags = is_wrong.to_numpy()
    if Kind.STRING in wrong and field.default is None:
        texts: Any = pc.utf8_trim(cells, BLANKS) if field.trim is Trim.BOTH else cells
        are_missing: Any = pc.is_in(texts, value_set=pa.array(field.missing_values, pa.string()))
        are_texts: Any = pc.is_in(kinds, value_set=pa.array([Kind.STRING.value], pa.uint8()))
        flags = flags & ~(are_missing.to_numpy() & are_texts.to_numpy())
    return flags if flags.any() else None
