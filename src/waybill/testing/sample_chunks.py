"""Entities and chunks for the suites of sinks; public, for those who test a sink of their own."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from waybill.model.entity import (
    ActionColumn,
    Constraints,
    Entity,
    Field,
    FieldType,
    Part,
    Partition,
)
from waybill.model.ids import JobId, ProjectName
from waybill.model.options import Operation
from waybill.ports.parts import hash_of_part, key_of_part
from waybill.ports.sink import ABSENT, ACTION, HASH, KEY, KEY_SEPARATOR, RECORD, SinkJob

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROJECT: Final = ProjectName("acme")

ITEMS: Final = Entity(
    name="items",
    fields=(
        Field(name="id", type=FieldType.STRING),
        Field(name="title", type=FieldType.STRING),
        Field(name="stock", type=FieldType.INTEGER),
        Field(name="price", type=FieldType.NUMBER),
        Field(name="active", type=FieldType.BOOLEAN),
    ),
    key=("id",),
    action=ActionColumn(name="do", actions={"remove": "delete"}),
)
"""A keyed entity."""

MEMBERS: Final = Entity(
    name="members",
    fields=(
        Field(name="id", type=FieldType.STRING),
        Field(name="email", type=FieldType.STRING, constraints=Constraints(unique=True)),
        Field(name="club", type=FieldType.STRING),
        Field(name="number", type=FieldType.INTEGER),
    ),
    key=("id",),
    unique_keys=(("club", "number"),),
)
"""A keyed entity with unique values."""

TAGGED: Final = Entity(
    name="tagged",
    fields=(
        Field(name="id", type=FieldType.STRING),
        Field(name="tags", type=FieldType.OBJECT, column_prefix="tag_"),
    ),
    key=("id",),
)
"""A keyed entity with an object of columns."""

GOODS: Final = Entity(
    name="goods",
    fields=(
        Field(name="owner", type=FieldType.STRING),
        Field(name="kind", type=FieldType.STRING),
        Field(name="id", type=FieldType.STRING),
        Field(name="facts", type=FieldType.OBJECT, patched=True),
    ),
    key=("owner", "kind", "id"),
    partition=Partition(field="kind", owners={"variant": "product"}),
)
"""An entity of several kinds, whose records own others and are patched."""

EVENTS: Final = Entity(
    name="events",
    fields=(
        Field(name="kind", type=FieldType.STRING),
        Field(name="size", type=FieldType.INTEGER),
    ),
)
"""An entity without a key."""

PEOPLE: Final = Entity(
    name="people",
    fields=(
        Field(name="name", type=FieldType.STRING),
        Field(name="mail", type=FieldType.STRING),
    ),
    key=("name",),
)
"""A keyed entity, written by ``JOINS`` too."""

SEATS: Final = Entity(
    name="seats",
    fields=(
        Field(name="person", type=FieldType.STRING),
        Field(name="club", type=FieldType.STRING),
        Field(name="role", type=FieldType.STRING),
    ),
    key=("person", "club"),
)
"""The same, with a key of two fields."""

JOINS: Final = Entity(
    name="joins",
    fields=(
        Field(name="name", type=FieldType.STRING),
        Field(name="mail", type=FieldType.STRING),
        Field(name="club", type=FieldType.STRING),
        Field(name="role", type=FieldType.STRING),
    ),
    key=("name", "club"),
    parts=(
        Part(entity=PEOPLE, fields={"name": "name", "mail": "mail"}),
        Part(entity=SEATS, fields={"person": "name", "club": "club", "role": "role"}),
    ),
)
"""An entity whose records are stored in two others."""

_TYPES: Final[Mapping[FieldType, pa.DataType]] = {
    FieldType.INTEGER: pa.int64(),
    FieldType.NUMBER: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
}


def sink_job(
    name: str = "job-1",
    *,
    epoch: int = 1,
    entity: Entity = ITEMS,
    operation: Operation = Operation.UPSERT,
    whole_file: bool = False,
    project: ProjectName = PROJECT,
) -> SinkJob:
    """A job as a sink sees it."""
    return SinkJob(
        id=JobId(name),
        epoch=epoch,
        project=project,
        entity=entity,
        operation=operation,
        whole_file=whole_file,
    )


def chunk_of(
    *rows: Sequence[object],
    fields: Sequence[str] = ("id", "title"),
    entity: Entity = ITEMS,
    first_record: int = 1,
    actions: Sequence[str | None] | None = None,
    absent: Sequence[Sequence[str]] | None = None,
) -> pa.Table:
    """A chunk as checking makes it: ``rows`` hold the values of ``fields``, in file order.

    ``absent``: of each row the fields that it lacks, where stored records keep those.
    """
    numbers = range(first_record, first_record + len(rows))
    columns: dict[str, tuple[pa.DataType, Sequence[object]]] = {RECORD: (pa.int64(), numbers)}
    if entity.key:
        columns[KEY] = (pa.string(), [_key(entity, fields, row) for row in rows])
    lacking = absent or [()] * len(rows)
    values = [(*row, *lacks) for row, lacks in zip(rows, lacking, strict=True)]
    columns[HASH] = (pa.int64(), list(map(_digest, values)))
    for place, part in enumerate(entity.parts):
        key = [part.fields[name] for name in part.entity.key]
        taken = [name for name in fields if name in part.fields.values()]
        keys = [KEY_SEPARATOR.join(map(str, _pick(key, fields, row))) for row in rows]
        columns[key_of_part(place)] = (pa.string(), keys)
        digests = [
            _digest([*_pick(taken, fields, row), *filter(taken.__contains__, lacks)])
            for row, lacks in zip(rows, lacking, strict=True)
        ]
        columns[hash_of_part(place)] = (pa.int64(), digests)
    if actions is not None:
        columns[ACTION] = (pa.string(), actions)
    if absent is not None:
        columns[ABSENT] = (pa.list_(pa.string()), absent)
    types = {field.name: _TYPES.get(field.type, pa.string()) for field in entity.fields}
    for index, name in enumerate(fields):
        columns[name] = (types.get(name, pa.string()), [row[index] for row in rows])
    schema = pa.schema([(name, kind) for name, (kind, _) in columns.items()])
    return pa.Table.from_pydict({name: list(v) for name, (_, v) in columns.items()}, schema)


def _key(entity: Entity, fields: Sequence[str], row: Sequence[object]) -> str:
    return KEY_SEPARATOR.join(map(str, _pick(entity.key, fields, row)))


def _pick(names: Sequence[str], fields: Sequence[str], row: Sequence[object]) -> list[object]:
    return [row[list(fields).index(name)] for name in names]


def _digest(row: Sequence[object]) -> int:
    digest = hashlib.blake2b(repr(tuple(row)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
