"""Removes working files of processes and runs that are gone; they can all be made again."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from waybill.model.ids import BlobName, HolderId

if TYPE_CHECKING:
    from pathlib import Path

    from waybill.ports.clock import Clock, Presence
    from waybill.ports.job_store import DutyStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """Entries of ``folder`` are named after the process or the job that works there.

    One goes when nothing of that name lives and it was not touched for ``grace_seconds``.
    """

    duties: DutyStore
    presence: Presence
    clock: Clock
    folder: Path
    grace_seconds: float
    interval_seconds: float
    name: str = "scratch"

    def run_once(self) -> int:
        """Remove what is left over; gives how many entries."""
        removed = 0
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            with suppress(FileNotFoundError):
                if self._is_left_over(path):
                    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
                    removed += 1
        return removed

    def _is_left_over(self, path: Path) -> bool:
        if self.clock.now().timestamp() - path.stat().st_mtime < self.grace_seconds:
            return False
        if not self.presence.is_gone(HolderId(path.name)):
            return False
        return not self.duties.is_referenced(BlobName(f"runs/{path.name}/"))
