"""The key ``writes`` of a descriptor: which entities store its records, and under which fields.

``{"waybill": {"writes": [{"entity": "users", "fields": {"field of users": "own field"}}, ...]}}``.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from waybill.model.entity import Part
from waybill.validation.node import as_node, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.model.entity import Entity, Field
    from waybill.validation.node import Node


def names_written(raw: Mapping[str, object]) -> tuple[str, ...]:
    """Names of the entities that a descriptor's records are stored in, in order.

    Raises:
        SchemaInvalid: the key is none of the form above.
    """
    ours = as_node(raw, "").child("waybill")
    items = enumerate(ours.items("writes") or ())
    return tuple(as_node(item, f"/waybill/writes/{at}").text("entity") for at, item in items)


def with_parts(entity: Entity, ours: Node, stored: Mapping[str, Entity]) -> Entity:
    """The entity with the parts that ``ours`` (the key ``waybill``) tells.

    Raises:
        SchemaInvalid: with the place and the reason.
    """
    items = ours.items("writes")
    if items is None:
        return entity
    if not items:
        raise ours.refusal("writes", "must name at least one entity")
    _check_own(entity, ours)
    parts = [
        _part(as_node(item, f"{ours.pointer}/writes/{at}"), entity, stored)
        for at, item in enumerate(items)
    ]
    names = [part.entity.name for part in parts]
    if len(set(names)) < len(names):
        raise ours.refusal("writes", "names an entity twice")
    if len({part.entity.sink for part in parts}) > 1:
        raise ours.refusal("writes", "the entities must name one and the same sink")
    written = {source for part in parts for source in part.fields.values()}
    for field in entity.fields:
        if field.name not in written:
            raise ours.refusal("writes", f"the field {field.name!r} is written nowhere")
    digests = "".join([entity.digest, *(part.entity.digest for part in parts)])
    return replace(
        entity,
        parts=tuple(parts),
        sink=parts[0].entity.sink,
        digest=hashlib.sha256(digests.encode()).hexdigest(),
    )


def _check_own(entity: Entity, ours: Node) -> None:
    """What cannot be said of records that are stored in other entities."""
    for key in ("open", "action", "sink"):
        if key in ours.value:
            raise ours.refusal(key, "does not go with 'writes'")
    if not entity.key:
        raise ours.refusal("writes", "needs a 'primaryKey'")
    if entity.unique_keys or any(field.constraints.unique for field in entity.fields):
        raise ours.refusal("writes", "does not go with unique fields")
    for foreign_key in entity.foreign_keys:
        if foreign_key.reference_entity in ("", entity.name):
            raise ours.refusal("writes", "does not go with references to the entity itself")


def _part(node: Node, entity: Entity, stored: Mapping[str, Entity]) -> Part:
    node.only(("entity", "fields"))
    name = node.text("entity")
    target = stored.get(name)
    if target is None:
        raise node.refusal("entity", f"there is no entity {name!r}{did_you_mean(name, stored)}")
    if target.parts or not target.key or target.unique_keys:
        raise node.refusal("entity", f"{name} must have a key, no unique keys and no 'writes'")
    mapped = node.child("fields")
    fields = {theirs: mapped.text(theirs) for theirs in mapped.value}
    for theirs, own in fields.items():
        _check_pair(mapped, target, entity, theirs, own)
    for part_of_key in target.key:
        if part_of_key not in fields:
            raise node.refusal("fields", f"lacks {part_of_key!r}, of the key of {name}")
        if not _is_always_there(entity, fields[part_of_key]):
            reason = f"{fields[part_of_key]!r} must be required, for it is of the key of {name}"
            raise mapped.refusal(part_of_key, reason)
    return Part(entity=target, fields=fields)


def _check_pair(node: Node, target: Entity, entity: Entity, theirs: str, own: str) -> None:
    """Both fields are there, and what one takes the other keeps."""
    there, here = _find(node, target, theirs, theirs), _find(node, entity, theirs, own)
    if there.type is not here.type:
        reason = f"{own!r} is of type {here.type}, {theirs!r} of {target.name} is {there.type}"
        raise node.refusal(theirs, reason)
    if bool(there.column_prefix) is not bool(here.column_prefix):
        raise node.refusal(theirs, "must have a columnPrefix in both entities, or in none")
    if there.secret is not here.secret:
        raise node.refusal(theirs, "must be secret in both entities, or in none")
    if there.constraints.unique:
        raise node.refusal(theirs, f"is unique in {target.name}, which 'writes' does not take")


def _find(node: Node, entity: Entity, place: str, name: str) -> Field:
    for field in entity.fields:
        if field.name == name:
            return field
    near = did_you_mean(name, [field.name for field in entity.fields])
    raise node.refusal(place, f"{entity.name} has no field {name!r}{near}")


def _is_always_there(entity: Entity, name: str) -> bool:
    field = entity.field(name)
    return name in entity.key or (field.constraints.required and field.default is None)
