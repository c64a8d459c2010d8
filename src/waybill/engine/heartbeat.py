"""Keeps the leases of a worker's runs, from a thread that does not run the work."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from waybill.engine.runs.control import RunControl
from waybill.errors import StorageFull, StoreUnavailable
from waybill.ports.job_store import Lease

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.model.ids import JobId
    from waybill.model.job import Job
    from waybill.ports.clock import Clock, Presence
    from waybill.ports.job_store import RunStore

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Heartbeat:
    """Renews leases every ``interval_seconds``; a run whose lease is over is told to stop.

    A renewal that cannot reach the database is tried again until the lease ends; then the run is
    told that it owns nothing any more, before anyone else can begin.
    """

    store: RunStore
    clock: Clock
    presence: Presence
    lease_seconds: float
    interval_seconds: float
    _runs: dict[JobId, tuple[int, RunControl]] = field(default_factory=dict)
    _valid_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)

    def new_lease(self) -> Lease:
        """A lease from now on."""
        until = self.clock.monotonic_seconds() + self.lease_seconds
        return Lease(holder=self.presence.holder, boot_id=self.clock.boot_id, until_seconds=until)

    @contextmanager
    def holding(self, job: Job, lease: Lease) -> Iterator[RunControl]:
        """Renew the lease of this run while the body runs."""
        control = RunControl()
        with self._lock:
            self._runs[job.id] = (job.epoch, control)
            self._valid_until = lease.until_seconds
        try:
            yield control
        finally:
            with self._lock:
                del self._runs[job.id]

    def request_stop(self) -> None:
        """Ask every run to give its job back after the chunk in hand."""
        with self._lock:
            for _, control in self._runs.values():
                control.stop_requested.set()

    def run_forever(self) -> None:
        """Renew until ``close``."""
        while not self._stop.wait(self.interval_seconds):
            self.beat()

    def beat(self) -> None:
        """Renew once."""
        with self._lock:
            runs = dict(self._runs)
        if not runs:
            return
        lease = self.new_lease()
        try:
            owned = self.store.renew_leases({job: epoch for job, (epoch, _) in runs.items()}, lease)
        except (StoreUnavailable, StorageFull):
            self._give_up_what_is_over(runs)
            return
        with self._lock:
            self._valid_until = lease.until_seconds
        for job, (_, control) in runs.items():
            if job not in owned:
                control.ownership_lost.set()
            elif owned[job]:
                control.cancel_requested.set()

    def close(self) -> None:
        """End ``run_forever``."""
        self._stop.set()

    def _give_up_what_is_over(self, runs: dict[JobId, tuple[int, RunControl]]) -> None:
        with self._lock:
            until = self._valid_until
        if self.clock.monotonic_seconds() + self.interval_seconds < until:
            return
        for _, control in runs.values():
            control.ownership_lost.set()
