"""Use cases that change something. Every one is scoped by the caller's project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from waybill.model.ids import JobId
    from waybill.model.job import InputFile, Job
    from waybill.model.options import ImportOptions
    from waybill.model.principal import Principal


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

    ``lane``: empty for the default ``project/entity``. ``external_id``: empty for the native id.
    """

    entity: str
    options: ImportOptions
    file: InputFile
    client_ref: str | None = None
    lane: str = ""
    dialect: str = "waybill"
    external_id: str = ""
    dialect_data: str = "{}"


class Commands:
    """What a client may have done."""

    def claim_key(self, principal: Principal, key: str) -> Idempotency:
        """Begin the use of an Idempotency-Key, before the body is read.

        The answer's ``fingerprint`` is empty; the edge fills it once the body is stored.

        Raises:
            KeyInFlight: the first request with this key is unanswered.
        """
        raise NotImplementedError

    def release_key(self, principal: Principal, key: str) -> None:
        """Give up a key whose request was refused; a no-op for an answered key."""
        raise NotImplementedError

    def submit_import(
        self, principal: Principal, submission: Submission, idempotency: Idempotency | None = None
    ) -> Job:
        """Accept an import; once this returns, bytes and job are durable.

        With an answered key the stored job is returned and the upload is dropped.

        Raises:
            NotFound: no such entity.
            OptionInvalid: an option does not fit the entity.
            KeyReused: the key came with another request.
        """
        raise NotImplementedError

    def cancel_job(self, principal: Principal, job_id: str) -> Job:
        """Cancel a job: at once when it does not run, else within a chunk.

        Raises:
            NotFound: no such job in the project.
            StateConflict: the job is over.
        """
        raise NotImplementedError

    def discard_upload(self, file: InputFile) -> None:
        """Drop a stored upload that no job points at; safe to repeat."""
        raise NotImplementedError
