"""Hints between processes. Losing, doubling or delaying one costs time, never truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from waybill.model.ids import JobId


class Dispatcher(Protocol):
    """Carries "something may be ready" between processes."""

    def hint_work(self) -> None:
        """Tell workers that a job may be waiting."""

    def hint_change(self, *jobs: JobId) -> None:
        """Tell web processes that these jobs, a few dozen at most, changed their states."""

    def wait_for_work(self, timeout_seconds: float) -> None:
        """Block until a work hint arrives, ``wake`` is called, or the time is over."""

    def wait_for_changes(self, timeout_seconds: float) -> list[JobId]:
        """Block until jobs change; an empty list when the time is over."""

    def wake(self) -> None:
        """End a wait of this process, from another thread or a signal handler."""

    def close(self) -> None:
        """Give up this process's place; safe to repeat."""
