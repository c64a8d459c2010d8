"""What all tests share."""

from __future__ import annotations

import os
import shutil

import pytest
from hypothesis import settings

settings.register_profile("waybill", deadline=None)  # how long an example takes is the machine's
settings.load_profile("waybill")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests of an absent strace only for whom `make setup` could not install it."""
    if item.get_closest_marker("strace") is None or shutil.which("strace"):
        return
    if os.geteuid() == 0:
        pytest.fail("strace is not installed; run: make setup")
    pytest.skip("strace is not installed; as root, run: apt-get install strace")
