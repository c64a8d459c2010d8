"""Ends a child with its parent, however the parent ends: a pipe that only the parent holds open."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

GRACE_SECONDS: Final = 1.5


def watch_lifeline(descriptor: int, stop: Callable[[], None]) -> None:
    """Call ``stop`` when the parent is gone, and end this process 1.5 s later at the latest."""
    threading.Thread(
        target=_wait_for_the_end, args=(descriptor, stop), name="lifeline", daemon=True
    ).start()


def _wait_for_the_end(descriptor: int, stop: Callable[[], None]) -> None:
    while os.read(descriptor, 1):
        pass
    timer = threading.Timer(GRACE_SECONDS, os._exit, args=(1,))
    timer.daemon = True
    timer.start()
    stop()
