"""Which columns a template has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from waybill.model.entity import Constraints, Field, FieldType, Trim

if TYPE_CHECKING:
    from waybill.model.entity import ActionColumn, Entity


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column to be filled in; ``is_needed``: a record without a value in it is refused."""

    field: Field
    is_needed: bool


def columns_of(entity: Entity) -> tuple[Column, ...]:
    """The entity's fields in their order, then its action column where it is none of them.

    Columns that only begin like a field are left out: nobody knows their names.
    """
    single = [field for field in entity.fields if not field.column_prefix]
    columns = [Column(field=field, is_needed=_is_needed(entity, field)) for field in single]
    taken = {name for field in entity.fields for name in (field.name, *field.aliases)}
    if entity.action is not None and entity.action.name not in taken:
        columns.append(Column(field=_action_field(entity.action), is_needed=False))
    return tuple(columns)


def _is_needed(entity: Entity, field: Field) -> bool:
    return (field.name in entity.key or field.constraints.required) and field.default is None


def _action_field(action: ActionColumn) -> Field:
    """The action column as if it were a field of the words that it takes."""
    words = ", ".join(f"{word} ({operation})" for word, operation in action.actions.items())
    return Field(
        name=action.name,
        type=FieldType.STRING,
        description=f"What to do with the record: {words}. Empty: as the job says.",
        constraints=Constraints(enum=tuple(action.actions)),
        trim=Trim.BOTH,
    )
