"""Removes files that no job points at: uploads that were never accepted, runs that died."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from waybill.ports.blobs import Blobs
    from waybill.ports.job_store import DutyStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphans:
    """A file is an orphan when nothing points at it ``grace_seconds`` after its last write."""

    duties: DutyStore
    blobs: Blobs
    grace_seconds: float
    interval_seconds: float
    name: str = "orphans"

    def run_once(self) -> int:
        """Remove orphans; gives how many."""
        removed = 0
        for name in self.blobs.names_older_than(self.grace_seconds):
            if not self.duties.is_referenced(name):
                self.blobs.delete(name)
                removed += 1
        return removed
