"""The wire shapes of the native API; field names are contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from waybill.model.job import Counts, JobError
from waybill.model.options import ImportOptions


class AttemptShape(msgspec.Struct, frozen=True, kw_only=True):
    """One try at running the job; ``end`` says why it ended, null while it runs."""

    epoch: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    end: str | None
    detail: str


class ArtifactShape(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a job; ``link`` is null once its retention has ended."""

    kind: str
    size_bytes: int
    sha256: str
    created_at: datetime
    purged_at: datetime | None
    link: str | None


class JobLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Where a job and its files are; ``cancel`` (DELETE) is null once the job is over."""

    self: str
    rejections: str
    rejections_json: str
    rejections_csv: str
    rejections_xlsx: str
    rejections_ndjson: str
    rejections_parquet: str
    plan: str
    accepted: str
    input: str
    result: str
    cancel: str | None


class JobShape(msgspec.Struct, frozen=True, kw_only=True):
    """A job. ``progress`` runs from 0 to 1 and never falls; ``rate`` is records per second.

    ``parent``: the dry run whose plan it applies. ``entity`` may name a bundle; ``chosen_entity``
    is the one found from the header then.

    ``counts`` of a finished import obey: read = created + updated + unchanged + deleted + rejected
    + skipped + unprocessed.
    """

    id: str
    kind: str
    parent: str | None
    project: str
    entity: str
    chosen_entity: str | None
    state: str
    outcome: str | None
    phase: str
    progress: float
    counts: Counts
    rate: float | None
    eta_seconds: float | None
    client_ref: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested: bool
    attempts: Sequence[AttemptShape]
    error: JobError | None
    warnings: Sequence[Mapping[str, Any]]
    format: Mapping[str, Any]
    options: ImportOptions
    artifacts: Sequence[ArtifactShape]
    links: JobLinks


class JobsShape(msgspec.Struct, frozen=True, kw_only=True):
    """A page of jobs, newest first; ``next`` is the cursor of the next page."""

    jobs: Sequence[JobShape]
    next: str | None


class FindingShape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wrong with a record.

    ``field`` is the entity's name, ``column_name`` the header's spelling; ``column`` counts from 1,
    ``cell`` is a place in XLSX.
    """

    code: str
    field: str | None
    column: int | None
    column_name: str | None
    value: str | None
    expected: str | None
    message: str
    hint: str | None
    cell: str | None = None
    pointer: str | None = None


class RejectionShape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rejected record.

    ``record`` counts from 1 without the header, ``line`` physical lines from 1 with it, ``byte``
    from 0 in the decoded text. ``data``: raw cells by column name; ``surplus``: cells beyond the
    header; ``kinds``: of the cells that are no strings, where the format tells: ``number``,
    ``boolean``, ``object``, ``array``, or ``absent``. Filled by ``waybill.reports``, so that pages
    and files agree.
    """

    record: int
    line: int
    byte: int | None
    data: Mapping[str, str | None]
    findings: Sequence[FindingShape]
    surplus: Sequence[str | None] = ()
    kinds: Mapping[str, str] = {}


class RejectionsShape(msgspec.Struct, frozen=True, kw_only=True):
    """A page of rejected records in input order; ``total`` counts all of them."""

    rejections: Sequence[RejectionShape]
    total: int
    next: str | None


class EntityLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Where an entity's schema, templates (``template``: CSV) and records are."""

    self: str
    template: str
    template_xlsx: str
    records: str


class EntityShape(msgspec.Struct, frozen=True, kw_only=True):
    """An entity, without its schema."""

    name: str
    title: str
    description: str
    links: EntityLinks


class EntitiesShape(msgspec.Struct, frozen=True, kw_only=True):
    """All entities by name."""

    entities: Sequence[EntityShape]


class RecordsShape(msgspec.Struct, frozen=True, kw_only=True):
    """A page of stored records, in the order of their keys as text."""

    records: Sequence[Mapping[str, Any]]
    next: str | None


class LimitsShape(msgspec.Struct, frozen=True, kw_only=True):
    """What this server takes: bytes, counts and seconds as the names say; rate 0 is no limit."""

    limits: Mapping[str, int]
    requests_per_second: int
