"""Files that are sent ahead of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waybill.errors import NotAllowed, NotFound, StateConflict
from waybill.model.job import InputFile
from waybill.model.upload import Upload, UploadUsage
from waybill.stores.sqlite.part import Part, change, every, one
from waybill.stores.sqlite.values import to_microseconds, to_moment, to_moment_or_none

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import apsw

    from waybill.model.ids import ProjectName


class Uploads(Part):
    """See ``UploadStore``."""

    def add_upload(self, upload: Upload, *, most: UploadUsage) -> None:
        """See ``UploadStore.add_upload``."""
        parameters = {
            "id": upload.id,
            "project": upload.project,
            "name": upload.name,
            "created_at": to_microseconds(upload.created_at),
            "expires_at": to_microseconds(upload.expires_at),
        }
        self._database.write(lambda writer: _add(writer, parameters, most))

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
        """See ``UploadStore.keep_upload``."""
        parameters = {
            "id": upload_id,
            "project": project,
            "now": to_microseconds(now),
            "expires_at": to_microseconds(expires_at),
            "blob": file.blob,
            "media_type": file.media_type,
            "size_bytes": file.size_bytes,
            "sha256": file.sha256,
        }
        return self._database.write(lambda writer: _keep(writer, parameters, most_bytes))

    def find_upload(self, project: ProjectName, upload_id: str, now: datetime) -> Upload | None:
        """See ``UploadStore.find_upload``."""
        parameters = {"id": upload_id, "project": project, "now": to_microseconds(now)}
        return self._find_one("find_upload", parameters)

    def find_stored_upload(self, project: ProjectName, name: str, now: datetime) -> Upload | None:
        """See ``UploadStore.find_stored_upload``."""
        parameters = {"name": name, "project": project, "now": to_microseconds(now)}
        return self._find_one("find_stored_upload", parameters)

    def upload_usage(self, project: ProjectName, now: datetime) -> UploadUsage:
        """See ``UploadStore.upload_usage``."""
        parameters = {"project": project, "now": to_microseconds(now)}
        return self._database.read(lambda reader: _usage(reader, parameters))

    def expired_uploads(self, now: datetime, *, limit: int) -> Sequence[Upload]:
        """See ``UploadStore.expired_uploads``."""
        parameters = {"now": to_microseconds(now), "limit": limit}
        rows = self._database.read(lambda reader: every(reader, "list_expired_uploads", parameters))
        return [_to_upload(row) for row in rows]

    def forget_upload(self, upload: Upload) -> None:
        """See ``UploadStore.forget_upload``."""
        parameters = {"id": upload.id, "project": upload.project}
        self._database.write(lambda writer: change(writer, "forget_upload", parameters))

    def _find_one(self, query: str, parameters: dict[str, Any]) -> Upload | None:
        row = self._database.read(lambda reader: one(reader, query, parameters))
        return None if row is None else _to_upload(row)


def _usage(reader: apsw.Connection, parameters: dict[str, Any]) -> UploadUsage:
    [row] = every(reader, "count_uploads", parameters)
    return UploadUsage(pending=row[0], stored_bytes=row[1])


def _add(writer: apsw.Connection, parameters: dict[str, Any], most: UploadUsage) -> None:
    now = parameters["created_at"]
    usage = _usage(writer, {"project": parameters["project"], "now": now})
    if usage.pending >= most.pending:
        raise _exceeded(
            f"{usage.pending} uploads are open already; send them, or wait until they expire."
        )
    if usage.stored_bytes >= most.stored_bytes:
        raise _exceeded(
            f"The uploads take {usage.stored_bytes} bytes, and may take {most.stored_bytes}."
        )
    change(writer, "add_upload", parameters)


def _exceeded(message: str) -> NotAllowed:
    return NotAllowed(message, scope="", code="QUOTA_EXCEEDED")


def _keep(writer: apsw.Connection, parameters: dict[str, Any], most_bytes: int) -> Upload:
    usage = _usage(writer, {"project": parameters["project"], "now": parameters["now"]})
    if usage.stored_bytes + parameters["size_bytes"] > most_bytes:
        raise _exceeded(
            f"The uploads take {usage.stored_bytes} bytes, and may take {most_bytes} with this one."
        )
    is_kept = change(writer, "keep_upload", parameters)
    row = one(writer, "find_upload", parameters)
    if row is None:
        raise NotFound("there is no such upload, or it has expired", code="UPLOAD_NOT_FOUND")
    if not is_kept:
        raise StateConflict("the file of this upload is here already", code="UPLOAD_EXISTS")
    return _to_upload(row)


def _to_upload(row: tuple[Any, ...]) -> Upload:
    upload_id, project, name, created_at, expires_at, stored_at, *file = row
    blob, media_type, size_bytes, digest = file
    return Upload(
        id=upload_id,
        project=project,
        name=name,
        created_at=to_moment(created_at),
        expires_at=to_moment(expires_at),
        stored_at=to_moment_or_none(stored_at),
        file=None
        if blob is None
        else InputFile(
            blob=blob, name=name, media_type=media_type, size_bytes=size_bytes, sha256=digest
        ),
    )
