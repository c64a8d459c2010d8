"""The nursery: one process with the libraries loaded, that keeps limited children in waiting.

Run as ``python -I -m waybill.transforms.contained.nursery``; its standard input is the socket on
which the limits come, then orders. Each child takes one order, under limits, and ends; the next one
is made then. A new interpreter would take some hundred milliseconds.

A child rehearses before it waits: the first run of all code in a forked process copies the pages of
memory that it touches, which would take longer than a small order does.
"""

from __future__ import annotations

import errno
import gc
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import Final

import msgspec

from waybill.containment import end_with_parent, leave_network, restrict, restrict_time
from waybill.errors import ContentInvalid
from waybill.model.limits import Limits
from waybill.model.transform import ToolOptions
from waybill.transforms.contained.protocol import (
    DESCRIPTORS,
    ORDER_BYTES,
    STORAGE_FULL,
    TOO_LARGE,
    Order,
    Report,
)
from waybill.transforms.contained.tools import CONTAINED

WAITING: Final = 4
"""Children that wait for an order."""
FEW: Final = 2
"""So many have to wait, or the next one is made at once."""
QUIET_SECONDS: Final = 0.005
"""How long no order has come before others are made: those at work have the cores first."""
NICENESS: Final = 5
"""Those who answer requests have the cores before those who make children or read large files."""
REHEARSALS: Final = 10
"""Of each tool before the first child is made: the interpreter learns what code does often."""
ID_BYTES: Final = 4
"""Of the process that has taken an order, in one message; zero where no more orders come."""
_ORDERS: Final = msgspec.msgpack.Decoder(Order)
_REPORTS: Final = msgspec.msgpack.Encoder()


def main() -> None:
    """Keep children in waiting until nobody holds the other end of the socket."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group: it ends with its parent
    limits = msgspec.msgpack.decode(os.read(0, ORDER_BYTES), type=Limits)
    leave_network()
    os.nice(NICENESS)
    for _ in range(REHEARSALS):
        _rehearse(limits)
    gc.freeze()  # so that children share the pages of what was made before them
    _keep_children(limits)


def _keep_children(limits: Limits) -> None:
    takers, tell = os.pipe()
    ended = _ends_of_children()
    waiting: set[int] = set()
    while True:
        quiet = None if len(waiting) == WAITING else QUIET_SECONDS if len(waiting) >= FEW else 0
        ready = select.select([takers, ended], [], [], quiet)[0]
        if ended in ready:
            os.read(ended, ORDER_BYTES)
            waiting -= _buried()
        if takers in ready:
            taker = int.from_bytes(os.read(takers, ID_BYTES))
            if not taker:
                return
            waiting.discard(taker)
        if not ready:
            waiting.add(_make_child(tell, limits))


def _ends_of_children() -> int:
    """A descriptor that can be read once a child has ended."""
    ended, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(tell)
    return ended


def _buried() -> set[int]:
    """The children that have ended since."""
    found: set[int] = set()
    with suppress(ChildProcessError):
        while pid := os.waitpid(-1, os.WNOHANG)[0]:
            found.add(pid)
    return found


def _make_child(tell: int, limits: Limits) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            _be_a_child(tell, limits)
        finally:
            os._exit(0)  # whatever happens, the loop of the parent is not entered
    return pid


def _be_a_child(tell: int, limits: Limits) -> None:
    """Wait for one order, do it, and end."""
    signal.set_wakeup_fd(-1)
    restrict(limits)
    with suppress(MemoryError):
        _rehearse(limits)
    with socket.socket(fileno=os.dup(0)) as orders:
        message, descriptors, _, _ = socket.recv_fds(orders, ORDER_BYTES, DESCRIPTORS)
    os.write(tell, (os.getpid() if message else 0).to_bytes(ID_BYTES))
    os.close(tell)
    if message:
        source, target, report, lifeline = descriptors
        os.dup2(lifeline, 0)
        os.close(lifeline)
        end_with_parent()
        order = _ORDERS.decode(message)
        restrict_time(order.seconds)
        os.write(report, _do(order, limits, source, target))


def _rehearse(limits: Limits) -> None:
    """Run a tool of each family once."""
    families = {tool.sample: name for name, tool in CONTAINED.items()}
    for sample, name in families.items():
        source, target = os.memfd_create(name), os.memfd_create(name)
        os.pwrite(source, sample, 0)
        order = Order(tool=name, options=ToolOptions(), seconds=0)
        _do(_ORDERS.decode(msgspec.msgpack.encode(order)), limits, source, target)


def _do(order: Order, limits: Limits, source: int, target: int) -> bytes:
    """The report of an order; closes both files."""
    return _REPORTS.encode(_report(order, limits, source, target))


def _report(order: Order, limits: Limits, source: int, target: int) -> Report:
    try:
        with os.fdopen(source, "rb", buffering=0) as reading, os.fdopen(target, "wb") as writing:
            CONTAINED[order.tool].action(reading, writing, order.options, limits)
    except ContentInvalid as fault:
        return Report(code=fault.code, message=fault.message, line=fault.line, column=fault.column)
    except OSError as trouble:
        if trouble.errno in {errno.ENOSPC, errno.EDQUOT, errno.EIO}:
            return Report(code=STORAGE_FULL)
        most = limits.inflated_bytes
        message = f"What was made is larger than {most} bytes (limits.inflated_bytes)."
        return Report(code=TOO_LARGE, message=message)
    except (MemoryError, RecursionError):
        most = limits.parser_memory_bytes
        message = f"The content takes more memory than {most} bytes (limits.parser_memory_bytes)."
        return Report(code=TOO_LARGE, message=message)
    return Report()


if __name__ == "__main__":
    main()
    sys.exit()
