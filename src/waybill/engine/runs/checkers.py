"""Compiled checkers, kept for the next job of the same shape."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from waybill.model.options import AbsentMembers
from waybill.validation.checker import Checker
from waybill.validation.compiled import CheckOptions
from waybill.validation.pinned import read_pinned

if TYPE_CHECKING:
    from waybill.model.bundle import Bundle
    from waybill.model.entity import Entity
    from waybill.model.job import Job
    from waybill.model.limits import Limits
    from waybill.ports.reader import Header
    from waybill.validation.sandbox import Sandbox

K = TypeVar("K")
V = TypeVar("V")
KEPT: Final = 32


@dataclass(slots=True)
class CheckerCache:
    """What jobs have pinned, and checkers by entity, header and options.

    Safe for the few runs of one process: what they use is never the least recently used.
    ``pepper``: the server's secret for hashes of secret fields.
    """

    sandbox: Sandbox
    limits: Limits
    pepper: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pinned: OrderedDict[tuple[str, str], Entity | Bundle] = field(default_factory=OrderedDict)
    _checkers: OrderedDict[object, Checker] = field(default_factory=OrderedDict)

    def pinned(self, job: Job) -> Entity | Bundle:
        """The entity or bundle that a job was accepted under."""
        place = (job.entity, job.descriptor)
        with self._lock:
            pinned = self._pinned.get(place)
            if pinned is None:
                pinned = read_pinned(job.descriptor, name=job.entity)
            self._keep(self._pinned, place, pinned)
        return pinned

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
            dropped = self._keep(self._checkers, place, checker)
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

    @staticmethod
    def _keep(known: OrderedDict[K, V], place: K, value: V) -> V | None:
        """Put the value last; gives the least recently used one where there are too many."""
        known[place] = value
        known.move_to_end(place)
        return known.popitem(last=False)[1] if len(known) > KEPT else None
