"""The entities a server was started with, and where their records go."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from waybill.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from waybill.model.entity import Entity
    from waybill.ports.sink import Sink
    from waybill.validation.entity_files import LoadedEntity


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Entities by name. ``sink_for`` gives the sink that an entity names."""

    entries: Mapping[str, LoadedEntity]
    sink_for: Callable[[Entity], Sink]

    def find(self, name: str) -> LoadedEntity:
        """The entity of that name.

        Raises:
            NotFound: there is none; the message names the nearest.
        """
        entry = self.entries.get(name)
        if entry is None:
            raise NotFound(self._unknown(name), code="ENTITY_NOT_FOUND")
        return entry

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.entries, n=1)
        if near:
            return f"there is no entity {name!r}; did you mean {near[0]!r}?"
        return f"there is no entity {name!r}; known: {', '.join(sorted(self.entries)) or 'none'}"
