"""Files that a job leaves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from waybill.model.ids import BlobName, JobId, ProjectName


class ArtifactKind(StrEnum):
    """What a file of a job is."""

    INPUT = "input"
    SPOOL = "spool"
    REJECTIONS = "rejections"
    REJECTIONS_CSV = "rejections_csv"
    REJECTIONS_JSON = "rejections_json"
    REJECTIONS_XLSX = "rejections_xlsx"
    REJECTIONS_NDJSON = "rejections_ndjson"
    REJECTIONS_PARQUET = "rejections_parquet"
    PLAN = "plan"
    EXPORT = "export"
    RESULT = "result"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file that the database points at; ``purged_at`` is set once its bytes are gone."""

    job: JobId
    project: ProjectName
    kind: ArtifactKind
    blob: BlobName
    size_bytes: int
    sha256: str
    created_at: datetime
    purged_at: datetime | None = None
