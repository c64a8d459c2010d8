"""Compiled checkers, kept for the next job of the same shape."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from waybill.validation.checker import Checker, CheckOptions
from waybill.validation.descriptor import parse_descriptor

if TYPE_CHECKING:
    from waybill.model.entity import Entity
    from waybill.model.job import Job
    from waybill.model.limits import Limits
    from waybill.ports.reader import Header
    from waybill.validation.sandbox import Sandbox

KEPT: Final = 32


@dataclass(slots=True)
class CheckerCache:
    """Entities by pinned descriptor, and checkers by entity, header and options.

    Used by one run at a time. ``pepper``: the server's secret for hashes of secret fields.
    """

    sandbox: Sandbox
    limits: Limits
    pepper: str
    _entities: OrderedDict[tuple[str, str], Entity] = field(default_factory=OrderedDict)
    _checkers: OrderedDict[object, Checker] = field(default_factory=OrderedDict)

    def entity(self, job: Job) -> Entity:
        """The entity that a job was accepted under."""
        place = (job.entity, job.descriptor)
        entity = self._entities.get(place)
        if entity is None:
            entity = parse_descriptor(json.loads(job.descriptor), name=job.entity)
            self._entities[place] = entity
            if len(self._entities) > KEPT:
                self._entities.popitem(last=False)
        return entity

    def checker(self, job: Job, header: Header) -> Checker:
        """A checker for a file with that header.

        Raises:
            FileRefused: the header does not fit the entity.
        """
        options = CheckOptions(
            operation=job.options.operation, unknown_columns=job.options.unknown_columns
        )
        place = (job.entity, job.descriptor, header.names, header.escaped, options)
        checker = self._checkers.get(place)
        if checker is None:
            checker = Checker(
                self.entity(job),
                header,
                options,
                limits=self.limits,
                sandbox=self.sandbox,
                pepper=self.pepper,
            )
            self._checkers[place] = checker
            if len(self._checkers) > KEPT:
                self._checkers.popitem(last=False)[1].close()
        return checker
