"""Exit codes, and which one a job's end has."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from waybill.client import Job


class ExitCode(IntEnum):
    """What a command's end says to a script."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REJECTIONS = 3
    BUG = 70
    INTERRUPTED = 130


def job_exit_code(job: Job) -> ExitCode:
    """``DONE`` for a complete or unfinished job, ``REJECTIONS`` where records were rejected."""
    if job.state in {"failed", "canceled"}:
        return ExitCode.FAILED
    if job.outcome in {"partial", "none"}:
        return ExitCode.REJECTIONS
    return ExitCode.DONE
