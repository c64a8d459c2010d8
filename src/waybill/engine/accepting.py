"""Accepting a job of any kind: it is added, and somebody is told to run it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from waybill.model.job import JobState

if TYPE_CHECKING:
    from waybill.model.job import Job
    from waybill.ports.dispatcher import Dispatcher
    from waybill.ports.job_store import JobStore, NewJob

logger = logging.getLogger(__name__)


def accept(store: JobStore, dispatcher: Dispatcher, new: NewJob) -> Job:
    """Add a job, and see to it that it is run; once this returns, it is durable.

    Raises:
        StateConflict: the id, or the external id in the project, is taken.
        KeyInFlight: another request has taken its Idempotency-Key over and answered it.
    """
    job = store.add_job(new)
    if job.state is JobState.WAITING:
        dispatcher.hint_work()
    logger.debug(
        "job_accepted",
        extra={
            "job": job.id,
            "project": job.project,
            "entity": job.entity,
            "state": job.state,
            "size_bytes": new.input.size_bytes if new.input else None,
        },
    )
    return job
