"""The library for callers of a server: submit a file, follow the job, fetch what it left."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from waybill.client.errors import (
    BY_STATUS,
    AnswerNotUnderstood,
    RateExceeded,
    RequestFailed,
    ServerFailed,
    ServerUnreachable,
)
from waybill.client.shapes import Job, JobPage, Plan, RejectionPage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import BinaryIO

T = TypeVar("T")

_TIMEOUT: Final = httpx.Timeout(60.0, connect=10.0)
_REPORT_TIMEOUT: Final = httpx.Timeout(60.0, connect=10.0, read=1800.0)
"""The first byte of a report comes when the whole of it is made."""
_WAIT_SECONDS: Final = 1
_PATIENCE_SECONDS: Final = 60.0
_PIECE_BYTES: Final = 256 * 1024


class Client:
    """Calls one server with one token; safe to use from one thread at a time.

    Every method raises ``ServerUnreachable`` where nothing answers and ``RequestFailed`` (or one
    of its kinds) where the server refuses. Close it, or use it in a ``with`` statement.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,  # noqa: TID251 - stands apart from the server
        monotonic_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sleep = sleep
        self._monotonic_seconds = monotonic_seconds
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            self._http = httpx.Client(
                base_url=base_url, headers=headers, timeout=_TIMEOUT, transport=transport
            )
        except httpx.InvalidURL as error:
            raise ServerUnreachable(f"{base_url!r} is not an address: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; safe to repeat."""
        self._http.close()

    def submit(
        self,
        path: Path,
        entity: str,
        *,
        options: Mapping[str, object] | None = None,
        client_ref: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Hand over a file, streamed from disk; the job is durable once this returns.

        ``options``: the import's options by name; what is left out takes the server's default.
        With an ``idempotency_key`` the call may be repeated until it succeeds.

        Raises:
            OSError: the file cannot be read.
        """
        fields = {"entity": entity, "options": msgspec.json.encode(options or {}).decode()}
        if client_ref is not None:
            fields["client_ref"] = client_ref
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        with path.open("rb") as content:
            file = (path.name, content, "application/octet-stream")
            answer = self._call(
                "POST", "/v1/jobs", data=fields, files={"file": file}, headers=headers
            )
        return _decode(answer, Job)

    def status(self, job_id: str, *, wait_seconds: int = 0) -> Job:
        """A job now, or as soon as it is final within ``wait_seconds``."""
        params = {"wait": wait_seconds} if wait_seconds else {}
        return _decode(self._call("GET", _job_path(job_id), params=params), Job)

    def watch(self, job_id: str, *, patience_seconds: float = _PATIENCE_SECONDS) -> Iterator[Job]:
        """The job about once a second until it is final; the last one given is final.

        A server that is restarted or asks for patience in between is waited for, at most
        ``patience_seconds`` long.
        """
        silent_since: float | None = None
        while True:
            began = self._monotonic_seconds()
            try:
                job = self.status(job_id, wait_seconds=_WAIT_SECONDS)
            except (ServerUnreachable, ServerFailed, RateExceeded) as error:
                silent_since = began if silent_since is None else silent_since
                if began - silent_since > patience_seconds:
                    raise
                self._sleep(getattr(error, "retry_after_seconds", None) or _WAIT_SECONDS)
                continue
            silent_since = None
            yield job
            if job.is_final:
                return
            self._sleep(max(0.0, began + _WAIT_SECONDS - self._monotonic_seconds()))

    def jobs(self, *, cursor: str = "", limit: int = 0, **filters: str) -> JobPage:
        """A page of the project's jobs, newest first; ``filters`` as the server's query names."""
        params = {**filters, **_page(cursor, limit)}
        return _decode(self._call("GET", "/v1/jobs", params=params), JobPage)

    def cancel(self, job_id: str) -> Job:
        """Cancel a job; raises ``StateConflict`` where it is over."""
        return _decode(self._call("DELETE", _job_path(job_id)), Job)

    def plan(self, job_id: str) -> Plan:
        """What a finished dry run, snapshot or guarded job would do, or would have done.

        Raises:
            StateConflict: the job is not over, or has no plan.
        """
        return _decode(self._call("GET", f"{_job_path(job_id)}/plan"), Plan)

    def apply(self, job_id: str, *, idempotency_key: str | None = None) -> Job:
        """Apply the plan of a dry run as a new job.

        Raises:
            StateConflict: the job has no plan, or the stored records have changed since.
        """
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return _decode(self._call("POST", f"{_job_path(job_id)}/apply", headers=headers), Job)

    def rejections(self, job_id: str, *, cursor: str = "", limit: int = 0) -> RejectionPage:
        """A page of a finished job's rejections, in input order."""
        path = f"{_job_path(job_id)}/rejections"
        return _decode(self._call("GET", path, params=_page(cursor, limit)), RejectionPage)

    def rejections_file(self, job_id: str, file_format: str, to: BinaryIO) -> int:
        """Write all rejections; gives the bytes written.

        ``file_format``: ``json``, ``ndjson``, ``csv``, ``xlsx`` or ``parquet``. JSON is put
        together from pages, so that it is complete however many there are.
        """
        if file_format == "json":
            return self._write_json(job_id, to)
        return self.download(f"{_job_path(job_id)}/rejections.{file_format}", to)

    def template_file(self, entity: str, file_format: str, to: BinaryIO) -> int:
        """Write an entity's empty file as ``csv`` or ``xlsx``; gives the bytes written."""
        return self.download(f"/v1/entities/{quote(entity, safe='')}/template.{file_format}", to)

    def accepted_file(self, job_id: str, file_format: str, to: BinaryIO) -> int:
        """Write the accepted records, each with what became of it; gives the bytes written.

        ``file_format``: ``csv``, ``ndjson`` and ``json`` have the cells as they came, ``xlsx`` and
        ``parquet`` the values in their types.

        Raises:
            RequestFailed: a value does not fit that form (``VALUE_NOT_REPRESENTABLE``).
        """
        return self.download(f"{_job_path(job_id)}/accepted.{file_format}", to)

    def download(self, path: str, to: BinaryIO) -> int:
        """Stream what lies at a path of the server, as links of a job name it.

        Raises:
            ServerUnreachable: also where the stream breaks off; ``to`` then holds a part of it.
        """
        size = 0
        call = self._http.stream("GET", path, timeout=_REPORT_TIMEOUT)
        with _network_errors(self._http), call as answer:
            if answer.is_error:
                answer.read()
            _raise_for_problem(answer)
            for piece in answer.iter_bytes(_PIECE_BYTES):
                size += to.write(piece)
        return size

    def _write_json(self, job_id: str, to: BinaryIO) -> int:
        size = to.write(b'{"rejections":[')
        cursor: str | None = ""
        total, separator = 0, b"\n"
        while cursor is not None:
            page = self.rejections(job_id, cursor=cursor)
            for rejection in page.raw["rejections"]:
                size += to.write(separator + msgspec.json.encode(rejection))
                separator = b",\n"
            cursor, total = page.next, page.total
        return size + to.write(b'\n],"total":%d,"next":null}\n' % total)

    def _call(self, method: str, path: str, **arguments: Any) -> bytes:  # noqa: ANN401 - httpx's own
        with _network_errors(self._http):
            answer = self._http.request(method, path, **arguments)
        _raise_for_problem(answer)
        return answer.content


def _job_path(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}"


def _page(cursor: str, limit: int) -> dict[str, str]:
    params = {"cursor": cursor} if cursor else {}
    return {**params, "limit": str(limit)} if limit else params


@contextmanager
def _network_errors(http: httpx.Client) -> Iterator[None]:
    """Turn what httpx raises into ``ServerUnreachable``."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        reason = str(error) or type(error).__name__
        raise ServerUnreachable(f"no answer from {http.base_url}: {reason}") from error


def _raise_for_problem(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    try:
        problem = msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.DecodeError:
        problem = {"title": f"HTTP {answer.status_code} {answer.reason_phrase}"}
    status = answer.status_code
    kind = ServerFailed if status >= httpx.codes.INTERNAL_SERVER_ERROR else RequestFailed
    raise BY_STATUS.get(status, kind)(
        problem, status=status, retry_after_seconds=_retry_after(answer)
    )


def _retry_after(answer: httpx.Response) -> float | None:
    try:
        return float(answer.headers["Retry-After"])
    except (KeyError, ValueError):
        return None


def _decode(body: bytes, shape: type[T]) -> T:
    try:
        raw = msgspec.json.decode(body, type=dict[str, Any])
        return msgspec.convert({**raw, "raw": raw}, shape)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise AnswerNotUnderstood(f"the answer is not one of a Waybill server: {error}") from error
