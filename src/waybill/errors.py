"""What can go wrong, as one tree; no HTTP status and no wire format lives here.

::

    WaybillError                     code, message
    ├── RequestRefused               the caller can mend it
    │   ├── RequestInvalid           malformed, unknown or contradictory request
    │   │   └── OptionInvalid        one option of a job is wrong
    │   ├── ContentInvalid           content is not what a file tool takes
    │   ├── BodyInvalid              multipart or body framing is broken
    │   ├── BodyTooSlow              the body stood still for too long
    │   ├── MediaTypeUnsupported     the body is of a kind this route does not take
    │   ├── LimitExceeded            a published limit was met
    │   ├── NotAuthenticated         no credential, or none that is known
    │   ├── NotAllowed               the credential lacks the scope
    │   ├── NotFound                 no such thing in the caller's project
    │   ├── Gone                     it existed, and its retention has ended
    │   ├── StateConflict            the thing is not in a state that allows this
    │   ├── ValueNotRepresentable    a value cannot stand in a file of the form asked for
    │   ├── KeyReused                Idempotency-Key came with another request
    │   ├── KeyInFlight              the first request with this key is unanswered
    │   ├── RateExceeded             too many requests
    │   └── ServerBusy               too much is queued
    ├── SchemaInvalid                an entity descriptor is refused
    ├── SettingsInvalid              a setting is unknown or out of range
    ├── JobFailed                    stops the job, never the server
    │   └── FileRefused              the input as a whole cannot be read
    ├── ColumnsGrew                  records have members that the first ones had not
    ├── Fenced                       another attempt owns this job
    ├── StorageFull                  no space left, or a write failed
    ├── StoreUnavailable             the database does not answer
    └── ServerUnreachable            the client found no server
"""

from __future__ import annotations

__all__ = [
    "BodyInvalid",
    "BodyTooSlow",
    "ColumnsGrew",
    "ContentInvalid",
    "Fenced",
    "FileRefused",
    "Gone",
    "JobFailed",
    "KeyInFlight",
    "KeyReused",
    "LimitExceeded",
    "MediaTypeUnsupported",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "OptionInvalid",
    "RateExceeded",
    "RequestInvalid",
    "RequestRefused",
    "SchemaInvalid",
    "ServerBusy",
    "ServerUnreachable",
    "SettingsInvalid",
    "StateConflict",
    "StorageFull",
    "StoreUnavailable",
    "ValueNotRepresentable",
    "WaybillError",
]


class WaybillError(Exception):
    """Base of all errors that Waybill raises on purpose.

    ``code`` is stable and for machines, ``message`` one sentence for people that says what to do.
    """

    default_code = "INTERNAL_ERROR"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code


class RequestRefused(WaybillError):
    """The request is refused; nothing was stored or changed."""

    default_code = "REQUEST_REFUSED"


class RequestInvalid(RequestRefused):
    """The request is malformed, or names something that does not exist."""

    default_code = "REQUEST_INVALID"

    def __init__(self, message: str, *, code: str | None = None, parameter: str = "") -> None:
        super().__init__(message, code=code)
        self.parameter = parameter


class OptionInvalid(RequestInvalid):
    """One option of a job is unknown or out of range; ``parameter`` names it."""

    default_code = "OPTION_INVALID"


class ContentInvalid(RequestRefused):
    """The content is not what a file tool takes.

    ``line`` and ``column`` from 1, in characters, of the first character that cannot be right;
    ``None`` where there is none.
    """

    default_code = "CONTENT_INVALID"

    def __init__(
        self, message: str, *, code: str, line: int | None = None, column: int | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.line = line
        self.column = column


class BodyInvalid(RequestRefused):
    """The framing of the body is broken: no boundary, no terminator, a duplicate part."""

    default_code = "MULTIPART_INVALID"


class BodyTooSlow(RequestRefused):
    """The body stood still for longer than the server waits."""

    default_code = "BODY_TIMEOUT"


class MediaTypeUnsupported(RequestRefused):
    """The body is of a media type or content encoding that this route does not take."""

    default_code = "UNSUPPORTED_MEDIA_TYPE"


class LimitExceeded(RequestRefused):
    """A published limit was met; ``limit`` is its name in ``/v1/limits``, ``allowed`` its size."""

    default_code = "LIMIT_EXCEEDED"

    def __init__(self, message: str, *, limit: str, allowed: int, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.limit = limit
        self.allowed = allowed


class NotAuthenticated(RequestRefused):
    """No credential came with the request, or it is unknown, revoked or expired."""

    default_code = "NOT_AUTHENTICATED"


class NotAllowed(RequestRefused):
    """The credential is good but lacks a scope; ``scope`` names it."""

    default_code = "INSUFFICIENT_SCOPE"

    def __init__(self, message: str, *, scope: str, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.scope = scope


class NotFound(RequestRefused):
    """No such thing in the caller's project, whatever may exist in another one."""

    default_code = "NOT_FOUND"


class Gone(RequestRefused):
    """The thing existed, and its retention has ended."""

    default_code = "GONE"


class StateConflict(RequestRefused):
    """The thing is not in a state that allows this."""

    default_code = "STATE_CONFLICT"


class ValueNotRepresentable(RequestRefused):
    """A value cannot stand in a file of the form asked for; nothing is cut or altered to fit.

    ``record`` is ``None`` where the name of the column itself does not fit.
    """

    default_code = "VALUE_NOT_REPRESENTABLE"

    def __init__(self, reason: str, *, record: int | None, column: str) -> None:
        place = f"column {column[:100]!r}" + ("" if record is None else f" of record {record}")
        super().__init__(f"{place}: {reason}; take CSV or NDJSON, which hold every value")
        self.record = record
        self.column = column


class KeyReused(RequestRefused):
    """An Idempotency-Key came again with another request."""

    default_code = "IDEMPOTENCY_KEY_REUSED"


class KeyInFlight(RequestRefused):
    """The first request with this Idempotency-Key has not been answered yet."""

    default_code = "IDEMPOTENCY_KEY_IN_FLIGHT"


class RateExceeded(RequestRefused):
    """Too many requests; ``retry_after_seconds`` says when to come again."""

    default_code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after_seconds: int, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after_seconds = retry_after_seconds


class ServerBusy(RequestRefused):
    """Too much is queued; ``retry_after_seconds`` says when to come again."""

    default_code = "SERVER_BUSY"

    def __init__(self, message: str, *, retry_after_seconds: int, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after_seconds = retry_after_seconds


class SchemaInvalid(WaybillError):
    """An entity descriptor is refused; ``pointer`` is the JSON Pointer of the place."""

    default_code = "SCHEMA_INVALID"

    def __init__(self, message: str, *, pointer: str = "", code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.pointer = pointer


class SettingsInvalid(WaybillError):
    """A setting is unknown or out of range; the message names the nearest known key."""

    default_code = "SETTINGS_INVALID"


class JobFailed(WaybillError):
    """The job ends ``failed`` with this code; applied rows stay, the rest is unprocessed."""

    default_code = "JOB_FAILED"


class FileRefused(JobFailed):
    """The input as a whole cannot be read on.

    ``line`` (physical, from 1) and ``byte`` (from 0, decoded text) say where; ``None`` where the
    fault has no place.
    """

    default_code = "FILE_REFUSED"

    def __init__(
        self, message: str, *, code: str, line: int | None = None, byte: int | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.line = line
        self.byte = byte


class ColumnsGrew(WaybillError):
    """Records have members that the first ones had not; read again with all of them.

    Never leaves the engine.
    """

    default_code = "COLUMNS_GREW"


class Fenced(WaybillError):
    """Another attempt owns this job: stop at once and write nothing."""

    default_code = "FENCED"


class StorageFull(WaybillError):
    """No space is left on the device, or a write failed; the work can be tried again later."""

    default_code = "STORAGE_FULL"


class StoreUnavailable(WaybillError):
    """The database does not answer; nothing was written."""

    default_code = "STORE_UNAVAILABLE"


class ServerUnreachable(WaybillError):
    """The client found no server at the address."""

    default_code = "SERVER_UNREACHABLE"
