"""How a long-lived process keeps its memory: fewer heaps, fewer looks for garbage."""

from __future__ import annotations

import ctypes
import gc
from typing import Final

TRIM_THRESHOLD: Final = -1  # M_TRIM_THRESHOLD of malloc.h
MMAP_THRESHOLD: Final = -3  # M_MMAP_THRESHOLD
ARENA_MAX: Final = -8  # M_ARENA_MAX
KEPT_BYTES: Final = 64 * 1024 * 1024
LARGEST_KEPT_BYTES: Final = 32 * 1024 * 1024
"""The most that the C library takes for the second limit."""
OBJECTS_BEFORE_A_LOOK: Final = 20_000


def share_heaps() -> None:
    """Let all threads share two heaps of the C library, which keep what chunks have taken.

    Each thread would keep a heap of its own and the free pages in it: measured over an import of
    267 MB, 110 MB of a worker's memory. Given back to the kernel after each array, the same pages
    were cleared anew for the next: a tenth of the time of a check.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(ARENA_MAX, 2)
        library.mallopt(MMAP_THRESHOLD, LARGEST_KEPT_BYTES)
        library.mallopt(TRIM_THRESHOLD, KEPT_BYTES)


def look_for_garbage_less_often() -> None:
    """Look for cycles every 20,000 objects instead of 700.

    Requests and runs make few cycles; looking so often cost 4 % of a small job.
    """
    gc.set_threshold(OBJECTS_BEFORE_A_LOOK, 20, 20)


def leave_out_what_start_made() -> None:
    """Never look at what there is now: for a process that ends with the server."""
    gc.collect()
    gc.freeze()
