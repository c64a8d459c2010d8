"""The raw cells of a record, as they may be shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.validation.columns import ColumnMap

MASK: Final = "********"
"""Stands wherever the value of a secret field would."""


@dataclass(frozen=True, slots=True)
class ShownCells:
    """Which cells are secret, and where the cell of a field stands.

    ``width``: how many columns the file itself has; no others are shown.
    """

    columns: ColumnMap
    width: int

    def mask(self, cells: Sequence[str | None]) -> tuple[str | None, ...]:
        """The cells with every secret one masked; a missing one stays missing."""
        secret = self.columns.hidden
        if not secret:
            return tuple(cells[: self.width])
        return tuple(
            MASK if place in secret and cell is not None else cell
            for place, cell in enumerate(cells[: self.width])
        )

    def column_of(self, field: str) -> int | None:
        """The column (from 1) of a declared field; ``None`` where the file has none."""
        for bound in self.columns.bound:
            if bound.field.name == field:
                return bound.index + 1
        return None
