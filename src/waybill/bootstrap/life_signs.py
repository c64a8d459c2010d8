"""Signs of life: a worker touches its lock file; the supervisor ends one that has fallen silent.

A frozen process keeps the locks of SQLite that it holds, so nobody else can go on with its job:
ending it is the only way to free them.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from waybill.system import FilePresence


def give_signs(presence: FilePresence, interval_seconds: float) -> None:
    """Touch this process's lock file every ``interval_seconds``, from a thread that does no more.

    The heartbeat will not do: it waits for the database, which a frozen process may hold locked.
    """
    rest = threading.Event()

    def touch_forever() -> None:
        while not rest.wait(interval_seconds):
            presence.touch()

    threading.Thread(target=touch_forever, name="life-signs", daemon=True).start()


@dataclass(slots=True)
class SilenceWatch:
    """How long each process has given no sign; by the monotonic clock, whatever files say."""

    folder: Path
    _seen: dict[int, tuple[int, float]] = field(default_factory=dict)

    def silent_seconds(self, pid: int) -> float:
        """Seconds since this process's lock file was last seen to change.

        0 at the first look, and while the process has not come so far as to make its file.
        """
        now = time.monotonic()
        touched = max((f.stat().st_mtime_ns for f in self.folder.glob(f"{pid}-*.lock")), default=0)
        known = self._seen.get(pid)
        if not touched or known is None or known[0] != touched:
            self._seen[pid] = (touched, now)
            return 0.0
        return now - known[1]

    def forget(self, pid: int) -> None:
        """Drop what is known of a process that has ended."""
        self._seen.pop(pid, None)
