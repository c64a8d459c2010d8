"""The import types: the entity of each, and how its records are called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from waybill.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportType:
    """One type. ``word``: as answers show it. ``plurals``: what several records of a kind are.

    ``clears``: the kinds that an export clears even where it has none.
    """

    word: str
    entity: str
    plurals: Mapping[str, str] = field(default_factory=dict)
    clears: tuple[str, ...] = ()


TYPES: Final[Mapping[str, ImportType]] = {
    "products": ImportType(
        word="PRODUCTS",
        entity="voyado_products",
        plurals={"product": "products", "variant": "variants", "category": "categories"},
    ),
    "ads": ImportType(word="ADS", entity="voyado_ads", plurals={"ad": "ads"}, clears=("ad",)),
    "synonyms": ImportType(word="SYNONYMS", entity="voyado_synonyms"),
    "configuration": ImportType(word="CONFIGURATION", entity="voyado_configuration"),
    "panels": ImportType(word="PANELS", entity="voyado_panels"),
}
BY_ENTITY: Final[Mapping[str, ImportType]] = {each.entity: each for each in TYPES.values()}


def find_type(name: str) -> ImportType:
    """The type that a path names, in any case; raises ``NotFound``."""
    found = TYPES.get(name.lower())
    if found is None:
        raise NotFound(f"Import type '{name[:100]}' not found.", code="IMPORT_TYPE_NOT_FOUND")
    return found
