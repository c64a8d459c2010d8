from __future__ import annotations

import os
import signal
import threading

from waybill.bootstrap.stop_signals import stop_on


def test_a_signal_does_not_wait_for_the_thread_that_it_interrupts() -> None:
    event = threading.Event()
    before = signal.getsignal(signal.SIGUSR1)
    stop_on([signal.SIGUSR1], event.set)
    try:
        with event._cond:  # as inside of ``event.wait``
            os.kill(os.getpid(), signal.SIGUSR1)
        assert event.wait(30)
    finally:
        signal.signal(signal.SIGUSR1, before)
