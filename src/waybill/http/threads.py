"""The threads behind the event loop: whatever syncs, waits for a disk, or takes a millisecond."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


class Threads:
    """A bounded pool; a request that finds it busy waits without holding anything."""

    def __init__(self, count: int = 64) -> None:
        self._pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="edge")

    def start(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[R]:
        """The future result of ``work`` in a thread; it runs on even if nobody awaits it."""
        loop = asyncio.get_running_loop()
        return asyncio.wrap_future(self._pool.submit(work, *args, **kwargs), loop=loop)

    def close(self) -> None:
        """Take no more work; what runs is left to end."""
        self._pool.shutdown(wait=False, cancel_futures=True)
