"""The entities and bundles a server was started with, and where records go."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from waybill.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from waybill.model.entity import Entity
    from waybill.ports.sink import Sink
    from waybill.validation.entity_files import LoadedBundle, LoadedEntity


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Entities and bundles by name; no name means both.

    ``sink_for`` gives the sink that an entity names.
    """

    entries: Mapping[str, LoadedEntity]
    bundles: Mapping[str, LoadedBundle]
    sink_for: Callable[[Entity], Sink]

    def find(self, name: str) -> LoadedEntity:
        """The entity of that name.

        Raises:
            NotFound: there is none; the message names the nearest.
        """
        entry = self.entries.get(name)
        if entry is None:
            raise _unknown(name, self.entries)
        return entry

    def find_target(self, name: str) -> LoadedEntity | LoadedBundle:
        """What a file is sent to: the entity or the bundle of that name.

        Raises:
            NotFound: there is none; the message names the nearest.
        """
        target = self.bundles.get(name) or self.entries.get(name)
        if target is None:
            raise _unknown(name, {**self.entries, **self.bundles})
        return target


def _unknown(name: str, known: Iterable[str]) -> NotFound:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}"
    return NotFound(f"there is no entity {name!r}; {hint}", code="ENTITY_NOT_FOUND")
