"""How a job's input is opened: the same for its run and for every later look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.model.options import HeaderMode
from waybill.ports.reader import ReadOptions

if TYPE_CHECKING:
    from waybill.model.entity import Entity
    from waybill.model.job import Job


def read_options(job: Job, entity: Entity) -> ReadOptions:
    """How a job's input is to be read."""
    return ReadOptions(
        delimiter=job.options.delimiter,
        encoding=job.options.encoding,
        has_header=job.options.header is HeaderMode.PRESENT,
        column_names=tuple(field.name for field in entity.fields),
        escaped=job.options.escaped,
    )
