"""Files that clients send ahead of the jobs that take them: promised, sent, found again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from waybill.errors import NotFound
from waybill.model.upload import Upload

if TYPE_CHECKING:
    from waybill.model.ids import ProjectName
    from waybill.model.job import InputFile
    from waybill.model.principal import Principal
    from waybill.model.upload import UploadUsage
    from waybill.ports.clock import Clock
    from waybill.ports.upload_store import UploadStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads:
    """What may be done with uploads. Every method is scoped by the project."""

    store: UploadStore
    clock: Clock

    def promise(
        self,
        principal: Principal,
        upload_id: str,
        name: str,
        *,
        seconds: float,
        most: UploadUsage,
    ) -> Upload:
        """Promise a file of that name, to come within so many seconds.

        Raises:
            NotAllowed: ``QUOTA_EXCEEDED``: the project has as much as ``most``.
        """
        now = self.clock.now()
        upload = Upload(
            id=upload_id,
            project=principal.project,
            name=name,
            created_at=now,
            expires_at=now + timedelta(seconds=seconds),
        )
        self.store.add_upload(upload, most=most)
        return upload

    def usage(self, project: ProjectName) -> UploadUsage:
        """What a project has in promises and files."""
        return self.store.upload_usage(project, self.clock.now())

    def promised(self, project: ProjectName, upload_id: str) -> Upload:
        """A promise, or the file where it is here; raises ``NotFound``."""
        upload = self.store.find_upload(project, upload_id, self.clock.now())
        if upload is None:
            raise NotFound("there is no such upload, or it has expired", code="UPLOAD_NOT_FOUND")
        return upload

    def keep(
        self,
        project: ProjectName,
        upload_id: str,
        file: InputFile,
        *,
        days: float,
        most_bytes: int,
    ) -> Upload:
        """Keep the promised file for so many days.

        Raises:
            NotAllowed: ``QUOTA_EXCEEDED``: the project would have more than ``most_bytes``.
            NotFound: no such promise, or it has expired.
            StateConflict: the file is here already.
        """
        now = self.clock.now()
        return self.store.keep_upload(
            project,
            upload_id,
            file,
            now=now,
            expires_at=now + timedelta(days=days),
            most_bytes=most_bytes,
        )

    def stored(self, principal: Principal, upload_id: str) -> InputFile:
        """The file of an upload; raises ``NotFound``."""
        return _file(self.store.find_upload(principal.project, upload_id, self.clock.now()))

    def newest(self, principal: Principal, name: str) -> InputFile:
        """The file of that name that came last; raises ``NotFound``."""
        return _file(self.store.find_stored_upload(principal.project, name, self.clock.now()))


def _file(upload: Upload | None) -> InputFile:
    if upload is None or upload.file is None:
        raise NotFound("there is no such file", code="UPLOAD_NOT_FOUND")
    return upload.file
