"""The HTTP edge over a core in memory, for tests of dialects and of the edge itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import msgspec
from prometheus_client import CollectorRegistry

from waybill.dialect import Core
from waybill.engine.access_tokens import AccessTokens
from waybill.engine.commands import Idempotency
from waybill.engine.insights import Download, EntitySummary, RejectionPage, ReportFormat
from waybill.engine.links import Links
from waybill.errors import KeyInFlight, KeyReused, NotFound, StateConflict
from waybill.http.app import Edge, EdgeParts, build_app
from waybill.model.ids import BlobName, CredentialId, JobId, ProjectName
from waybill.model.job import Counts, Job, JobKind, JobState, Phase
from waybill.model.options import ImportOptions
from waybill.model.principal import ALL_SCOPES, Credential, Principal, Project, Scope
from waybill.ports.job_store import JobPage
from waybill.ports.sink import RecordPage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from waybill.dialect import Dialect
    from waybill.engine.commands import Commands, Submission
    from waybill.engine.insights import Insights
    from waybill.model.artifact import Artifact
    from waybill.model.job import Attempt, InputFile
    from waybill.ports.clock import Clock
    from waybill.ports.job_store import JobFilter

START = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
TOKEN = "token-of-project-one"  # noqa: S105 - a test's
OTHER_TOKEN = "token-of-project-two"  # noqa: S105 - a test's


def example_job(**changes: Any) -> Job:  # noqa: ANN401 - any field of a job
    """A waiting job of project ``one``, with these fields changed."""
    job = Job(
        id=JobId("job-1"),
        sequence=1,
        kind=JobKind.IMPORT,
        project=ProjectName("one"),
        entity="airports",
        lane="one/airports",
        state=JobState.WAITING,
        outcome=None,
        phase=Phase.QUEUED,
        progress=0.0,
        counts=Counts(),
        options=ImportOptions(),
        descriptor="{}",
        input=None,
        client_ref=None,
        dialect="waybill",
        external_id="job-1",
        dialect_data="{}",
        created_at=START,
        started_at=None,
        finished_at=None,
        not_before=None,
        epoch=0,
        cancel_requested=False,
        credential="credential-1",
    )
    return replace(job, **changes)


class StillClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        """See ``Clock.now``."""
        return START + timedelta(seconds=self.seconds)

    def monotonic_seconds(self) -> float:
        """See ``Clock.monotonic_seconds``."""
        return self.seconds

    @property
    def boot_id(self) -> str:
        """See ``Clock.boot_id``."""
        return "boot"

    def sleep(self, seconds: float) -> None:
        """See ``Clock.sleep``; moves the clock."""
        self.seconds += seconds


class CountingIds:
    """Ids that tests can foretell."""

    def __init__(self) -> None:
        self._count = 0

    def job_id(self) -> JobId:
        """See ``IdSource.job_id``."""
        return JobId(self.name("job-"))

    def token(self) -> str:
        """See ``IdSource.token``."""
        return self.name("token-")

    def random_bytes(self, count: int) -> bytes:
        """See ``IdSource.random_bytes``."""
        self._count += 1
        return self._count.to_bytes(count, "big")

    def name(self, prefix: str) -> str:
        """See ``IdSource.name``."""
        self._count += 1
        return f"{prefix}{self._count}"


class MemoryBlobs:
    """Blobs in a dictionary; ``unfinished`` counts writers that were neither ended nor dropped."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.unfinished = 0

    def create(self, name: BlobName, *, durable: bool = True) -> MemoryBlobWriter:
        """See ``Blobs.create``."""
        del durable
        self.unfinished += 1
        return MemoryBlobWriter(self, name)

    def open(self, name: BlobName, *, offset: int = 0) -> BinaryIO:
        """See ``Blobs.open``."""
        return BytesIO(self.stored[name][offset:])

    def size(self, name: BlobName) -> int:
        """See ``Blobs.size``."""
        return len(self.stored[name])

    def local_path(self, name: BlobName) -> str | None:
        """See ``Blobs.local_path``; none has one."""
        del name
        return None

    def delete(self, name: BlobName) -> None:
        """See ``Blobs.delete``."""
        self.stored.pop(name, None)

    def delete_tree(self, prefix: str) -> None:
        """See ``Blobs.delete_tree``."""
        for name in [name for name in self.stored if name.startswith(f"{prefix}/")]:
            del self.stored[name]

    def names_older_than(self, seconds: float) -> Iterator[BlobName]:
        """See ``Blobs.names_older_than``."""
        del seconds
        return iter(())


class MemoryBlobWriter:
    """See ``BlobWriter``."""

    def __init__(self, blobs: MemoryBlobs, name: BlobName) -> None:
        self._blobs = blobs
        self._name = name
        self._data = bytearray()
        self._open = True

    def write(self, data: bytes | memoryview) -> None:
        """See ``BlobWriter.write``."""
        self._data += data

    def commit(self) -> BlobName:
        """See ``BlobWriter.commit``."""
        self._blobs.stored[self._name] = bytes(self._data)
        self._end()
        return self._name

    def discard(self) -> None:
        """See ``BlobWriter.discard``."""
        self._end()

    def _end(self) -> None:
        if self._open:
            self._open = False
            self._blobs.unfinished -= 1


class MemoryCredentials:
    """Credentials by dialect and secret; a revoked one is just taken out."""

    def __init__(self) -> None:
        self.principals: dict[tuple[str, bytes], Principal] = {}

    def admit(
        self,
        secret: str,
        *,
        project: str = "one",
        scopes: Iterable[Scope] = ALL_SCOPES,
        dialect: str = "waybill",
        login: str = "",
    ) -> Principal:
        """Let a secret in."""
        principal = Principal(
            project=ProjectName(project),
            credential=CredentialId(f"credential-{len(self.principals) + 1}"),
            scopes=frozenset(scopes),
            dialect=dialect,
            login=login,
        )
        self.principals[dialect, sha256(secret.encode()).digest()] = principal
        return principal

    def find_principal(self, dialect: str, secret_sha256: bytes) -> Principal | None:
        """See ``CredentialStore.find_principal``."""
        return self.principals.get((dialect, secret_sha256))

    def find_by_id(self, dialect: str, credential: CredentialId) -> Principal | None:
        """See ``CredentialStore.find_by_id``."""
        known = (each for each in self.principals.values() if each.credential == credential)
        return next((each for each in known if each.dialect == dialect), None)

    def add_project(self, project: Project) -> bool:
        """See ``CredentialStore.add_project``; every project is known here."""
        del project
        return False

    def find_project(self, name: str) -> ProjectName | None:
        """See ``CredentialStore.find_project``: those that callers are of."""
        return {p.project.lower(): p.project for p in self.principals.values()}.get(name.lower())

    def projects(self) -> Sequence[Project]:
        """See ``CredentialStore.projects``."""
        return ()

    def add_credential(self, credential: Credential, secret_sha256: bytes) -> None:
        """See ``CredentialStore.add_credential``."""
        self.principals[credential.dialect, secret_sha256] = Principal(
            project=credential.project,
            credential=credential.id,
            scopes=credential.scopes,
            dialect=credential.dialect,
            login=credential.login,
        )

    def credentials(self, project: ProjectName | None) -> Sequence[Credential]:
        """See ``CredentialStore.credentials``."""
        del project
        return ()

    def revoke(self, credential: CredentialId, now: datetime) -> bool:
        """See ``CredentialStore.revoke``."""
        del now
        known = {k: p for k, p in self.principals.items() if p.credential != credential}
        changed = len(known) != len(self.principals)
        self.principals = known
        return changed


class MemorySigner:
    """See ``Signer``: the texts are numbers of what is kept here."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._signed: list[tuple[str, Mapping[str, str], datetime]] = []

    def sign(self, purpose: str, claims: Mapping[str, str], expires_at: datetime) -> str:
        """See ``Signer.sign``."""
        self._signed.append((purpose, dict(claims), expires_at))
        return f"signed-{len(self._signed)}"

    def read(self, purpose: str, text: str) -> Mapping[str, str] | None:
        """See ``Signer.read``."""
        number = text.removeprefix("signed-")
        if not number.isdigit() or not 1 <= int(number) <= len(self._signed):
            return None
        known, claims, expires_at = self._signed[int(number) - 1]
        return claims if known == purpose and self._clock.now() < expires_at else None


class QuietDispatcher:
    """A dispatcher whose changes a test announces by ``hint_change``."""

    def __init__(self) -> None:
        self._changes: list[JobId] = []

    def hint_work(self) -> None:
        """See ``Dispatcher.hint_work``."""

    def hint_change(self, *jobs: JobId) -> None:
        """See ``Dispatcher.hint_change``."""
        self._changes.extend(jobs)

    def wait_for_work(self, timeout_seconds: float) -> None:
        """See ``Dispatcher.wait_for_work``; does not wait."""

    def wait_for_changes(self, timeout_seconds: float) -> list[JobId]:
        """See ``Dispatcher.wait_for_changes``; does not wait."""
        del timeout_seconds
        changes, self._changes = self._changes, []
        return changes

    def wake(self) -> None:
        """See ``Dispatcher.wake``."""

    def close(self) -> None:
        """See ``Dispatcher.close``."""


class MemoryCore:
    """Commands and insights in one, over dictionaries; what a test asks is kept in fields."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        self._blobs = blobs
        self.jobs_by_id: dict[str, Job] = {}
        self.submissions: list[Submission] = []
        self.keys: dict[str, tuple[str, JobId | None]] = {}
        self.downloads: dict[ReportFormat | str, bytes | Iterator[bytes]] = {}
        self.page = RejectionPage(columns=(), rejections=[], total=0, next=None)
        self.files: list[Artifact] = []
        self.tries: list[Attempt] = []
        self.asked: dict[str, object] = {}
        self.failure: Exception | None = None

    def claim_key(self, principal: Principal, key: str) -> Idempotency:
        """See ``Commands.claim_key``."""
        known = self.keys.setdefault(f"{principal.project}/{key}", ("", None))
        if known[1] is None and known[0] == "claimed":
            raise KeyInFlight("the first request with this key is unanswered")
        if known[1] is None:
            self.keys[f"{principal.project}/{key}"] = ("claimed", None)
            return Idempotency(key=key, fingerprint="", known="", job=None)
        return Idempotency(key=key, fingerprint="", known=known[0], job=known[1])

    def release_key(self, principal: Principal, key: str) -> None:
        """See ``Commands.release_key``."""
        if self.keys.get(f"{principal.project}/{key}", ("", None))[1] is None:
            self.keys.pop(f"{principal.project}/{key}", None)

    def submit_import(
        self, principal: Principal, submission: Submission, idempotency: Idempotency | None = None
    ) -> Job:
        """See ``Commands.submit_import``."""
        if self.failure is not None:
            raise self.failure
        if idempotency is not None and idempotency.job is not None:
            if idempotency.known != idempotency.fingerprint:
                raise KeyReused("this key was used with another request")
            self.discard_upload(submission.file)
            return self.jobs_by_id[idempotency.job]
        if submission.entity != "airports":
            raise NotFound(f"there is no entity {submission.entity!r}", code="ENTITY_NOT_FOUND")
        self.submissions.append(submission)
        job = example_job(
            id=JobId(f"job-{len(self.submissions)}"),
            project=principal.project,
            input=submission.file,
            options=submission.options,
            client_ref=submission.client_ref,
        )
        self.jobs_by_id[job.id] = job
        if idempotency is not None:
            self.keys[f"{principal.project}/{idempotency.key}"] = (idempotency.fingerprint, job.id)
        return job

    def cancel_job(self, principal: Principal, job_id: str) -> Job:
        """See ``Commands.cancel_job``."""
        job = self.job(principal, job_id)
        if job.is_final:
            raise StateConflict("the job is over", code="JOB_IS_FINAL")
        self.jobs_by_id[job_id] = replace(job, state=JobState.CANCELED)
        return self.jobs_by_id[job_id]

    def discard_upload(self, file: InputFile) -> None:
        """See ``Commands.discard_upload``."""
        self._blobs.delete(BlobName(file.blob))

    def job(self, principal: Principal, job_id: str) -> Job:
        """See ``Insights.job``."""
        job = self.jobs_by_id.get(job_id)
        if job is None or job.project != principal.project:
            raise NotFound("there is no such job", code="JOB_NOT_FOUND")
        return job

    def jobs(self, principal: Principal, wanted: JobFilter, cursor: str, limit: int) -> JobPage:
        """See ``Insights.jobs``."""
        self.asked = {"wanted": wanted, "cursor": cursor, "limit": limit}
        mine = [job for job in self.jobs_by_id.values() if job.project == principal.project]
        return JobPage(jobs=mine, next=None)

    def attempts(self, job: Job) -> Sequence[Attempt]:
        """See ``Insights.attempts``."""
        del job
        return self.tries

    def artifacts(self, job: Job) -> Sequence[Artifact]:
        """See ``Insights.artifacts``."""
        del job
        return self.files

    def rejections(self, job: Job, cursor: str, limit: int) -> RejectionPage:
        """See ``Insights.rejections``."""
        if not job.is_final:
            raise StateConflict("the job is not over yet", code="JOB_NOT_FINAL")
        self.asked = {"cursor": cursor, "limit": limit}
        return self.page

    def rejections_file(self, job: Job, wanted: ReportFormat) -> Download:
        """See ``Insights.rejections_file``."""
        return self._download(f"{job.id}-rejections.{wanted}", wanted)

    def accepted_file(self, job: Job, wanted: ReportFormat) -> Download:
        """See ``Insights.accepted_file``."""
        return self._download(f"{job.id}-accepted.{wanted}", wanted)

    def input_file(self, job: Job) -> Download:
        """See ``Insights.input_file``."""
        return self._download(job.input.name if job.input else "input", "input")

    def entities(self) -> Sequence[EntitySummary]:
        """See ``Insights.entities``."""
        return [self.entity("airports")]

    def entity(self, name: str) -> EntitySummary:
        """See ``Insights.entity``."""
        if name != "airports":
            raise NotFound(f"there is no entity {name!r}", code="ENTITY_NOT_FOUND")
        descriptor = {"fields": [{"name": "icao", "type": "string"}]}
        return EntitySummary(name=name, title="Airports", description="", descriptor=descriptor)

    def template_csv(self, name: str) -> bytes:
        """See ``Insights.template_csv``."""
        self.entity(name)
        return b"icao\r\n"

    def template_xlsx(self, name: str) -> bytes:
        """See ``Insights.template_xlsx``."""
        self.entity(name)
        return b"PK"

    def records(self, principal: Principal, entity: str, cursor: str, limit: int) -> RecordPage:
        """See ``Insights.records``."""
        del principal
        self.entity(entity)
        self.asked = {"cursor": cursor, "limit": limit}
        return RecordPage(records=[{"icao": "LOWW", "opened": START}], next="more")

    def _download(self, name: str, wanted: ReportFormat | str) -> Download:
        content = self.downloads[wanted]
        if isinstance(content, bytes):
            return Download(
                name=name, media_type="text/csv", size_bytes=len(content), chunks=iter([content])
            )
        return Download(name=name, media_type="text/csv", size_bytes=None, chunks=content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer as a client would see it; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - JSON of any shape
        """The body, decoded."""
        return msgspec.json.decode(self.body)


@dataclass(slots=True, kw_only=True)
class EdgeBench:
    """An edge with everything around it in the hands of a test.

    ``TOKEN`` is a credential of project ``one`` with all scopes, ``OTHER_TOKEN`` of ``two``.
    """

    app: Edge
    core: MemoryCore
    blobs: MemoryBlobs
    credentials: MemoryCredentials
    clock: StillClock
    dispatcher: QuietDispatcher
    tokens: AccessTokens
    notes: list[str] = field(default_factory=list)

    def call(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Iterable[bytes] | bytes = (),
        token: str | None = TOKEN,
        is_cut: bool = False,
    ) -> Answer:
        """Send one request; ``is_cut``: the client goes away after ``body``."""
        pieces = [body] if isinstance(body, bytes) else list(body)
        given = {"host": "waybill.example", **(headers or {})}
        if token is not None:
            given.setdefault("authorization", f"Bearer {token}")
        if pieces and "content-length" not in given:
            given.setdefault("transfer-encoding", "chunked")
        scope = make_scope(method, target, given)
        return asyncio.run(exchange(self.app, scope, pieces, is_cut=is_cut))


def make_bench(dialects: Mapping[str, Dialect], **changes: Any) -> EdgeBench:  # noqa: ANN401 - any field of EdgeParts
    """An edge over a core in memory; ``changes`` are fields of ``EdgeParts``."""
    blobs, credentials, clock, ids = MemoryBlobs(), MemoryCredentials(), StillClock(), CountingIds()
    core, dispatcher, signer = MemoryCore(blobs), QuietDispatcher(), MemorySigner(clock)
    tokens = AccessTokens(
        credentials=credentials, signer=signer, clock=clock, lifetime_seconds=3600
    )
    credentials.admit(TOKEN)
    credentials.admit(OTHER_TOKEN, project="two")
    parts = EdgeParts(
        dialects=dialects,
        core=Core(
            commands=cast("Commands", core),
            insights=cast("Insights", core),
            links=Links(signer=signer, clock=clock, ids=ids, lifetime_seconds=3600),
            tokens=tokens,
            **dict.fromkeys(("transforms", "uploads"), cast("Any", core)),
            ids=ids,
        ),
        credentials=credentials,
        blobs=blobs,
        ids=ids,
        clock=clock,
        dispatcher=dispatcher,
        registry=CollectorRegistry(),
    )
    return EdgeBench(
        app=build_app(replace(parts, **changes)),
        core=core,
        blobs=blobs,
        credentials=credentials,
        clock=clock,
        dispatcher=dispatcher,
        tokens=tokens,
    )


def make_scope(method: str, target: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """The ASGI scope of a request, as granian makes it."""
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "headers": [(n.lower().encode(), v.encode("latin-1")) for n, v in headers.items()],
        "client": ("192.0.2.7", 40000),
        "server": ("127.0.0.1", 8080),
    }


async def exchange(
    app: Edge, scope: dict[str, Any], pieces: Sequence[bytes], *, is_cut: bool = False
) -> Answer:
    """One request through an application; afterwards the client stays connected."""
    incoming: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ]
    if is_cut:
        incoming.append({"type": "http.disconnect"})
    else:
        incoming.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[Mapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:  # noqa: ANN401 - an ASGI message
        sent.append(message)

    await app(scope, receive, send)
    return _answer(sent)


def _answer(sent: Sequence[Mapping[str, Any]]) -> Answer:
    if not sent:
        return Answer(status=0, headers={}, body=b"")
    headers = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(status=sent[0]["status"], headers=headers, body=body)
