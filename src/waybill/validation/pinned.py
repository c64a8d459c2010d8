"""What a job pins when it is accepted, as one text: so later changes of files do not change it.

An entity is pinned as its descriptor; one that writes others as ``{"entity": its descriptor,
"entities": {name: descriptor}}``; a bundle as ``{"bundle": its descriptor, "entities"}``, with the
entities that its own write.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.validation.bundle_descriptor import parse_bundle
from waybill.validation.descriptor import canonical_json, parse_descriptor
from waybill.validation.descriptor_writes import names_written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.model.bundle import Bundle
    from waybill.model.entity import Entity

    Descriptors = Mapping[str, Mapping[str, object]]


PINNED_KEPT: Final = 32
"""A bundle takes some fifty milliseconds to read, and every poll of its jobs may need it."""


def pin_entity(descriptor: Mapping[str, object], stored: Descriptors) -> str:
    """The text for an entity; ``stored``: descriptors of the entities that it writes.

    Raises:
        SchemaInvalid: they hold something that JSON has not.
    """
    if not stored:
        return canonical_json(descriptor)
    return canonical_json({"entity": descriptor, "entities": stored})


def pin_bundle(descriptor: Mapping[str, object], entities: Descriptors) -> str:
    """The text for a bundle; ``entities``: its own, and those that they write.

    Raises:
        SchemaInvalid: they hold something that JSON has not.
    """
    return canonical_json({"bundle": descriptor, "entities": entities})


@lru_cache(maxsize=PINNED_KEPT)
def read_pinned(text: str, *, name: str) -> Entity | Bundle:
    """The entity or bundle called ``name`` that a job has pinned; those read last are kept.

    Raises:
        SchemaInvalid: with the place and the reason.
    """
    raw = msgspec.json.decode(text, type=dict[str, object])
    if "entities" not in raw:
        return parse_descriptor(raw, name=name)
    found = msgspec.convert(raw, _Pinned)
    entities = parse_entities(found.entities)
    if found.bundle is not None:
        return parse_bundle(found.bundle, name=name, entities=entities)
    return parse_descriptor(found.entity, name=name, stored=entities)


def parse_entities(descriptors: Descriptors) -> Mapping[str, Entity]:
    """Entities by name, of descriptors that may name one another under ``writes``.

    Raises:
        SchemaInvalid: with the place and the reason.
    """
    plain = {
        name: parse_descriptor(raw, name=name)
        for name, raw in descriptors.items()
        if not names_written(raw)
    }
    return plain | {
        name: parse_descriptor(raw, name=name, stored=plain)
        for name, raw in descriptors.items()
        if name not in plain
    }


class _Pinned(msgspec.Struct, frozen=True):
    entities: dict[str, dict[str, object]]
    entity: dict[str, object] = {}
    bundle: dict[str, object] | None = None
