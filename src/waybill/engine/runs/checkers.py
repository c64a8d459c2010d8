"""Compiled checkers, kept for the next job of the same shape."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from waybill.model.options import AbsentMembers
from waybill.validation.checker import Checker
from waybill.validation.compiled import CheckOptions

if TYPE_CHECKING:
    from waybill.model.entity import Entity
    from waybill.model.job import Job
    from waybill.model.limits import Limits
    from waybill.ports.reader import Header
    from waybill.validation.sandbox import Sandbox

KEPT: Final = 32


@dataclass(slots=True)
class CheckerCache:
    """Checkers by entity, header and options.

    Safe for the few runs of one process: what they use is never the least recently used.
    ``pepper``: the server's secret for hashes of secret fields.
    """

    sandbox: Sandbox
    limits: Limits
    pepper: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _checkers: OrderedDict[object, Checker] = field(default_factory=OrderedDict)

    def checker(self, job: Job, entity: Entity, header: Header) -> Checker:
        """A checker for a file of that entity with that header.

        Raises:
            FileRefused: the header does not fit the entity.
        """
        options = CheckOptions(
            operation=job.options.operation,
            unknown_columns=job.options.unknown_columns,
            missing_columns=job.options.missing_columns,
            keeps_absent=job.options.absent_members is AbsentMembers.KEEP,
        )
        place = (
            entity.name,
            entity.digest,
            header.names,
            header.added,
            header.lacking,
            header.escaped,
            header.is_typed,
            options,
        )
        with self._lock:
            checker = self._checkers.get(place)
            if checker is None:
                checker = Checker(
                    entity,
                    header,
                    options,
                    limits=self.limits,
                    sandbox=self.sandbox,
                    pepper=self.pepper,
                )
            self._checkers[place] = checker
            self._checkers.move_to_end(place)
            dropped = None
            if len(self._checkers) > KEPT:
                _, dropped = self._checkers.popitem(last=False)
        if dropped is not None:
            dropped.close()
        return checker

    def close(self) -> None:
        """Give up every checker and the sandbox; nothing may be checked any more."""
        with self._lock:
            for checker in self._checkers.values():
                checker.close()
            self._checkers.clear()
        self.sandbox.close()
