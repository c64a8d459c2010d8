"""Files that are sent ahead of jobs. Every method is scoped by the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from waybill.model.ids import ProjectName
    from waybill.model.job import InputFile
    from waybill.model.upload import Upload, UploadUsage


class UploadStore(Protocol):
    """Promised and stored files."""

    def add_upload(self, upload: Upload, *, most: UploadUsage) -> None:
        """Promise a file; its id is new.

        Raises:
            NotAllowed: ``QUOTA_EXCEEDED``: the project has as many promises, or bytes, as it may.
        """

    def keep_upload(
        self,
        project: ProjectName,
        upload_id: str,
        file: InputFile,
        *,
        now: datetime,
        expires_at: datetime,
        most_bytes: int,
    ) -> Upload:
        """Note that a promised file is here; its expiry is set anew.

        Raises:
            NotAllowed: ``QUOTA_EXCEEDED``: with it the project would have more bytes than it may.
            NotFound: no such promise, or it has expired.
            StateConflict: ``UPLOAD_EXISTS``: the file is here already.
        """

    def find_upload(self, project: ProjectName, upload_id: str, now: datetime) -> Upload | None:
        """A file that has not expired."""

    def find_stored_upload(self, project: ProjectName, name: str, now: datetime) -> Upload | None:
        """The file of that name that came last, and has not expired."""

    def upload_usage(self, project: ProjectName, now: datetime) -> UploadUsage:
        """What a project has that has not expired."""

    def expired_uploads(self, now: datetime, *, limit: int) -> Sequence[Upload]:
        """Files of all projects whose time is over."""

    def forget_upload(self, upload: Upload) -> None:
        """Drop an expired file; its bytes are another matter. Safe to repeat."""
