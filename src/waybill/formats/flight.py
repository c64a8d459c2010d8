"""The pieces of an input worked on by a few threads: the one place where readers use threads."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING, Generic, TypeVar

from waybill.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = TypeVar("P")
T = TypeVar("T")


class Flight(Generic[P, T]):
    """Work on pieces in threads, a few ahead, results in order."""

    def __init__(self, pieces: Iterator[P], work: Callable[[P], T], threads: int) -> None:
        self._pieces = pieces
        self._work = work
        self._threads = threads
        self._flying: deque[Future[T]] = deque()
        self._refusal: FileRefused | None = None
        self._is_cut = False

    def results(self) -> Iterator[T]:
        """Each result; then the refusal that ended the pieces, if any."""
        first, second = self._next(), self._next()
        if first is not None and second is None:
            yield self._work(first)  # one chunk: no thread is worth its start
        elif first is not None and second is not None:
            self._pieces = chain((first, second), self._pieces)
            yield from self._in_threads()
        if self._refusal:
            raise self._refusal

    def _in_threads(self) -> Iterator[T]:
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="waybill-chunk")
        try:
            while self._launch(pool):
                yield self._flying.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _launch(self, pool: ThreadPoolExecutor) -> bool:
        """Fill up the look-ahead; whether anything flies."""
        while not self._is_cut and len(self._flying) <= self._threads:
            piece = self._next()
            if piece is not None:
                self._flying.append(pool.submit(self._work, piece))
        return bool(self._flying)

    def _next(self) -> P | None:
        if self._is_cut:
            return None
        try:
            piece = next(self._pieces, None)
        except FileRefused as error:
            self._refusal, piece = error, None
        self._is_cut = piece is None
        return piece
