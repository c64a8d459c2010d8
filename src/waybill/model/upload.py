"""A file that is sent ahead of the jobs that take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from waybill.model.ids import ProjectName
    from waybill.model.job import InputFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A promised file, and the file once it is here.

    ``name``: that it was promised under. ``expires_at``: when the promise ends, and once the file
    is here, when that goes.
    """

    id: str
    project: ProjectName
    name: str
    created_at: datetime
    expires_at: datetime
    stored_at: datetime | None = None
    file: InputFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadUsage:
    """What a project has: promised files that have not come, and bytes of those that have."""

    pending: int
    stored_bytes: int
