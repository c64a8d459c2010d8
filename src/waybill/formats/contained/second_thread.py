"""A second thread of the child, for work beside a library that runs without the interpreter."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class SecondThread:
    """One thread. ``start`` makes it while the process may still make threads."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="second")

    def start(self) -> None:
        """Have the thread, now."""
        self._pool.submit(int).result()

    def run(self, work: Callable[[], T]) -> Future[T]:
        """Do the work there; its errors come with its result."""
        return self._pool.submit(work)


SECOND_THREAD = SecondThread()
"""The one of this process."""
