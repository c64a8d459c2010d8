"""Fields that take every column with a prefix: what a descriptor may say of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from waybill.model.entity import Constraints, FieldType
from waybill.validation.node import refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.model.entity import Entity, Field
    from waybill.validation.node import Node


def check_prefixes(schema: Node, fields: Sequence[Field]) -> None:
    """Refuse what makes no sense of an object of columns.

    Raises:
        SchemaInvalid: with the place and the reason.
    """
    for index, field in enumerate(fields):
        if field.column_prefix:
            _check_field(field, f"{schema.pointer}/fields/{index}/waybill/columnPrefix")
    prefixes = [field.column_prefix for field in fields if field.column_prefix]
    for one, other in combinations(sorted(prefixes), 2):
        if other.startswith(one):
            reason = f"the prefixes {one!r} and {other!r} take the same columns"
            raise refusal(f"{schema.pointer}/fields", reason)


def check_uses(entity: Entity, pointer: str) -> None:
    """Refuse an object of columns as part of a key, a unique key or a reference.

    Raises:
        SchemaInvalid: with the place and the reason.
    """
    foreign = [key.fields for key in entity.foreign_keys]
    for place, sets in (
        ("primaryKey", [entity.key]),
        ("uniqueKeys", entity.unique_keys),
        ("foreignKeys", foreign),
    ):
        for name in {name for names in sets for name in names}:
            if entity.field(name).column_prefix:
                raise refusal(f"{pointer}/{place}", f"{name!r} has a columnPrefix")


def _check_field(field: Field, pointer: str) -> None:
    if field.type is not FieldType.OBJECT:
        raise refusal(pointer, "needs a field of type object")
    plain = replace(
        field,
        constraints=Constraints(),
        aliases=(),
        default=None,
        secret=False,
        kinds=(),
        required_on_create=False,
    )
    if field != plain:
        raise refusal(
            pointer, "goes with no constraints, aliases, default, secret, kinds or requiredOnCreate"
        )
