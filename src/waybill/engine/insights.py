"""Reads: what a client may know. Every one is scoped by the caller's project."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from waybill.model.artifact import Artifact
    from waybill.model.finding import Rejection
    from waybill.model.job import Attempt, Job
    from waybill.model.principal import Principal
    from waybill.ports.job_store import JobFilter, JobPage
    from waybill.ports.sink import RecordPage


class ReportFormat(StrEnum):
    """How a report is written."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    NDJSON = "ndjson"


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionPage:
    """Rejected records in input order; ``columns``: header names of ``Rejection.cells``."""

    columns: tuple[str, ...]
    rejections: Sequence[Rejection]
    total: int
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file to send: ``chunks`` streams it and is closed by the edge.

    ``size_bytes`` is ``None`` for what is made while it is sent.
    """

    name: str
    media_type: str
    size_bytes: int | None
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySummary:
    """An entity as clients see it; ``descriptor``: its Table Schema, as loaded."""

    name: str
    title: str
    description: str
    descriptor: Mapping[str, object]


class Insights:
    """What a client may read."""

    def job(self, principal: Principal, job_id: str) -> Job:
        """A job by native or external id.

        Raises:
            NotFound: no such job in the project.
        """
        raise NotImplementedError

    def jobs(self, principal: Principal, wanted: JobFilter, cursor: str, limit: int) -> JobPage:
        """A page of jobs, newest first; raises ``RequestInvalid`` for a foreign cursor."""
        raise NotImplementedError

    def attempts(self, job: Job) -> Sequence[Attempt]:
        """Every attempt, first to last."""
        raise NotImplementedError

    def artifacts(self, job: Job) -> Sequence[Artifact]:
        """The files of a job, the purged ones included."""
        raise NotImplementedError

    def rejections(self, job: Job, cursor: str, limit: int) -> RejectionPage:
        """A page of rejections of a final job.

        Raises:
            StateConflict: the job is not final.
            Gone: retention has ended.
            RequestInvalid: a foreign cursor.
        """
        raise NotImplementedError

    def rejections_file(self, job: Job, wanted: ReportFormat) -> Download:
        """All rejections as one file; made at the first request, then kept. Raises as above."""
        raise NotImplementedError

    def accepted_file(self, job: Job, wanted: ReportFormat) -> Download:
        """The accepted records in input order with ``_record`` and ``_outcome`` (CSV, NDJSON).

        Raises:
            StateConflict: the job is not final.
            Gone: retention has ended.
        """
        raise NotImplementedError

    def input_file(self, job: Job) -> Download:
        """The input as it came.

        Raises:
            Gone: retention has ended.
            NotAllowed: the entity has secret fields, whose values leave the server in no form.
        """
        raise NotImplementedError

    def entities(self) -> Sequence[EntitySummary]:
        """All entities by name."""
        raise NotImplementedError

    def entity(self, name: str) -> EntitySummary:
        """One entity; raises ``NotFound`` with the nearest name."""
        raise NotImplementedError

    def template_csv(self, name: str) -> bytes:
        """The header line of an entity's CSV; raises ``NotFound``."""
        raise NotImplementedError

    def records(self, principal: Principal, entity: str, cursor: str, limit: int) -> RecordPage:
        """A page of the project's stored records; raises ``NotFound``, ``RequestInvalid``."""
        raise NotImplementedError
