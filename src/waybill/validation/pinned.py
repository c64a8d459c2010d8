"""What a job pins when it is accepted, as one text: so later changes of files do not change it.

An entity is pinned as its descriptor. A bundle is pinned as
``{"bundle": its descriptor, "entities": {name: descriptor}}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from waybill.validation.bundle_descriptor import parse_bundle
from waybill.validation.descriptor import canonical_json, parse_descriptor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.model.bundle import Bundle
    from waybill.model.entity import Entity


def pin_bundle(
    descriptor: Mapping[str, object], entities: Mapping[str, Mapping[str, object]]
) -> str:
    """The text for a bundle and the descriptors of its entities by name.

    Raises:
        SchemaInvalid: they hold something that JSON has not.
    """
    return canonical_json({"bundle": descriptor, "entities": entities})


def read_pinned(text: str, *, name: str) -> Entity | Bundle:
    """The entity or bundle called ``name`` that a job has pinned.

    Raises:
        SchemaInvalid: with the place and the reason.
    """
    raw = msgspec.json.decode(text, type=dict[str, object])
    if "bundle" not in raw:
        return parse_descriptor(raw, name=name)
    found = msgspec.convert(raw, _PinnedBundle)
    entities = {
        each: parse_descriptor(descriptor, name=each) for each, descriptor in found.entities.items()
    }
    return parse_bundle(found.bundle, name=name, entities=entities)


class _PinnedBundle(msgspec.Struct, frozen=True):
    bundle: dict[str, object]
    entities: dict[str, dict[str, object]]
