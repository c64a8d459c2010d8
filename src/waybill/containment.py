"""What a child gives up before it opens a file: memory, time, files, processes, the network."""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import select
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from waybill.model.limits import Limits

_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_OPEN_FILES: Final = 32


def end_with_parent() -> None:
    """Have the kernel end this process once nobody holds the other end of standard input.

    A parent-death signal would not do: it comes when the thread that made the child ends. Nothing
    may be sent any more: that would end the process too.
    """
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([0], [], [], 0)[0]:
        raise SystemExit  # it was gone before


def leave_network() -> None:
    """Move to an empty network namespace, where the host allows it; before there are threads."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def restrict(limits: Limits) -> None:
    """Set the limits of this process for good; call it before a hostile byte is read.

    No process and no thread can be made afterwards.
    """
    ceilings = {
        resource.RLIMIT_AS: limits.parser_memory_bytes,
        resource.RLIMIT_FSIZE: limits.inflated_bytes,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_NPROC: 1,
        resource.RLIMIT_CORE: 0,
    }
    for limit, ceiling in ceilings.items():
        resource.setrlimit(limit, (ceiling, ceiling))


def restrict_time(seconds: int) -> None:
    """Set for good how long this process may use a processor, from its start."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))  # SIGXCPU before SIGKILL
