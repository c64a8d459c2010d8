"""A descriptor of a bundle becomes a bundle, or is refused with the place and the reason.

``{"title", "description", "lane", "choices": [{"entity", "all": [column, ...], "any": [...]}]}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.model.bundle import Bundle, Choice, LaneOf
from waybill.validation.columns import known_names, recognise_columns
from waybill.validation.descriptor import NAME
from waybill.validation.node import as_node, did_you_mean, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from waybill.model.entity import Entity
    from waybill.validation.node import Node


def parse_bundle(raw: Mapping[str, object], *, name: str, entities: Mapping[str, Entity]) -> Bundle:
    """The bundle called ``name`` of some of these ``entities``.

    Raises:
        SchemaInvalid: with the JSON Pointer of the place, and the reason.
    """
    if not NAME.fullmatch(name):
        raise refusal("", f"{name!r} is no name for a bundle: {NAME.pattern}")
    node = as_node(raw, "")
    node.only(("title", "description", "lane", "choices"))
    bundle = Bundle(
        name=name,
        title=node.text("title"),
        description=node.text("description"),
        choices=_choices(node, entities),
        lane=_lane(node),
    )
    sinks = {entity.sink for entity in bundle.entities}
    if len(sinks) > 1:
        raise node.refusal("choices", "the entities of a bundle must name one and the same sink")
    return bundle


def _lane(node: Node) -> LaneOf:
    word = node.text("lane", LaneOf.BUNDLE)
    if word not in set(LaneOf):
        raise node.refusal("lane", "must be one of " + ", ".join(LaneOf))
    return LaneOf(word)


def _choices(node: Node, entities: Mapping[str, Entity]) -> tuple[Choice, ...]:
    items = node.items("choices")
    if not items:
        raise node.refusal("choices", "must be an array of at least one choice")
    choices: list[Choice] = []
    for index, item in enumerate(items):
        place = as_node(item, f"{node.pointer}/choices/{index}")
        choice = _choice(place, entities)
        _check_reachable(place, choice, choices)
        choices.append(choice)
    return tuple(choices)


def _choice(node: Node, entities: Mapping[str, Entity]) -> Choice:
    node.only(("entity", "all", "any"))
    name = node.text("entity")
    entity = entities.get(name)
    if entity is None:
        raise node.refusal("entity", f"there is no entity {name!r}{did_you_mean(name, entities)}")
    choice = Choice(
        entity=entity,
        all_of=_columns(node, "all", entity),
        any_of=_columns(node, "any", entity),
    )
    if not choice.all_of and not choice.any_of:
        raise node.refusal("", "needs columns in 'all' or in 'any'")
    return choice


def _columns(node: Node, key: str, entity: Entity) -> tuple[str, ...]:
    """Columns under ``key`` by the names that the entity has for them."""
    columns = []
    for name in node.texts(key, ()):
        known = recognise_columns(entity, (name,))
        if not known:
            near = did_you_mean(name, known_names(entity))
            raise node.refusal(key, f"{entity.name} has no column {name!r}{near}")
        columns.append(known[0])
    return tuple(dict.fromkeys(columns))


def _check_reachable(node: Node, choice: Choice, before: Sequence[Choice]) -> None:
    """Refuse a choice whose every header an earlier one takes."""
    sure = [_spellings(choice.entity, column) for column in choice.all_of]
    for index, earlier in enumerate(before):
        needed, one_of = (
            [any(each <= _spellings(earlier.entity, column) for each in sure) for column in columns]
            for columns in (earlier.all_of, earlier.any_of)
        )
        if all(needed) and (any(one_of) or not one_of):
            raise node.refusal("", f"is never reached: choice {index} takes all of its files")


def _spellings(entity: Entity, column: str) -> set[str]:
    """What a column is called in files: as its field, or as one of the aliases."""
    fields = [field for field in entity.fields if field.name == column]
    return {column, *(alias for field in fields for alias in field.aliases)}
