"""A Table Schema descriptor becomes an entity, or is refused with the place and the reason.

All of Table Schema (Data Package v2) is taken, and a key ``waybill`` on both levels. On the schema:
``open``, ``action`` (``{"column", "actions"}``), ``sink``, ``ascending``, ``tree``
(``descriptor_tree.py``), ``partition``, ``feed`` (``descriptor_feed.py``), ``writes``
(``descriptor_writes.py``).
On a field: ``aliases``, ``default``, ``trim`` (``true``, ``"both"`` or ``"none"``), ``secret``,
``kinds``, ``requiredOnCreate``, ``present``, ``immutable``, ``patched``, ``generated``,
``repeatable``, ``columnPrefix``, ``ignoreCase``, ``itemEnum``. On a foreign key: ``except``,
``or``.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.model.entity import ActionColumn, Entity, FieldType, ForeignKey
from waybill.model.options import Operation
from waybill.validation.descriptor_feed import check_feed, parse_feed, parse_partition
from waybill.validation.descriptor_field import grammar_or_none, parse_fields
from waybill.validation.descriptor_prefix import check_uses
from waybill.validation.descriptor_tree import parent_reference, parse_tree
from waybill.validation.descriptor_writes import with_parts
from waybill.validation.node import as_node, did_you_mean, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from waybill.model.entity import Field
    from waybill.validation.node import Node

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
"""What an entity may be called."""

_STANDARD: Final = (
    "$schema",
    "profile",
    "name",
    "title",
    "description",
    "homepage",
    "version",
    "created",
    "keywords",
    "fieldsMatch",
)
_KEYS: Final = (
    "fields",
    "missingValues",
    "primaryKey",
    "uniqueKeys",
    "foreignKeys",
    "waybill",
)
_OUR_KEYS: Final = ("open", "action", "sink", "writes", "tree", "ascending", "partition", "feed")
_NESTED: Final = (FieldType.ARRAY, FieldType.OBJECT, FieldType.GEOJSON)
_ITEM_TYPES: Final = (FieldType.STRING, FieldType.INTEGER)
_FIELDS_MATCH: Final = ("exact", "equal", "subset", "superset", "partial")


def parse_descriptor(
    raw: Mapping[str, object], *, name: str, stored: Mapping[str, Entity] | None = None
) -> Entity:
    """The entity called ``name`` that the descriptor describes.

    ``stored``: the entities that it may name under ``writes``.

    Raises:
        SchemaInvalid: with the JSON Pointer of the place, and the reason; ``PATTERN_UNSUPPORTED``
            where a pattern is too long or not one that RE2 can compile.
    """
    if not NAME.fullmatch(name):
        raise refusal("", f"{name!r} is no name for an entity: {NAME.pattern}")
    node = as_node(raw, "")
    node.only((*_KEYS, *_STANDARD))
    _check_fields_match(node)
    fields = parse_fields(node)
    ours = node.child("waybill")
    ours.only(_OUR_KEYS)
    key = _names(node, "primaryKey", fields)
    tree = parse_tree(ours, fields, key)
    inner = () if tree is None else (parent_reference(tree, key),)
    entity = Entity(
        name=name,
        title=node.text("title"),
        description=node.text("description"),
        fields=fields,
        key=key,
        unique_keys=_unique_keys(node, fields),
        foreign_keys=(*_foreign_keys(node, fields, name), *inner),
        tree=tree,
        ascending=_ascending(ours, fields),
        action=_action(ours),
        partition=parse_partition(ours, fields, key),
        feed=parse_feed(ours, fields),
        is_open=ours.flag("open"),
        sink=ours.text("sink"),
        digest=hashlib.sha256(canonical_json(raw).encode()).hexdigest(),
    )
    _check_key_uses(node, entity)
    check_uses(entity, node.pointer)
    check_feed(entity, ours)
    return with_parts(entity, ours, stored or {})


def _check_key_uses(node: Node, entity: Entity) -> None:
    """What fields say of stored records; without a key every record is new."""
    for index, field in enumerate(entity.fields):
        ours = as_node({}, f"{node.pointer}/fields/{index}/waybill")
        if field.required_on_create and not entity.key:
            raise ours.refusal(
                "requiredOnCreate", "needs a 'primaryKey'; without one use 'required'"
            )
        if field.immutable and (not entity.key or field.name in entity.key):
            raise ours.refusal("immutable", "needs a 'primaryKey', and is of no use in it")
        is_text_key = entity.key == (field.name,) and field.type is FieldType.STRING
        if field.generated and (not is_text_key or field.secret):
            raise ours.refusal("generated", "needs a string that alone is the 'primaryKey'")


def _ascending(ours: Node, fields: Sequence[Field]) -> tuple[tuple[str, ...], ...]:
    """The sets of fields under ``ascending``, each of one ordered type."""
    by_name = {field.name: field for field in fields}
    sets = []
    for at, item in enumerate(ours.items("ascending") or ()):
        node = as_node({"fields": item}, f"{ours.pointer}/ascending/{at}")
        names = _names(node, "fields", fields)
        types = {by_name[name].type for name in names}
        if len(names) < 2:  # noqa: PLR2004 - a pair at least
            raise ours.refusal("ascending", "must hold arrays of two or more fields")
        if len(types) > 1 or any(by_name[name].secret for name in names):
            raise ours.refusal("ascending", "needs fields of one type that are no secrets")
        grammar = grammar_or_none(by_name[names[0]])
        is_duration = FieldType.DURATION in types  # kept as written, which says nothing of length
        if grammar is None or not grammar.is_ordered or is_duration:
            raise ours.refusal("ascending", f"does not apply to fields of type {min(types)}")
        sets.append(names)
    return tuple(sets)


def canonical_json(raw: Mapping[str, object]) -> str:
    """The descriptor as compact JSON, keys in their own order; equal descriptors give equal text.

    Raises:
        SchemaInvalid: it holds something that JSON has not.
    """
    try:
        return msgspec.json.encode(raw).decode()
    except TypeError as error:
        raise refusal("", f"is not JSON: {error}") from error


def _check_fields_match(node: Node) -> None:
    wanted = node.value.get("fieldsMatch", "exact")
    given = wanted if isinstance(wanted, list | tuple) else [wanted]
    if any(each not in _FIELDS_MATCH for each in given):
        raise node.refusal("fieldsMatch", "must be one of " + ", ".join(_FIELDS_MATCH))


def _names(node: Node, key: str, fields: Sequence[Field]) -> tuple[str, ...]:
    """Names of declared fields under ``key``: an array, or one text as in version 1."""
    value = node.value.get(key, ())
    names = (value,) if isinstance(value, str) else node.texts(key, ())
    if key in node.value and not names:
        raise node.refusal(key, "must name at least one field")
    known = [field.name for field in fields]
    for name in names:
        if name not in known:
            raise node.refusal(key, f"there is no field {name!r}{did_you_mean(name, known)}")
    return names


def _unique_keys(node: Node, fields: Sequence[Field]) -> tuple[tuple[str, ...], ...]:
    items = node.items("uniqueKeys")
    if items is not None and not items:
        raise node.refusal("uniqueKeys", "must not be empty")
    keys = [
        _names(as_node({str(index): item}, f"{node.pointer}/uniqueKeys"), str(index), fields)
        for index, item in enumerate(items or ())
    ]
    return tuple(dict.fromkeys(keys))


def _foreign_keys(node: Node, fields: Sequence[Field], name: str) -> tuple[ForeignKey, ...]:
    items = node.items("foreignKeys") or ()
    return tuple(
        _foreign_key(as_node(item, f"{node.pointer}/foreignKeys/{index}"), fields, name)
        for index, item in enumerate(items)
    )


def _foreign_key(node: Node, fields: Sequence[Field], name: str) -> ForeignKey:
    node.only(("fields", "reference", "waybill"))
    if "reference" not in node.value or "fields" not in node.value:
        raise node.refusal("", "needs 'fields' and 'reference'")
    reference = node.child("reference")
    reference.only(("resource", "fields"))
    entity = reference.text("resource")
    own = _names(node, "fields", fields)
    wanted = reference.value.get("fields", ())
    others = (wanted,) if isinstance(wanted, str) else reference.texts("fields", ())
    if len(own) != len(others):
        raise reference.refusal("fields", f"must name as many fields as 'fields': {len(own)}")
    if not entity:
        _names(reference, "fields", fields)
    for field in fields:
        if field.name in own:
            _check_reference(node, field, is_alone=len(own) == 1, is_inner=entity in {"", name})
    ours = node.child("waybill")
    ours.only(("except", "or"))
    exempt = ours.texts("except", ())
    if exempt and len(own) > 1:
        raise ours.refusal("except", "goes with a reference of one field")
    return ForeignKey(
        fields=own,
        reference_entity=entity,
        reference_fields=others,
        exempt=exempt,
        alternatives=_alternatives(ours, own, {"", name, entity}),
    )


def _alternatives(
    ours: Node, own: tuple[str, ...], taken: set[str]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The other entities that a reference may lead to; of the entity itself there is none."""
    found: dict[str, tuple[str, ...]] = {}
    for at, item in enumerate(ours.items("or") or ()):
        node = as_node(item, f"{ours.pointer}/or/{at}")
        node.only(("resource", "fields"))
        entity = node.text("resource")
        wanted = node.value.get("fields", ())
        others = (wanted,) if isinstance(wanted, str) else node.texts("fields", ())
        if entity in {*taken, *found}:
            raise node.refusal("resource", "must name a further entity")
        if len(own) != len(others):
            raise node.refusal("fields", f"must name as many fields as the reference: {len(own)}")
        found[entity] = others
    return tuple(found.items())


def _check_reference(node: Node, field: Field, *, is_alone: bool, is_inner: bool) -> None:
    """Of a list every item refers to something, so it must be of a type that keys have."""
    if field.type in _NESTED:
        raise node.refusal("fields", f"{field.name!r} must be a list for its items to be found")
    if field.type is not FieldType.LIST:
        return
    if not is_alone:
        raise node.refusal("fields", f"the list {field.name!r} must be the only field")
    if is_inner:
        raise node.refusal("fields", f"the list {field.name!r} must refer to another entity")
    if field.secret:
        raise node.refusal("fields", f"the list {field.name!r} is secret: it is kept as a hash")
    if field.item_type not in _ITEM_TYPES:
        types = " or ".join(_ITEM_TYPES)
        raise node.refusal("fields", f"the items of {field.name!r} must be of type {types}")


def _action(node: Node) -> ActionColumn | None:
    if "action" not in node.value:
        return None
    action = node.child("action")
    action.only(("column", "actions"))
    column = action.text("column")
    if not column:
        raise action.refusal("column", "must name the column of the file")
    words = action.child("actions")
    if not words.value:
        raise action.refusal("actions", "must map cells to operations")
    for word in words.value:
        if words.text(word) not in set(Operation):
            raise words.refusal(word, "must be one of " + ", ".join(Operation))
    actions = {word.strip().lower(): words.text(word) for word in words.value}
    return ActionColumn(name=column, actions=actions)
