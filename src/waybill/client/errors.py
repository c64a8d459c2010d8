"""What can go wrong when calling a server, as one tree.

::

    ClientError
    ├── ServerUnreachable    no server answered
    ├── AnswerNotUnderstood  something answered that is no Waybill server
    └── RequestFailed        the server refused: status, code, detail
        ├── NotAuthenticated     401
        ├── NotAllowed           403
        ├── NotFound             404
        ├── StateConflict        409
        ├── Gone                 410
        ├── RateExceeded         429
        └── ServerFailed         5xx
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class ClientError(Exception):
    """Base of all errors of the client; its text is one line for people."""


class ServerUnreachable(ClientError):
    """No server answered at the address, or the connection broke."""


class AnswerNotUnderstood(ClientError):
    """What answered is no Waybill server, or one of another time."""


class RequestFailed(ClientError):
    """The server refused the request.

    ``code`` is stable and for machines. ``errors``: details, one object each, as the server sent
    them. ``retry_after_seconds``: when to come again, ``None`` where the server did not say.
    """

    def __init__(
        self,
        problem: Mapping[str, object],
        *,
        status: int,
        retry_after_seconds: float | None = None,
    ) -> None:
        self.status = status
        self.code = str(problem.get("code", ""))
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", ""))
        errors = problem.get("errors")
        self.errors: tuple[object, ...] = tuple(errors) if isinstance(errors, list) else ()
        self.request_id = str(problem.get("request_id", ""))
        self.retry_after_seconds = retry_after_seconds
        super().__init__(self._text())

    def _text(self) -> str:
        what = self.detail or self.title or "the server refused the request"
        return f"{what} ({self.code or self.status})"


class NotAuthenticated(RequestFailed):
    """The token is missing, unknown or revoked."""


class NotAllowed(RequestFailed):
    """The token lacks a scope."""


class NotFound(RequestFailed):
    """No such thing in the token's project."""


class StateConflict(RequestFailed):
    """The thing is not in a state that allows this."""


class Gone(RequestFailed):
    """It existed, and its retention has ended."""


class RateExceeded(RequestFailed):
    """Too many requests; ``retry_after_seconds`` says when to come again."""


class ServerFailed(RequestFailed):
    """The server met a fault of its own, or has no space."""


BY_STATUS: Final[Mapping[int, type[RequestFailed]]] = {
    401: NotAuthenticated,
    403: NotAllowed,
    404: NotFound,
    409: StateConflict,
    410: Gone,
    429: RateExceeded,
}
"""Status to error; any other of 500 and above is ``ServerFailed``."""
