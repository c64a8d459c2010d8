"""The child process: reads one task, gives up its powers, does the task, ends.

Run as ``python -I -m waybill.formats.contained.child``; see ``protocol.py``.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from waybill.containment import end_with_parent, leave_network, restrict, restrict_time
from waybill.errors import FileRefused
from waybill.formats.contained.protocol import FrameKind, Job, Refusal, Task, write_frame
from waybill.formats.contained.second_thread import SECOND_THREAD

if TYPE_CHECKING:
    from collections.abc import Callable

TASK_BYTES: Final = 1024 * 1024
_ROOM: Final = "waybill.formats.contained"
_WORK: Final = {
    Job.INSPECT: f"{_ROOM}.archive:inspect",
    Job.UNPACK: f"{_ROOM}.archive:unpack",
    Job.WORKBOOK: f"{_ROOM}.workbook:read",
    Job.XML: f"{_ROOM}.xml_records:read",
    Job.FEED: f"{_ROOM}.feed_records:read",
    Job.PARQUET: f"{_ROOM}.parquet_rows:read",
}


def main() -> None:
    """Do the task on standard input; frames go to standard output."""
    task = msgspec.json.decode(sys.stdin.buffer.readline(TASK_BYTES), type=Task)
    end_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group: it ends with its parent
    leave_network()
    work = prepared(task.job)
    SECOND_THREAD.start()
    restrict(task.limits)
    restrict_time(task.limits.parser_seconds)
    output = sys.stdout.buffer
    try:
        work(task, output)
    except FileRefused as refusal:
        told = Refusal(
            code=refusal.code, message=refusal.message, line=refusal.line, byte=refusal.byte
        )
        write_frame(output, FrameKind.REFUSAL, msgspec.json.encode(told))
    else:
        write_frame(output, FrameKind.END, b"")


def prepared(job: Job) -> Callable[[Task, BinaryIO], None]:
    """What does the job, its libraries loaded: afterwards no further file may be needed."""
    module, name = _WORK[job].split(":")
    work: Callable[[Task, BinaryIO], None] = getattr(import_module(module), name)
    return work


if __name__ == "__main__":
    main()
