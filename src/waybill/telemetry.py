"""The table of log events: names are stable, values travel in ``extra``; no row content, ever."""

from __future__ import annotations

from typing import Final

EVENTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "request": (
        "One request was answered; ``job`` is the one that it made or asked for.",
        ("request_id", "method", "path", "status", "milliseconds", "dialect", "credential", "job"),
    ),
    "request_failed": ("A request met a bug; the answer held only its id.", ("request_id",)),
    "request_put_off": (
        "A request could not be served for want of space or of the database.",
        ("request_id", "reason"),
    ),
    "job_accepted": ("A job was accepted.", ("job", "project", "entity", "state", "size_bytes")),
    "job_started": ("An attempt at a job began.", ("job", "project", "epoch")),
    "job_finished": (
        "A job is over.",
        ("job", "project", "entity", "state", "outcome", "seconds", "read", "rejected", "epoch"),
    ),
    "job_released": ("A run was given back to the queue.", ("job", "epoch", "cause")),
    "job_rescued": ("A stale run was taken from its holder.", ("job", "epoch", "cause")),
    "run_fenced": ("A run found that another attempt owns its job.", ("job", "epoch")),
    "run_failed": ("A run met a bug; its job is tried again or failed.", ("job", "epoch")),
    "duty_failed": ("A background duty failed and will be tried again.", ("duty",)),
    "duty_done": ("A background duty did something.", ("duty", "count")),
    "artifact_purged": ("An artifact's retention ended.", ("job", "kind", "size_bytes")),
    "access_refused": ("A request was refused.", ("request_id", "code", "path")),
    "server_started": ("A process of the server is ready.", ("role", "address")),
    "server_stopping": ("A process was asked to stop.", ("role",)),
    "child_restarted": ("A child process ended and was started again.", ("role", "exit_code")),
    "child_killed": ("A child process did not stop in time and was ended.", ("role", "pid")),
    "child_silent": ("A worker gave no sign of life and is ended.", ("role", "pid")),
    "runtime_outdated": ("The interpreter is older than recommended.", ("version", "recommended")),
}
"""Event name -> (meaning, fields). The reference page is made from this table."""
