"""The nursery: one process with the libraries loaded, that keeps limited children in waiting.

Run as ``python -I -m waybill.transforms.contained.nursery``; its standard input is the socket on
which orders come. Each child takes one order, under limits, and ends; the next one is made then. A
new interpreter would take some hundred milliseconds.
"""

from __future__ import annotations

import errno
import gc
import os
import signal
import socket
import sys
from typing import Final

import msgspec

from waybill.containment import end_with_parent, leave_network, restrict
from waybill.errors import ContentInvalid
from waybill.transforms.contained.protocol import (
    DESCRIPTORS,
    ORDER_BYTES,
    STORAGE_FULL,
    Order,
    Report,
)
from waybill.transforms.contained.tools import CONTAINED

WAITING: Final = 2
"""Children that wait for an order."""
TAKEN: Final = b"t"
OVER: Final = b"o"
_ORDERS: Final = msgspec.msgpack.Decoder(Order)
_REPORTS: Final = msgspec.msgpack.Encoder()


def main() -> None:
    """Keep children in waiting until nobody holds the other end of the socket."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group: it ends with its parent
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the children
    leave_network()
    gc.freeze()  # so that children share the pages of what was made before them
    news, tell = os.pipe()
    for _ in range(WAITING):
        _make_child(tell)
    while os.read(news, 1) == TAKEN:
        _make_child(tell)


def _make_child(tell: int) -> None:
    if os.fork() == 0:
        try:
            _be_a_child(tell)
        finally:
            os._exit(0)  # whatever happens, the loop of the parent is not entered


def _be_a_child(tell: int) -> None:
    """Wait for one order, do it, and end."""
    with socket.socket(fileno=os.dup(0)) as orders:
        message, descriptors, _, _ = socket.recv_fds(orders, ORDER_BYTES, DESCRIPTORS)
    os.write(tell, TAKEN if message else OVER)
    os.close(tell)
    if message:
        source, target, report, lifeline = descriptors
        os.dup2(lifeline, 0)
        os.close(lifeline)
        end_with_parent()
        told = _do(_ORDERS.decode(message), source, target)
        os.write(report, _REPORTS.encode(told))


def _do(order: Order, source: int, target: int) -> Report:
    tool = CONTAINED[order.tool]
    restrict(order.limits)
    try:
        with os.fdopen(source, "rb", buffering=0) as reading, os.fdopen(target, "wb") as writing:
            tool.action(reading, writing, order.options, order.limits)
    except ContentInvalid as fault:
        return Report(code=fault.code, message=fault.message, line=fault.line, column=fault.column)
    except OSError as trouble:
        if trouble.errno in {errno.ENOSPC, errno.EDQUOT, errno.EIO}:
            return Report(code=STORAGE_FULL)
        return Report(code=tool.fault, message="What was made is larger than is allowed.")
    except (MemoryError, RecursionError):
        return Report(code=tool.fault, message="The content takes more memory than is allowed.")
    return Report()


if __name__ == "__main__":
    main()
    sys.exit()
