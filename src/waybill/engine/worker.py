"""A worker: claims jobs, runs them, and stores how they ended."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from waybill.engine.runs.bundle_run import BundleRun
from waybill.engine.runs.context import RunContext
from waybill.engine.runs.control import RunReleased
from waybill.engine.runs.import_run import ImportRun
from waybill.engine.runs.transform_run import TransformRun
from waybill.errors import Fenced, StorageFull, StoreUnavailable
from waybill.model.bundle import Bundle
from waybill.model.job import AttemptEnd, Counts, Job, JobError, JobKind, JobState
from waybill.ports.job_store import ANY_SIZE, Finish
from waybill.validation.pinned import read_pinned

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from waybill.engine.heartbeat import Heartbeat
    from waybill.engine.runs.context import RunParts
    from waybill.engine.runs.control import RunControl
    from waybill.ports.dispatcher import Dispatcher
    from waybill.ports.job_store import RunStore

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_POLLS: Final = 1.0
LONGEST_STORAGE_PAUSE_SECONDS: Final = 60.0
SMALL_CLAIM: Final = 8
STORAGE_TROUBLE: Final = "the disk is full or refuses writes, or a database does not answer"
"""What clients read of it; the log has the path."""
SMALL_INPUT_BYTES: Final = 1024 * 1024
SIZES: Final = {
    "small": range(SMALL_INPUT_BYTES + 1),
    "large": range(SMALL_INPUT_BYTES + 1, ANY_SIZE.stop),
}
"""Sizes of inputs: a process runs one job of each kind at a time."""

End = tuple[Job, Finish]
"""How a run ended, for the store."""


@dataclass(slots=True)
class Worker:
    """Runs jobs until it is stopped: one large and one small one at a time.

    So a small job never waits behind a large one. ``max_attempts``: a job whose runs broke so
    often is given up. ``backoff_seconds``: see ``pause_seconds``.
    """

    parts: RunParts
    dispatcher: Dispatcher
    heartbeat: Heartbeat
    max_attempts: int
    backoff_seconds: float
    _stopping: threading.Event = field(default_factory=threading.Event)
    _idle: threading.Event = field(default_factory=threading.Event)
    _bells: tuple[threading.Event, ...] = field(
        default_factory=lambda: (threading.Event(), threading.Event())
    )

    def run_forever(self) -> None:
        """Claim and run until ``stop``; returns once the runs in hand have ended."""
        runners = [
            threading.Thread(target=self._runner, args=(bell, sizes), name=f"runner-{name}")
            for bell, (name, sizes) in zip(self._bells, SIZES.items(), strict=True)
        ]
        for runner in runners:
            runner.start()
        while not self._stopping.is_set():
            self._idle.wait(SECONDS_BETWEEN_POLLS)  # hints matter only to who has nothing to do
            self._idle.clear()
            self.dispatcher.wait_for_work(SECONDS_BETWEEN_POLLS)
            self._ring()
        self._ring()
        for runner in runners:
            runner.join()

    def stop(self) -> None:
        """Claim nothing more; the runs in hand end after their chunk and give their jobs back."""
        self._stopping.set()
        self._idle.set()
        self.heartbeat.request_stop()
        self.dispatcher.wake()

    def run_once(self, input_bytes: range = ANY_SIZE) -> bool:
        """Run one waiting job, or a few small ones, of that size; ``False`` when there is none.

        Small jobs are claimed a few at a time, for a claim costs as much as half of one.
        """
        lease = self.heartbeat.new_lease()
        limit = SMALL_CLAIM if input_bytes == SIZES["small"] else 1
        try:
            jobs = self.parts.store.claim_jobs(
                lease, self.parts.clock.now(), limit=limit, input_bytes=input_bytes
            )
        except (StoreUnavailable, StorageFull):
            return False
        with ExitStack() as held:
            controls = [held.enter_context(self.heartbeat.holding(job, lease)) for job in jobs]
            ends = [
                (job, finish)
                for job, control in zip(jobs, controls, strict=True)
                if (finish := self._run(job, control)) is not None
            ]
            self._finish(ends)
        return bool(jobs)

    def _runner(self, bell: threading.Event, input_bytes: range) -> None:
        while not self._stopping.is_set():
            bell.clear()
            if not self.run_once(input_bytes):
                self._idle.set()
                bell.wait(SECONDS_BETWEEN_POLLS)

    def _ring(self) -> None:
        for bell in self._bells:
            bell.set()

    def _run(self, job: Job, control: RunControl) -> Finish | None:
        """How the job ends; ``None`` where this attempt does not end it."""
        logger.debug(
            "job_started", extra={"job": job.id, "project": job.project, "epoch": job.epoch}
        )
        if self._stopping.is_set():
            control.stop_requested.set()
        if job.cancel_requested:
            control.cancel_requested.set()
        try:
            return self._work(job, control)
        except RunReleased:
            self._release(job, AttemptEnd.RELEASED, "the process is stopping", 0.0)
        except Exception as trouble:  # noqa: BLE001 - the service loop outlives any one job
            self._bear(job, trouble)
        return None

    def _work(self, job: Job, control: RunControl) -> Finish:
        if job.kind is JobKind.TRANSFORM:
            return TransformRun(job, self.parts, control).run()
        pinned = read_pinned(job.descriptor, name=job.entity)
        if isinstance(pinned, Bundle):
            return BundleRun(job, pinned, self.parts, control).run()
        context = RunContext(
            job=job,
            entity=pinned,
            sink=self.parts.sink_for(pinned),
            parts=self.parts,
            control=control,
        )
        return ImportRun(context).run()

    def _finish(self, ends: Sequence[End]) -> None:
        """Store how jobs ended: those of one claim in one commit, each alone where that fails."""
        try:
            self._store(ends)
        except Exception as trouble:  # noqa: BLE001 - the service loop outlives any one job
            if len(ends) == 1:
                self._bear(ends[0][0], trouble)
                return
            for end in ends:
                self._finish([end])

    def _store(self, ends: Sequence[End]) -> None:
        if not ends:
            return
        freed = self.parts.store.finish_jobs({job.id: (job.epoch, finish) for job, finish in ends})
        for job, finish in ends:
            if job.id in freed:
                self._tell_end(job, finish)
            else:
                logger.warning("run_fenced", extra={"job": job.id, "epoch": job.epoch})
        if freed:
            self.dispatcher.hint_change(*freed)
        if any(freed.values()):
            self.dispatcher.hint_work()

    def _bear(self, job: Job, trouble: Exception) -> None:
        """What follows from the trouble that a run, or the storing of its end, has met."""
        fields = {"job": job.id, "epoch": job.epoch}
        if isinstance(trouble, Fenced):
            logger.warning("run_fenced", extra=fields)
        elif isinstance(trouble, StorageFull | StoreUnavailable):
            logger.warning("run_failed", exc_info=trouble, extra=fields)
            pause = min(self._storage_pause(job), LONGEST_STORAGE_PAUSE_SECONDS)
            self._release(job, AttemptEnd.STORAGE, STORAGE_TROUBLE, pause)
        else:
            self._survive(job, trouble)

    def _storage_pause(self, job: Job) -> float:
        """Twice as long with every attempt that the storage ended; it may be back soon."""
        try:
            attempts = self.parts.store.attempts(job.id)
        except StoreUnavailable:
            return self.backoff_seconds
        troubled = sum(attempt.end is AttemptEnd.STORAGE for attempt in attempts)
        return self.backoff_seconds * 2.0**troubled

    def _tell_end(self, job: Job, finish: Finish) -> None:
        began = job.started_at or finish.finished_at
        logger.info(
            "job_finished",
            extra={
                "job": job.id,
                "project": job.project,
                "entity": job.entity,
                "state": finish.state,
                "outcome": finish.outcome,
                "seconds": (finish.finished_at - began).total_seconds(),
                "read": finish.counts.read,
                "rejected": finish.counts.rejected,
                "epoch": job.epoch,
            },
        )

    def _release(self, job: Job, end: AttemptEnd, detail: str, pause_seconds: float) -> None:
        now = self.parts.clock.now()
        try:
            self.parts.store.release_job(
                job.id,
                job.epoch,
                end=end,
                detail=detail,
                now=now,
                not_before=now + timedelta(seconds=pause_seconds) if pause_seconds else None,
            )
        except (Fenced, StorageFull, StoreUnavailable):
            logger.warning("run_fenced", extra={"job": job.id, "epoch": job.epoch})
            return
        logger.info("job_released", extra={"job": job.id, "epoch": job.epoch, "cause": end})
        self.dispatcher.hint_change(job.id)
        self.dispatcher.hint_work()

    def _survive(self, job: Job, bug: Exception) -> None:
        """Try the job again later, or fail it once its attempts are spent."""
        logger.error("run_failed", exc_info=bug, extra={"job": job.id, "epoch": job.epoch})
        crashes = count_crashes(self.parts.store, job) + 1
        if crashes < self.max_attempts:
            pause = pause_seconds(crashes, self.backoff_seconds)
            self._release(job, AttemptEnd.CRASHED, type(bug).__name__, pause)
            return
        try:
            self._store([(job, attempts_spent(self.parts.clock.now()))])
        except (StorageFull, StoreUnavailable):
            logger.warning("run_fenced", extra={"job": job.id, "epoch": job.epoch})


def count_crashes(store: RunStore, job: Job) -> int:
    """How many attempts at a job broke; a graceful stop is none of them."""
    broken = {AttemptEnd.CRASHED, AttemptEnd.LEASE_EXPIRED}
    return sum(attempt.end in broken for attempt in store.attempts(job.id))


def pause_seconds(crashes: int, backoff_seconds: float) -> float:
    """The pause after so many crashes: none after the first, then doubling."""
    return backoff_seconds * 2.0 ** (crashes - 2) if crashes > 1 else 0.0


def attempts_spent(now: datetime) -> Finish:
    """The end of a job whose every attempt broke; nothing that an attempt read is counted."""
    return Finish(
        state=JobState.FAILED,
        outcome=None,
        counts=Counts(),
        finished_at=now,
        error=JobError(
            code="ATTEMPTS_SPENT",
            message="every attempt at the job broke; the operator finds the causes in the log",
        ),
    )
