"""A plan: what applying a job would do, or would have done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003 - decoded by these annotations
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Effect(StrEnum):
    """What becomes of a record when a whole file is published."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCounts:
    """How many records would meet which end; ``removed``: stored ones that no record names."""

    created: int
    updated: int
    unchanged: int
    deleted: int
    removed: int
    rejected: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KindShare:
    """How many stored records of a kind would go, of how many.

    ``kind``: as the entity's partition says, empty where it has none. What goes and comes again in
    the same file does not count.
    """

    kind: str
    gone: int
    stored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """A record that would change, before and after; ``record``: its number in the file, if any."""

    record: int | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What applying would do.

    ``hash``: the same as long as file, options, entity and stored records are. ``data_version``: of
    the stored records. ``shares``: of kinds from which any record would go. ``samples``: a few of
    each effect.
    """

    hash: str
    data_version: str
    counts: PlanCounts
    shares: Sequence[KindShare] = ()
    samples: Mapping[Effect, Sequence[PlannedChange]] = field(default_factory=dict)
