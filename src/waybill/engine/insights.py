"""Reads: what a client may know. Every one is scoped by the caller's project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from waybill.engine.downloads import (
    Download,
    RejectionPage,
    RejectionStream,
    ReportFormat,
    accepted_download,
    input_download,
    rejection_page,
    rejection_stream,
    rejections_download,
)
from waybill.engine.first_looks import look_at
from waybill.engine.job_files import find_plan
from waybill.engine.outcomes import outcome_stream
from waybill.errors import NotFound, RequestInvalid
from waybill.model.ids import BlobName
from waybill.ports.sink import QueryableSink
from waybill.reports.sheet import write_sheet
from waybill.reports.templates.csv_template import write_csv_template
from waybill.reports.templates.xlsx_template import write_xlsx_template
from waybill.validation.entity_files import LoadedBundle

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from waybill.engine.catalogue import Catalogue
    from waybill.engine.first_looks import FirstLook
    from waybill.engine.outcomes import OutcomeStream
    from waybill.engine.report_parts import ReportParts
    from waybill.model.artifact import Artifact
    from waybill.model.job import Attempt, InputFile, Job
    from waybill.model.options import ImportOptions
    from waybill.model.plan import Plan
    from waybill.model.principal import Principal
    from waybill.ports.job_store import JobFilter, JobPage, JobStore
    from waybill.ports.sink import RecordPage, RecordSlice
    from waybill.validation.entity_files import LoadedEntity

__all__ = ["Download", "EntitySummary", "Insights", "RejectionPage", "ReportFormat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySummary:
    """An entity as clients see it; ``descriptor``: its Table Schema, as loaded."""

    name: str
    title: str
    description: str
    descriptor: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Insights:
    """What a client may read."""

    store: JobStore
    catalogue: Catalogue
    reports: ReportParts

    def job(self, principal: Principal, job_id: str) -> Job:
        """A job by native or external id.

        Raises:
            NotFound: no such job in the project.
        """
        job = self.store.find_job(principal.project, job_id)
        if job is None:
            raise NotFound("there is no such job", code="JOB_NOT_FOUND")
        return job

    def jobs(self, principal: Principal, wanted: JobFilter, cursor: str, limit: int) -> JobPage:
        """A page of jobs, newest first; raises ``RequestInvalid`` for a foreign cursor."""
        return self.store.list_jobs(principal.project, wanted, cursor=cursor, limit=limit)

    def attempts(self, job: Job) -> Sequence[Attempt]:
        """Every attempt, first to last."""
        return self.store.attempts(job.id)

    def artifacts(self, job: Job) -> Sequence[Artifact]:
        """The files of a job, the purged ones included."""
        return self.store.artifacts(job.id)

    def rejections(self, job: Job, cursor: str, limit: int) -> RejectionPage:
        """A page of rejections of a final job.

        Raises:
            StateConflict: the job is not final.
            Gone: retention has ended.
            RequestInvalid: a foreign cursor.
        """
        return rejection_page(self.reports, job, cursor, limit)

    def rejection_stream(self, job: Job) -> RejectionStream:
        """All rejected records, for a report in a dialect's own form; raises as above."""
        return rejection_stream(self.reports, job)

    def outcome_stream(self, job: Job) -> OutcomeStream:
        """What became of every record, for a report in a dialect's own form.

        Raises:
            StateConflict: the job is not final, or was a dry run.
            Gone: retention has ended.
        """
        return outcome_stream(self.reports, job)

    def plan(self, job: Job) -> Plan:
        """What a job would do, or would have done.

        Raises:
            StateConflict: the job is not over, or no plan was asked of it.
            Gone: retention has ended.
        """
        return find_plan(self.reports, job)

    def beginning(self, file: InputFile, size: int) -> bytes:
        """At most the first ``size`` bytes of an upload, as they came."""
        with self.reports.blobs.open(BlobName(file.blob)) as stream:
            return stream.read(size)

    def scan(
        self, principal: Principal, entity: str, passes: Sequence[frozenset[str]]
    ) -> Generator[tuple[int, Mapping[str, object]], None, None]:
        """The project's records as of one moment; see ``QueryableSink.scan``, raises as above."""
        entry = self.catalogue.find(entity)
        return self._queryable(entry).scan(principal.project, entry.entity, passes)

    def first_look(self, file: InputFile, options: ImportOptions, entity: str) -> FirstLook | None:
        """What the beginning of an upload shows; ``None`` where only its run can say.

        ``entity``: of an entity, or of a bundle.

        Raises:
            NotFound: no such entity.
        """
        target = self.catalogue.find_target(entity)
        kind = target.bundle if isinstance(target, LoadedBundle) else target.entity
        return look_at(self.reports, file, options, kind)

    def sheet(
        self, columns: Sequence[str], rows: Iterable[Sequence[str | int | None]], *, title: str
    ) -> Iterator[bytes]:
        """A workbook to be read, for a report in a dialect's own form."""
        return write_sheet(columns, rows, self.reports.scratch, title=title)

    def rejections_file(self, job: Job, wanted: ReportFormat) -> Download:
        """All rejections as one file; made at the first request, then kept. Raises as above."""
        return rejections_download(self.reports, job, wanted)

    def accepted_file(self, job: Job, wanted: ReportFormat) -> Download:
        """The accepted records in input order with ``_record`` and ``_outcome``.

        Raises:
            StateConflict: the job is not final.
            Gone: retention has ended.
            ValueNotRepresentable: while it is written: a value does not fit the form.
        """
        return accepted_download(self.reports, job, wanted)

    def input_file(self, job: Job) -> Download:
        """The input as it came.

        Raises:
            Gone: retention has ended.
            NotAllowed: the entity has secret fields, whose values leave the server in no form.
        """
        return input_download(self.reports, job)

    def entities(self) -> Sequence[EntitySummary]:
        """All entities by name."""
        return [summary(self.catalogue.entries[name]) for name in sorted(self.catalogue.entries)]

    def entity(self, name: str) -> EntitySummary:
        """One entity; raises ``NotFound`` with the nearest name."""
        return summary(self.catalogue.find(name))

    def template_csv(self, name: str) -> bytes:
        """The header line of an entity's CSV; raises ``NotFound``."""
        return write_csv_template(self.catalogue.find(name).entity)

    def template_xlsx(self, name: str) -> bytes:
        """A workbook to be filled in, with the entity's types and rules.

        Raises:
            NotFound: there is no such entity.
            RequestInvalid: it has more columns than a sheet.
        """
        return write_xlsx_template(self.catalogue.find(name).entity)

    def record_slice(
        self, principal: Principal, entity: str, *, sort: str, offset: int, limit: int
    ) -> RecordSlice:
        """Some of the project's stored records, by number; raises as ``records``."""
        entry = self.catalogue.find(entity)
        sink = self._queryable(entry)
        return sink.record_slice(
            principal.project, entry.entity, sort=sort, offset=offset, limit=limit
        )

    def records(self, principal: Principal, entity: str, cursor: str, limit: int) -> RecordPage:
        """A page of the project's stored records; raises ``NotFound``, ``RequestInvalid``."""
        entry = self.catalogue.find(entity)
        sink = self._queryable(entry)
        return sink.records(principal.project, entry.entity, after=cursor, limit=limit)

    def _queryable(self, entry: LoadedEntity) -> QueryableSink:
        if entry.entity.parts:
            names = ", ".join(part.entity.name for part in entry.entity.parts)
            raise RequestInvalid(
                f"records of {entry.entity.name} are stored in {names}; read them there",
                code="RECORDS_STORED_ELSEWHERE",
            )
        sink = self.catalogue.sink_for(entry.entity)
        if not isinstance(sink, QueryableSink):
            raise RequestInvalid(
                f"the sink of {entry.entity.name} takes records but cannot be asked for them",
                code="SINK_NOT_QUERYABLE",
            )
        return sink


def summary(entry: LoadedEntity) -> EntitySummary:
    """What clients see of an entity."""
    return EntitySummary(
        name=entry.entity.name,
        title=entry.entity.title,
        description=entry.entity.description,
        descriptor=entry.descriptor,
    )
