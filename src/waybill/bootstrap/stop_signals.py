"""What a process does when it is asked to stop."""

from __future__ import annotations

import _thread
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def stop_on(numbers: Iterable[signal.Signals], stop: Callable[[], object]) -> None:
    """Call ``stop`` when one of the signals comes, in a thread of its own.

    The thread that a signal interrupts may hold the very lock that ``stop`` takes, an event's for
    one, and would wait for itself for ever.
    """
    for number in numbers:
        signal.signal(number, lambda *_: _thread.start_new_thread(stop, ()))
