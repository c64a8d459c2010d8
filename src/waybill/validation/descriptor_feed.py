"""The keys ``partition`` and ``feed`` of a descriptor.

``partition``: ``{"field": "kind", "owners": {"variant": "product"}}``. ``feed``: ``{"elements":
{"product": {"key": "product_key"}, ...}, "wrappers": {"variants": "variant"}, "reserved": []}``; an
element may have ``inside`` and ``nests``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.model.entity import FieldType, Partition
from waybill.model.feed import COLUMNS, OPERATION, OPERATIONS, Feed, FeedElement
from waybill.validation.node import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.model.entity import Entity, Field
    from waybill.validation.node import Node


def parse_partition(ours: Node, fields: Sequence[Field], key: tuple[str, ...]) -> Partition | None:
    """The partition that ``ours`` (the key ``waybill`` of a schema) tells, if any.

    Raises:
        SchemaInvalid: with the place and the reason.
    """
    if "partition" not in ours.value:
        return None
    node = ours.child("partition")
    node.only(("field", "owners"))
    name = node.text("field")
    if name not in key:
        raise node.refusal("field", f"must be a field of the key{did_you_mean(name, key)}")
    field = next(each for each in fields if each.name == name)
    if field.type is not FieldType.STRING or field.secret:
        raise node.refusal("field", "must be of type string, and no secret")
    owners = node.child("owners")
    found = {kind: owners.text(kind) for kind in owners.value}
    if found and name == key[0]:
        raise node.refusal("owners", "need fields of the key before the field, to be found by")
    if not set(found).isdisjoint(found.values()):
        raise node.refusal("owners", "must not be owned themselves")
    return Partition(field=name, owners=found)


def parse_feed(ours: Node, fields: Sequence[Field]) -> Feed | None:
    """The feed that ``ours`` tells, if any; raises as ``parse_partition``."""
    if "feed" not in ours.value:
        return None
    node = ours.child("feed")
    node.only(("elements", "wrappers", "reserved"))
    elements = node.child("elements")
    found = {name: _element(elements.child(name)) for name in elements.value}
    for name, element in found.items():
        if element.inside and element.inside not in found:
            raise elements.child(name).refusal("inside", "must be another element of the feed")
    wrappers = node.child("wrappers")
    wraps = {name: wrappers.text(name) for name in wrappers.value}
    for name, inner in wraps.items():
        if inner not in found:
            raise wrappers.refusal(name, "must be an element of the feed")
    missing = [name for name in COLUMNS[1:] if name not in {field.name for field in fields}]
    if missing:
        raise ours.refusal("feed", f"needs a field {missing[0]!r}")
    return Feed(elements=found, wrappers=wraps, reserved=frozenset(node.texts("reserved", ())))


def check_feed(entity: Entity, ours: Node) -> None:
    """A feed says in its first column what to do; raises as ``parse_partition``."""
    if entity.feed is None:
        return
    action = entity.action
    if action is None or action.name != OPERATION or set(OPERATIONS[1:]) - set(action.actions):
        words = ", ".join(OPERATIONS[1:])
        raise ours.refusal("feed", f"needs an action column {OPERATION!r} that knows {words}")


def _element(node: Node) -> FeedElement:
    node.only(("key", "inside", "nests"))
    if not node.text("key"):
        raise node.refusal("key", "must name the child that holds the key")
    return FeedElement(key=node.text("key"), inside=node.text("inside"), nests=node.flag("nests"))
