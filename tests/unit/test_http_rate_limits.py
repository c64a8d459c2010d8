"""The fixed window."""

from __future__ import annotations

import pytest

from waybill.errors import RateExceeded
from waybill.http.rate_limits import KEYS_KEPT, FixedWindow
from waybill.testing.edge import StillClock


def test_a_full_window_refuses_and_the_next_one_admits() -> None:
    clock = StillClock()
    window = FixedWindow(clock, limit=2)
    assert window.hit("a").remaining == 1
    assert window.hit("a").remaining == 0
    with pytest.raises(RateExceeded) as refused:
        window.hit("a")
    assert refused.value.retry_after_seconds == 1
    clock.seconds += 1.0
    assert window.hit("a").remaining == 1


def test_keys_do_not_share_a_window() -> None:
    window = FixedWindow(StillClock(), limit=1)
    window.hit("a")
    assert window.hit("b").remaining == 0


def test_memory_does_not_grow_with_the_number_of_keys() -> None:
    clock = StillClock()
    window = FixedWindow(clock, limit=1)
    for number in range(KEYS_KEPT * 2 + 5):
        window.hit(str(number))
    assert len(window._windows) <= KEYS_KEPT
