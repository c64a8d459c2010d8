"""A worker process: one run at a time, its heartbeat, and the background duties."""

from __future__ import annotations

import logging
import signal
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from waybill.bootstrap.embedded import load_catalogue, open_embedded, open_own_sandbox, read_pepper
from waybill.bootstrap.file_tools import open_fetcher, open_tools
from waybill.bootstrap.inputs import make_comparer, make_opener
from waybill.bootstrap.life_signs import give_signs
from waybill.bootstrap.lifeline import watch_lifeline
from waybill.bootstrap.logs import configure_logging
from waybill.bootstrap.memory import (
    leave_out_what_start_made,
    look_for_garbage_less_often,
    share_heaps,
)
from waybill.bootstrap.stop_signals import stop_on
from waybill.dispatch.embedded import Role
from waybill.engine.heartbeat import Heartbeat
from waybill.engine.runs.checkers import CheckerCache
from waybill.engine.runs.context import RunParts
from waybill.engine.services.base import DutyRunner
from waybill.engine.services.orphans import Orphans
from waybill.engine.services.reconciler import Reconciler
from waybill.engine.services.retention import Retention
from waybill.engine.services.scratch import Scratch
from waybill.engine.worker import Worker

if TYPE_CHECKING:
    from pathlib import Path

    from waybill.bootstrap.embedded import Embedded
    from waybill.engine.services.base import Duty

logger = logging.getLogger(__name__)

RECONCILE_SECONDS = 2.0
RETENTION_SECONDS = 600.0
ORPHAN_GRACE_SECONDS = 24 * 3600.0
SCRATCH_GRACE_SECONDS = 3600.0
KEY_HOURS = 24 * 7.0


def run_worker_process(
    root: Path, *, lifeline_fd: int | None = None, serving_since: float | None = None
) -> None:
    """Run jobs in this process until SIGTERM or SIGINT.

    ``lifeline_fd``: read end of a pipe whose other end the parent holds; the process ends with it.
    ``serving_since``: when the parent started, in seconds of Unix time.
    """
    share_heaps()
    with open_embedded(root, Role.WORKER) as parts:
        configure_logging(parts.settings.log.level)
        heartbeat = Heartbeat(
            parts.store,
            parts.clock,
            parts.presence,
            parts.settings.workers.lease_seconds,
            parts.settings.workers.heartbeat_seconds,
        )
        worker = build_worker(parts, heartbeat)
        runner = DutyRunner(build_duties(parts, serving_since))
        stop_on((signal.SIGTERM, signal.SIGINT), worker.stop)
        if lifeline_fd is not None:
            watch_lifeline(lifeline_fd, worker.stop)
        give_signs(parts.presence, parts.settings.workers.heartbeat_seconds)
        threading.Thread(target=heartbeat.run_forever, name="heartbeat", daemon=True).start()
        runner.start()
        leave_out_what_start_made()
        look_for_garbage_less_often()
        logger.info("server_started", extra={"role": "worker", "address": str(root)})
        worker.run_forever()
        logger.info("server_stopping", extra={"role": "worker"})
        runner.stop()
        heartbeat.close()
        worker.parts.checkers.close()


def build_worker(parts: Embedded, heartbeat: Heartbeat) -> Worker:
    """The worker of this process."""
    settings = parts.settings.workers
    catalogue = load_catalogue(parts.directory)
    sandbox = open_own_sandbox(parts)
    run_parts = RunParts(
        store=parts.store,
        blobs=parts.blobs,
        sink_for=catalogue.sink_for,
        open_reader=make_opener(parts.settings.limits, settings.threads, parts.directory.scratch),
        hold_the_same=make_comparer(parts.settings.limits),
        checkers=CheckerCache(sandbox, parts.settings.limits, read_pepper(parts.directory)),
        transformer=open_tools(parts.settings, parts.directory.scratch),
        fetcher=open_fetcher(parts.settings),
        clock=parts.clock,
        limits=parts.settings.limits,
        scratch=parts.directory.scratch,
    )
    return Worker(
        run_parts,
        parts.dispatcher,
        heartbeat,
        max_attempts=settings.max_attempts,
        backoff_seconds=settings.backoff_seconds,
    )


def build_duties(parts: Embedded, serving_since: float | None) -> list[Duty]:
    """The background duties; every worker process runs them all, and all are idempotent."""
    settings = parts.settings
    return [
        Reconciler(
            runs=parts.store,
            duties=parts.store,
            presence=parts.presence,
            clock=parts.clock,
            dispatcher=parts.dispatcher,
            max_attempts=settings.workers.max_attempts,
            backoff_seconds=settings.workers.backoff_seconds,
            serving_since=(
                None if serving_since is None else datetime.fromtimestamp(serving_since, UTC)
            ),
            interval_seconds=RECONCILE_SECONDS,
        ),
        Retention(
            duties=parts.store,
            uploads=parts.store,
            blobs=parts.blobs,
            clock=parts.clock,
            input_days=settings.retention.input_days,
            report_days=settings.retention.reports_days,
            key_hours=KEY_HOURS,
            interval_seconds=RETENTION_SECONDS,
        ),
        Scratch(
            duties=parts.store,
            presence=parts.presence,
            clock=parts.clock,
            folder=parts.directory.scratch,
            grace_seconds=SCRATCH_GRACE_SECONDS,
            interval_seconds=RETENTION_SECONDS,
        ),
        Orphans(
            duties=parts.store,
            blobs=parts.blobs,
            grace_seconds=ORPHAN_GRACE_SECONDS,
            interval_seconds=RETENTION_SECONDS,
        ),
    ]
