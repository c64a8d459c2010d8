"""How many requests a credential may make in a second: a fixed window per key, in memory.

Written here because the library measured for it (``limits``) takes 14 us for a hit and the figures
of its headers, several times what reading a job costs; this takes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from waybill.errors import RateExceeded

if TYPE_CHECKING:
    from waybill.ports.clock import Clock

KEYS_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What is left of a window: requests, and seconds until it ends."""

    remaining: int
    reset_seconds: int


class FixedWindow:
    """Counts hits per key and window. Used from the event loop only."""

    def __init__(self, clock: Clock, *, limit: int, window_seconds: float = 1.0) -> None:
        self._clock = clock
        self._limit = limit
        self._window_seconds = window_seconds
        self._windows: dict[str, tuple[float, int]] = {}

    def hit(self, key: str) -> Quota:
        """Count one request.

        Raises:
            RateExceeded: the window is full; refused requests do not prolong it.
        """
        now = self._clock.monotonic_seconds()
        ends, count = self._windows.get(key, (0.0, 0))
        if now >= ends:
            ends, count = self._open_window(now), 0
        if count >= self._limit:
            raise RateExceeded(
                f"More than {self._limit} requests in {self._window_seconds:g} s; wait and retry.",
                retry_after_seconds=max(1, ceil(ends - now)),
            )
        self._windows[key] = (ends, count + 1)
        return Quota(remaining=self._limit - count - 1, reset_seconds=max(1, ceil(ends - now)))

    def _open_window(self, now: float) -> float:
        if len(self._windows) >= KEYS_KEPT:
            self._windows = {k: w for k, w in self._windows.items() if w[0] > now}
        if len(self._windows) >= KEYS_KEPT:  # a flood of keys: forgetting is cheaper than growing
            self._windows.clear()
        return now + self._window_seconds
