"""How stored inputs are opened, with or without a server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from waybill.formats.opening import open_reader
from waybill.formats.same_content import hold_the_same

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from waybill.model.limits import Limits
    from waybill.ports.reader import OpenReader


def make_opener(limits: Limits, threads: int, scratch: Path) -> OpenReader:
    """What opens a stored input under these limits; ``threads`` work on its chunks.

    ``scratch``: folder for files without a name, where an input must be unpacked on disk.
    """
    return lambda path, options: open_reader(
        path, replace(options, threads=threads), limits, scratch=str(scratch)
    )


def make_comparer(limits: Limits) -> Callable[[str, str, Callable[[], None]], bool]:
    """What tells whether two stored files hold the same, though they were packed anew."""
    return lambda path, other, while_reading: hold_the_same(path, other, limits, while_reading)
