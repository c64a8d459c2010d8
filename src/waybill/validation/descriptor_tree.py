"""The key ``tree`` of a descriptor: ``{"parent": field, "roots": [key, ...], "maxDepth": 15}``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.model.entity import FieldType, ForeignKey, Tree
from waybill.validation.node import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.model.entity import Field
    from waybill.validation.node import Node

DEEPEST: Final = 1_000
"""Most levels of any tree: each is a pass over the nodes."""


def parse_tree(ours: Node, fields: Sequence[Field], key: tuple[str, ...]) -> Tree | None:
    """The tree that ``ours`` (the key ``waybill`` of a schema) tells, if any.

    Raises:
        SchemaInvalid: with the place and the reason.
    """
    if "tree" not in ours.value:
        return None
    node = ours.child("tree")
    node.only(("parent", "roots", "maxDepth"))
    by_name = {field.name: field for field in fields}
    parent, max_depth = node.text("parent"), node.count("maxDepth")
    if parent not in by_name or parent in key:
        near = did_you_mean(parent, by_name)
        raise node.refusal("parent", f"must be a field that is not the key{near}")
    if len(key) != 1:
        raise ours.refusal("tree", "needs a 'primaryKey' of one field")
    if max_depth is None or not 1 <= max_depth <= DEEPEST:
        raise node.refusal("maxDepth", f"must be a whole number from 1 to {DEEPEST}")
    for field in (by_name[parent], by_name[key[0]]):
        if field.type is not FieldType.STRING or field.secret:
            raise ours.refusal("tree", f"{field.name!r} must be of type string, and no secret")
    return Tree(parent=parent, roots=node.texts("roots", ()), max_depth=max_depth)


def parent_reference(tree: Tree, key: tuple[str, ...]) -> ForeignKey:
    """The foreign key that a tree is: every parent exists, but the roots."""
    return ForeignKey(
        fields=(tree.parent,), reference_entity="", reference_fields=key, exempt=tree.roots
    )
