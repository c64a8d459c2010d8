"""Puts right what a dead process left: stale runs, lanes whose head is gone, lost hints."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from waybill.engine.worker import attempts_spent, count_crashes, pause_seconds
from waybill.errors import Fenced
from waybill.model.job import AttemptEnd

if TYPE_CHECKING:
    from datetime import datetime

    from waybill.model.job import Job
    from waybill.ports.clock import Clock, Presence
    from waybill.ports.dispatcher import Dispatcher
    from waybill.ports.job_store import DutyStore, RunStore

logger = logging.getLogger(__name__)

GONE: Final = "the process that ran it is gone or did not renew its lease"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """Any process may run it, as often as it likes, also while another one does.

    The first re-run of a job has no pause, later ones wait longer and longer. ``serving_since``: a
    run that began before the whole server did has ended with it, which is no fault of the job's:
    it costs no attempt and no pause. ``None`` where nobody started this process.
    """

    runs: RunStore
    duties: DutyStore
    presence: Presence
    clock: Clock
    dispatcher: Dispatcher
    max_attempts: int
    backoff_seconds: float
    serving_since: datetime | None
    interval_seconds: float
    name: str = "reconciler"

    def run_once(self) -> int:
        """Rescue stale runs and free lanes; gives how many jobs changed."""
        stale = self.duties.stale_runs(
            self.presence, self.clock.boot_id, self.clock.monotonic_seconds()
        )
        rescued = sum(self._rescue(job) for job in stale)
        freed = len(self.duties.free_lanes())
        if rescued or freed:
            self.dispatcher.hint_work()
        return rescued + freed

    def _rescue(self, job: Job) -> bool:
        """Give a stale run back to the queue, or fail a job whose attempts are spent."""
        try:
            crashes = count_crashes(self.runs, job) + 1
            if self._ended_with_the_server(job):
                self._release(job, AttemptEnd.RELEASED, "the whole server had ended", 0)
            elif crashes >= self.max_attempts:
                self.runs.finish_job(job.id, job.epoch, attempts_spent(self.clock.now()))
            else:
                pause = pause_seconds(crashes, self.backoff_seconds)
                self._release(job, AttemptEnd.CRASHED, GONE, pause)
        except Fenced:
            return False
        logger.warning(
            "job_rescued", extra={"job": job.id, "epoch": job.epoch, "cause": "stale lease"}
        )
        self.dispatcher.hint_change(job.id)
        return True

    def _ended_with_the_server(self, job: Job) -> bool:
        if self.serving_since is None:
            return False
        return self.runs.attempts(job.id)[-1].started_at < self.serving_since

    def _release(self, job: Job, end: AttemptEnd, detail: str, pause: float) -> None:
        now = self.clock.now()
        self.runs.release_job(
            job.id,
            job.epoch,
            end=end,
            detail=detail,
            now=now,
            not_before=now + timedelta(seconds=pause) if pause else None,
        )
