"""The one runner of background duties: loop, logging, failure and stop."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

logger = logging.getLogger(__name__)


class Duty(Protocol):
    """Something to do again and again; every run is idempotent."""

    @property
    def name(self) -> str:
        """What logs call it."""

    @property
    def interval_seconds(self) -> float:
        """How long to rest between two runs."""

    def run_once(self) -> int:
        """Do what is due; gives how many things were done."""


@dataclass(slots=True)
class DutyRunner:
    """Runs each duty in a thread of its own: at once, then at its interval."""

    duties: Sequence[Duty]
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin; returns at once."""
        for duty in self.duties:
            thread = threading.Thread(
                target=self._loop, args=(duty,), name=f"duty-{duty.name}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End after the runs in hand, five seconds at most."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def _loop(self, duty: Duty) -> None:
        while True:
            run_duty(duty)
            if self._stop.wait(duty.interval_seconds):
                return


def run_duty(duty: Duty) -> None:
    """Run a duty once; a failure is logged and leaves the next run its chance."""
    try:
        done = duty.run_once()
    except Exception:  # the service loop outlives any one failure
        logger.exception("duty_failed", extra={"duty": duty.name})
        return
    if done:
        logger.info("duty_done", extra={"duty": duty.name, "count": done})
