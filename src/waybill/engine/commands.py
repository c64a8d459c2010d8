"""Use cases that change something. Every one is scoped by the caller's project."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from waybill.engine.accepting import accept
from waybill.engine.job_files import entity_of, find_plan, require_input
from waybill.errors import KeyReused, NotFound, OptionInvalid, StateConflict
from waybill.model.bundle import LaneOf
from waybill.model.ids import BlobName
from waybill.model.job import JobKind, JobState
from waybill.model.options import (
    DELETING,
    AbsentMembers,
    Atomicity,
    HeaderMode,
    Operation,
    UnknownColumns,
)
from waybill.ports.job_store import NewJob
from waybill.ports.sink import QueryableSink
from waybill.validation.entity_files import LoadedBundle, LoadedEntity

if TYPE_CHECKING:
    from waybill.engine.catalogue import Catalogue
    from waybill.engine.report_parts import ReportParts
    from waybill.model.entity import Entity
    from waybill.model.ids import JobId, ProjectName
    from waybill.model.job import InputFile, Job
    from waybill.model.options import ImportOptions
    from waybill.model.plan import Plan
    from waybill.model.principal import Principal
    from waybill.ports.blobs import Blobs
    from waybill.ports.clock import Clock, IdSource, Presence
    from waybill.ports.dispatcher import Dispatcher
    from waybill.ports.job_store import JobStore

    Target = LoadedEntity | LoadedBundle

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """An Idempotency-Key in use.

    ``job``: the job it made before, ``None`` when this request is the first. ``known``: the
    fingerprint of the first request; ``fingerprint``: of this one, over method, path, query,
    fields and file hashes.
    """

    key: str
    fingerprint: str
    known: str
    job: JobId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A file to import.

    ``entity``: name of an entity or a bundle. ``lane``: empty for the default, ``project/entity``
    or what the bundle says. ``external_id``: empty for the native id. ``parent``: the dry run whose
    plan it applies, ``descriptor`` what that one has pinned; empty for what is in force.
    """

    entity: str
    options: ImportOptions
    file: InputFile
    client_ref: str | None = None
    lane: str = ""
    dialect: str = "waybill"
    external_id: str = ""
    dialect_data: str = "{}"
    parent: JobId | None = None
    descriptor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """What a client may have done."""

    store: JobStore
    blobs: Blobs
    catalogue: Catalogue
    dispatcher: Dispatcher
    clock: Clock
    ids: IdSource
    presence: Presence
    plans: ReportParts

    def claim_key(self, principal: Principal, key: str) -> Idempotency:
        """Begin the use of an Idempotency-Key, before the body is read.

        The answer's ``fingerprint`` is empty; the edge fills it once the body is stored.

        Raises:
            KeyInFlight: the first request with this key is unanswered.
        """
        claim = self.store.claim_key(
            principal.project, key, self.presence.holder, self.presence, self.clock.now()
        )
        return Idempotency(key=key, fingerprint="", known=claim.fingerprint, job=claim.job)

    def release_key(self, principal: Principal, key: str) -> None:
        """Give up a key whose request was refused; a no-op for an answered key."""
        self.store.release_key(principal.project, key)

    def submit_import(
        self, principal: Principal, submission: Submission, idempotency: Idempotency | None = None
    ) -> Job:
        """Accept an import; once this returns, bytes and job are durable.

        With an answered key the stored job is returned and the upload is dropped.

        Raises:
            NotFound: no such entity or bundle.
            OptionInvalid: an option does not fit the entity, or the bundle.
            KeyReused: the key came with another request.
        """
        if idempotency is not None and idempotency.job is not None:
            return self._replay(principal, submission, idempotency, idempotency.job)
        target = self.catalogue.find_target(submission.entity)
        refuse_misfit_of_target(submission.options, target)
        return self._accept(principal, submission, target, idempotency)

    def apply_plan(
        self, principal: Principal, job_id: str, idempotency: Idempotency | None = None
    ) -> Job:
        """Accept a job that applies the plan of a dry run, from the same file.

        Raises:
            NotFound: no such job.
            StateConflict: it is not over, has no plan, or the records have changed since.
            Gone: its file or its plan is not stored any more.
            KeyReused: the key came with another request.
        """
        planned = self.store.find_job(principal.project, job_id)
        if planned is None or planned.input is None:
            raise NotFound("there is no such job", code="JOB_NOT_FOUND")
        submission = Submission(
            entity=planned.entity,
            options=planned.options,
            file=planned.input,
            client_ref=planned.client_ref,
            lane=planned.lane,
            parent=planned.id,
            descriptor=planned.descriptor,
        )
        if idempotency is not None and idempotency.job is not None:
            return self._replay(principal, submission, idempotency, idempotency.job)
        plan = find_plan(self.plans, planned)
        if not planned.options.dry_run or planned.state is not JobState.SUCCEEDED:
            raise StateConflict("only the plan of a dry run is applied", code="JOB_HAS_NO_PLAN")
        require_input(self.plans, planned)
        target = self.catalogue.find_target(planned.entity)
        self._refuse_outdated(principal, planned, plan)
        options = replace(planned.options, dry_run=False, expected_plan=plan.hash)
        return self._accept(principal, replace(submission, options=options), target, idempotency)

    def _refuse_outdated(self, principal: Principal, planned: Job, plan: Plan) -> None:
        """Say at once what the run would find out."""
        entity = entity_of(planned)
        sink = None if entity is None else self.catalogue.sink_for(entity)
        if entity is None or not isinstance(sink, QueryableSink):
            return
        if sink.version(principal.project, entity) != plan.data_version:
            raise StateConflict(
                f"records of {entity.name} have changed since the plan was made; make a new one",
                code="PLAN_OUTDATED",
            )

    def _accept(
        self,
        principal: Principal,
        submission: Submission,
        target: Target,
        idempotency: Idempotency | None,
    ) -> Job:
        """Add the job, and see to it that it is run."""
        if idempotency is not None:
            self.store.set_key_fingerprint(
                principal.project, idempotency.key, idempotency.fingerprint
            )
        key = idempotency.key if idempotency is not None else None
        new = self._new_job(principal, submission, target, key)
        return accept(self.store, self.dispatcher, new)

    def cancel_job(self, principal: Principal, job_id: str) -> Job:
        """Cancel a job: at once when it does not run, else within a chunk.

        Raises:
            NotFound: no such job in the project.
            StateConflict: the job is over.
        """
        job = self.store.find_job(principal.project, job_id)
        if job is None:
            raise NotFound("there is no such job", code="JOB_NOT_FOUND")
        if job.is_final:
            raise StateConflict(f"the job is {job.state} already", code="JOB_IS_FINAL")
        canceled = self.store.request_cancel(principal.project, job.id, self.clock.now())
        if canceled is None:
            raise NotFound("there is no such job", code="JOB_NOT_FOUND")
        self.dispatcher.hint_change(job.id)
        self.dispatcher.hint_work()
        return canceled

    def discard_upload(self, file: InputFile) -> None:
        """Drop a stored upload that no job points at; safe to repeat."""
        self.blobs.delete(BlobName(file.blob))

    def _replay(
        self, principal: Principal, submission: Submission, idempotency: Idempotency, job_id: JobId
    ) -> Job:
        if idempotency.fingerprint != idempotency.known:
            raise KeyReused(
                "this Idempotency-Key was used with another request; take a new key for a new one"
            )
        job = self.store.find_job(principal.project, job_id)
        if job is None:
            raise NotFound("there is no such job", code="JOB_NOT_FOUND")
        if submission.parent is None:
            self.discard_upload(submission.file)
        return job

    def _new_job(
        self, principal: Principal, submission: Submission, target: Target, key: str | None
    ) -> NewJob:
        job_id = self.ids.job_id()
        return NewJob(
            id=job_id,
            kind=JobKind.IMPORT,
            project=principal.project,
            entity=submission.entity,
            lane=submission.lane or default_lane(principal.project, submission.entity, target),
            options=submission.options,
            descriptor=submission.descriptor or target.pinned,
            parent=submission.parent,
            input=submission.file,
            client_ref=submission.client_ref,
            dialect=submission.dialect,
            external_id=submission.external_id or job_id,
            dialect_data=submission.dialect_data,
            credential=principal.credential,
            created_at=self.clock.now(),
            idempotency_key=key,
        )


def default_lane(project: ProjectName, name: str, target: Target) -> str:
    """The lane of a job that names none."""
    is_shared = isinstance(target, LoadedBundle) and target.bundle.lane is LaneOf.PROJECT
    return str(project) if is_shared else f"{project}/{name}"


def refuse_misfit_of_target(options: ImportOptions, target: Target) -> None:
    """Refuse options that make no sense for the entity, or for one of the bundle.

    Raises:
        OptionInvalid: names the option and the reason.
    """
    if isinstance(target, LoadedEntity):
        refuse_misfit(options, target.entity)
        return
    if options.header is HeaderMode.ABSENT:
        raise OptionInvalid(
            f"{target.bundle.name} is a bundle: the header tells which entity a file is of",
            parameter="header",
        )
    for entity in target.bundle.entities:
        refuse_misfit(options, entity)


def refuse_misfit(options: ImportOptions, entity: Entity) -> None:
    """Refuse options that make no sense for this entity.

    Raises:
        OptionInvalid: names the option and the reason.
    """
    if options.unknown_columns is UnknownColumns.KEEP and not entity.is_open:
        raise OptionInvalid(
            f"the option unknown_columns = keep needs an open entity; {entity.name} is not open",
            parameter="unknown_columns",
        )
    keeps_both = (UnknownColumns.KEEP, AbsentMembers.KEEP)
    if (options.unknown_columns, options.absent_members) == keeps_both:
        raise OptionInvalid(
            "the option absent_members = keep needs declared fields: undeclared ones, which"
            " unknown_columns = keep keeps, are one value that each record replaces",
            parameter="absent_members",
        )
    if entity.parts and options.operation is not Operation.UPSERT:
        raise OptionInvalid(
            f"{entity.name} writes other entities, so it only takes operation = upsert",
            parameter="operation",
        )
    if entity.parts and options.atomicity is not Atomicity.ROW:
        raise OptionInvalid(
            f"{entity.name} writes other entities, so it only takes atomicity = row",
            parameter="atomicity",
        )
    if not entity.key and options.operation in {Operation.UPDATE, *DELETING}:
        raise OptionInvalid(
            f"{entity.name} has no key, so it only takes operation = insert",
            parameter="operation",
        )
    if options.snapshot:
        refuse_misfit_snapshot(options, entity)
    if options.expected_plan and entity.parts:
        raise OptionInvalid(
            f"{entity.name} writes other entities, so it has no plan", parameter="expected_plan"
        )


def refuse_misfit_snapshot(options: ImportOptions, entity: Entity) -> None:
    """Refuse a snapshot of what cannot be one.

    Raises:
        OptionInvalid: says why.
    """
    if not entity.key or entity.parts:
        reason = "writes other entities" if entity.parts else "has no key"
        raise OptionInvalid(
            f"{entity.name} {reason}, so nothing in it is missing in a file", parameter="snapshot"
        )
    if options.operation is not Operation.UPSERT:
        raise OptionInvalid(
            "a snapshot says what there is, so it only takes operation = upsert",
            parameter="snapshot",
        )
