"""A bundle: a set of entities, one of which a file is of, found from its header."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from waybill.model.entity import Entity, Field


class LaneOf(StrEnum):
    """Whose jobs run in one lane: those of the bundle, or those of every bundle of the project."""

    BUNDLE = "bundle"
    PROJECT = "project"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An entity, and the columns by which its files are known.

    A header has all columns of ``all_of``, and one of ``any_of`` unless that is empty. Columns are
    named as the entity does: fields, or the action column.
    """

    entity: Entity
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Choices in the order in which they are tried; the first that fits a header is taken."""

    name: str
    title: str = ""
    description: str = ""
    choices: tuple[Choice, ...]
    lane: LaneOf = LaneOf.BUNDLE

    @property
    def entities(self) -> tuple[Entity, ...]:
        """The entities, each once, as they are first named."""
        return tuple({choice.entity.name: choice.entity for choice in self.choices}.values())

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of all entities."""
        return tuple(field for entity in self.entities for field in entity.fields)

    @property
    def secret_fields(self) -> frozenset[str]:
        """Names of the fields whose values leave the server in no form."""
        return frozenset().union(*(entity.secret_fields for entity in self.entities))

    def entity(self, name: str) -> Entity:
        """The entity of that name; ``KeyError`` where the bundle has none."""
        for entity in self.entities:
            if entity.name == name:
                return entity
        raise KeyError(name)
