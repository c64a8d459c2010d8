"""What a run works with: the job, its compiled entity, and the ports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from waybill.model.options import Atomicity, Operation
from waybill.ports.sink import Removal, SinkJob

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from waybill.engine.runs.checkers import CheckerCache
    from waybill.engine.runs.control import RunControl
    from waybill.model.entity import Entity
    from waybill.model.job import Job
    from waybill.model.limits import Limits
    from waybill.ports.blobs import Blobs
    from waybill.ports.clock import Clock
    from waybill.ports.fetcher import Fetcher
    from waybill.ports.job_store import RunStore
    from waybill.ports.reader import OpenReader
    from waybill.ports.sink import Sink
    from waybill.ports.transformer import Transformer


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParts:
    """The ports of a worker.

    ``hold_the_same``: whether two packed files do, calling the third now and then. ``scratch``: a
    local folder for files that a run can make again.
    """

    store: RunStore
    blobs: Blobs
    sink_for: Callable[[Entity], Sink]
    open_reader: OpenReader
    hold_the_same: Callable[[str, str, Callable[[], None]], bool]
    checkers: CheckerCache
    transformer: Transformer
    fetcher: Fetcher
    clock: Clock
    limits: Limits
    scratch: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """One run of one import."""

    job: Job
    entity: Entity
    sink: Sink
    parts: RunParts
    control: RunControl
    sink_job: SinkJob = field(init=False)

    def __post_init__(self) -> None:
        """Derive what the sink is told; an entity without a key only takes inserts."""
        options = self.job.options
        object.__setattr__(
            self,
            "sink_job",
            SinkJob(
                id=self.job.id,
                epoch=self.job.epoch,
                project=self.job.project,
                entity=self.entity,
                operation=options.operation if self.entity.key else Operation.INSERT,
                whole_file=self.is_staged,
                removal=Removal() if options.snapshot else None,
            ),
        )

    @property
    def is_atomic(self) -> bool:
        """Whether one rejected record keeps all others out, as in a feed of operations."""
        return self.job.options.atomicity is Atomicity.FILE or self.entity.feed is not None

    @property
    def is_staged(self) -> bool:
        """Whether nothing is shown before all of it can be.

        Records that are stored in parts cannot wait; nothing of them ever goes.
        """
        return not self.entity.parts and (self.is_atomic or self.job.options.is_planned)

    @property
    def prefix(self) -> str:
        """Folder of this attempt's own blobs."""
        return f"runs/{self.job.id}/{self.job.epoch}"
