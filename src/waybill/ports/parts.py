"""How a chunk is taken apart whose records are stored in other entities, and put together again.

A sink writes what ``parts_of_chunk`` gives, in that order and in the chunk's one transaction, and
joins the outcomes; so it need not know whether an entity has parts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from waybill.model.options import Operation
from waybill.ports.sink import (
    ABSENT,
    CREATED,
    DELETED,
    HASH,
    KEY,
    RECORD,
    REFUSED,
    UNCHANGED,
    UPDATED,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.model.entity import Entity, Part
    from waybill.ports.sink import SinkJob

_BY_WEIGHT: Final = bytes((REFUSED, CREATED, UPDATED, DELETED, UNCHANGED))
_TO_PLACE: Final = bytes.maketrans(_BY_WEIGHT, bytes(range(len(_BY_WEIGHT))))
_TO_OUTCOME: Final = bytes.maketrans(bytes(range(len(_BY_WEIGHT))), _BY_WEIGHT)
_BETWEEN_NAMES: Final = "\x1f"
"""No name of a field holds a control character."""


def key_of_part(place: int) -> str:
    """The column of a chunk with the keys of its part number ``place``, from 0."""
    return f"{KEY}{place}"


def hash_of_part(place: int) -> str:
    """The column of a chunk with the digests of its part number ``place``, from 0."""
    return f"{HASH}{place}"


def parts_of_chunk(job: SinkJob, rows: pa.Table) -> Sequence[tuple[SinkJob, pa.Table]]:
    """The chunk as each entity that stores it takes it: the job and the rows, in order of writing.

    Every part has all records of the chunk. An entity without parts is its only one.
    """
    if not job.entity.parts:
        return [(job, rows)]
    return [
        (
            replace(job, entity=part.entity, operation=Operation.UPSERT),
            _rows_of_part(rows, part, place),
        )
        for place, part in enumerate(job.entity.parts)
    ]


def stored_in(entity: Entity) -> Sequence[Entity]:
    """The entities that the records of this one are stored in; itself where it has no parts."""
    return [part.entity for part in entity.parts] or [entity]


def join_outcomes(outcomes: Sequence[bytes]) -> bytes:
    """One outcome per record: refused if any part is, else created, updated, deleted, unchanged."""
    first, *others = (each.translate(_TO_PLACE) for each in outcomes)
    for other in others:
        first = bytes(map(min, first, other))
    return first.translate(_TO_OUTCOME)


def _rows_of_part(rows: pa.Table, part: Part, place: int) -> pa.Table:
    """``rows`` under the part's names; a field that the file lacks has no column."""
    sources = {RECORD: RECORD, KEY: key_of_part(place), HASH: hash_of_part(place), **part.fields}
    given = {name: source for name, source in sources.items() if source in rows.column_names}
    taken = rows.select(list(given.values())).rename_columns(list(given))
    if ABSENT not in rows.column_names:
        return taken
    return taken.append_column(ABSENT, _absent_of_part(rows.column(ABSENT), part))


def _absent_of_part(absent: pa.ChunkedArray[Any], part: Part) -> pa.Array[Any]:
    """What each record lacks under the part's names; few different sets, each renamed once."""
    joined: Any = pc.binary_join(absent, _BETWEEN_NAMES)
    found: Any = joined.combine_chunks().dictionary_encode()
    lacking = [set(names.split(_BETWEEN_NAMES)) for names in found.dictionary.to_pylist()]
    renamed = [[name for name, source in part.fields.items() if source in each] for each in lacking]
    sets: Any = pa.array(renamed, pa.list_(pa.string()))
    taken: pa.Array[Any] = sets.take(found.indices)
    return taken
