"""Long polls as futures: one thread per process hears of changes, and no other thread waits."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Final

from waybill.http.body_stream import ClientGone, disconnected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.types import Receive

    from waybill.dialect import Response, Wait
    from waybill.model.ids import JobId
    from waybill.model.job import Job
    from waybill.ports.dispatcher import Dispatcher

POLL_SECONDS: Final = 1.0
"""How long a lost hint can delay an answer."""


class Waits:
    """Holds requests until their job changes."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._waiting: dict[JobId, set[asyncio.Future[None]]] = {}
        self._watcher: threading.Thread | None = None
        self._stopping = False

    async def settle(self, wait: Wait, read: Callable[[], Job], receive: Receive) -> Response:
        """The answer of a wait: when the job is over or changed, the time is over, or we stop.

        ``read`` gives the job as it is now; it is called once per hint, and once a second.

        Raises:
            ClientGone: nobody waits any more.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait.seconds
        gone = asyncio.ensure_future(disconnected(receive))
        try:
            job = await self._follow(wait, read, gone, deadline)
        finally:
            gone.cancel()
        return wait.render(job)

    def stop(self) -> None:
        """Answer all waits now, and hold no new ones. Called in the event loop."""
        self._stopping = True
        self._wake(list(self._waiting))
        self._dispatcher.wake()

    async def _follow(
        self, wait: Wait, read: Callable[[], Job], gone: asyncio.Future[None], deadline: float
    ) -> Job:
        loop = asyncio.get_running_loop()
        while True:
            changed = self._register(wait.job.id)
            try:
                job = read()  # after registering, so that no change falls between
                left = deadline - loop.time()
                if _is_over(wait, job) or left <= 0 or self._stopping:
                    return job
                await asyncio.wait(
                    {changed, gone}, timeout=left, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                self._unregister(wait.job.id, changed)
            if gone.done():
                raise ClientGone

    def _register(self, job: JobId) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        changed: asyncio.Future[None] = loop.create_future()
        self._waiting.setdefault(job, set()).add(changed)
        if self._watcher is None:
            self._watcher = threading.Thread(
                target=self._watch, args=(loop,), name="job-changes", daemon=True
            )
            self._watcher.start()
        return changed

    def _unregister(self, job: JobId, changed: asyncio.Future[None]) -> None:
        waiting = self._waiting.get(job, set())
        waiting.discard(changed)
        if not waiting:
            self._waiting.pop(job, None)

    def _wake(self, jobs: Iterable[JobId]) -> None:
        for job in jobs:
            for changed in self._waiting.get(job, ()):
                if not changed.done():
                    changed.set_result(None)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stopping:
            jobs = self._dispatcher.wait_for_changes(POLL_SECONDS)
            if not self._waiting:
                continue  # whoever comes now reads the job after registering
            try:
                loop.call_soon_threadsafe(self._wake, jobs or list(self._waiting))
            except RuntimeError:  # the loop has closed: nobody waits any more
                return


def _is_over(wait: Wait, job: Job) -> bool:
    return job.is_final or (not wait.until_final and job.state is not wait.job.state)
