"""How a run learns that it must stop: canceled, released, or no longer the owner."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from waybill.errors import Fenced


class RunCanceled(Exception):
    """The client asked to cancel; the run ends the job as canceled."""


class RunReleased(Exception):
    """The process is stopping; the run gives its job back."""


@dataclass(slots=True)
class RunControl:
    """Flags that other threads raise and the run looks at between chunks."""

    cancel_requested: threading.Event = field(default_factory=threading.Event)
    stop_requested: threading.Event = field(default_factory=threading.Event)
    ownership_lost: threading.Event = field(default_factory=threading.Event)

    def check(self, *, may_cancel: bool = True) -> None:
        """Let the run go on, or say why not.

        ``may_cancel=False``: a cancel has to wait, for an earlier attempt applied rows that must
        be counted first.

        Raises:
            Fenced: another attempt owns the job, or the lease could not be renewed in time.
            RunCanceled: the client asked for it.
            RunReleased: the process is stopping.
        """
        if self.ownership_lost.is_set():
            raise Fenced("the lease of this run is over")
        if may_cancel and self.cancel_requested.is_set():
            raise RunCanceled
        if self.stop_requested.is_set():
            raise RunReleased
