"""``POST .../import/{type}``: a feed becomes an import, answered at its end where that is soon."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from waybill.dialect import Response, Wait, caller
from waybill.dialects.voyado.errors import JSON, encode
from waybill.dialects.voyado.kinds import find_type
from waybill.dialects.voyado.parameters import LONGEST_WAIT_SECONDS, read_query
from waybill.dialects.voyado.statuses import NAME, failure_of, status_of
from waybill.engine.commands import Submission
from waybill.errors import RequestInvalid, ServerBusy, StateConflict
from waybill.model.durations import parse_duration
from waybill.model.job import JobState, Outcome
from waybill.model.options import Atomicity, FileFormat, ImportOptions, OnDuplicate
from waybill.model.settings import VoyadoSettings
from waybill.ports.job_store import JobFilter

if TYPE_CHECKING:
    from waybill.dialect import Core, Request
    from waybill.dialects.voyado.kinds import ImportType
    from waybill.model.job import InputFile, Job

UNFINISHED: Final = frozenset({JobState.BLOCKED, JobState.WAITING, JobState.RUNNING})
RETRY_SECONDS: Final = 30
_LEAST_ID: Final = 10**18
_ID_BYTES: Final = 8
_TRIES: Final = 3
_GZIP: Final = b"\x1f\x8b"
_BEGINNING_BYTES: Final = 4_096


def precheck(core: Core, request: Request) -> None:
    """Refuse before the file is read what can be known by then."""
    find_type(request.path_params["type"])
    read_query(request.query)
    _refuse_full(core, request)


def _refuse_full(core: Core, request: Request) -> None:
    settings = settings_of(core)
    queued = JobFilter(states=UNFINISHED, dialect=NAME)
    page = core.insights.jobs(caller(request), queued, "", settings.queued_imports)
    if len(page.jobs) >= settings.queued_imports:
        raise ServerBusy(
            f"{settings.queued_imports} imports are queued; try again with increasing time.",
            retry_after_seconds=RETRY_SECONDS,
        )


def precheck_alone(core: Core, request: Request) -> None:
    """The same for clients that know no waiting list: one import of a type at a time."""
    precheck(core, request)
    kind = find_type(request.path_params["type"])
    wanted = JobFilter(states=UNFINISHED, entity=kind.entity)
    if core.insights.jobs(caller(request), wanted, "", 1).jobs:
        raise StateConflict("another import is not over yet", code="IMPORT_IN_PROGRESS")


def submit(core: Core, request: Request) -> Response | Wait:
    """Accept a feed; the answer is held back until its end, or until the wait is over."""
    query, settings = read_query(request.query), settings_of(core)
    kind, file = find_type(request.path_params["type"]), request.body.files[0].file
    _check_beginning(core, file)
    _refuse_full(core, request)  # others may have come while the file did
    options = ImportOptions(
        format=FileFormat.XML,
        atomicity=Atomicity.FILE,
        on_duplicate=OnDuplicate.LAST,
        max_delete_ratio=None if query.is_forced else settings.harmful_ratio,
        delete_guard_from=settings.harmful_from,
    )
    job = _submit(core, request, kind, options, query.name)
    wait = query.wait_seconds
    if wait is None:
        wait = parse_duration(settings.blocking_timeout_default) or 0.0

    def render(latest: Job) -> Response:
        return _answer(core, latest)

    return Wait(job=job, seconds=min(wait, LONGEST_WAIT_SECONDS), render=render)


def settings_of(core: Core) -> VoyadoSettings:
    """What the server is told about this dialect."""
    found = core.own_settings.get(NAME)
    return found if isinstance(found, VoyadoSettings) else VoyadoSettings()


def _submit(
    core: Core, request: Request, kind: ImportType, options: ImportOptions, name: str | None
) -> Job:
    for attempt in range(_TRIES):
        submission = Submission(
            entity=kind.entity,
            options=options,
            file=request.body.files[0].file,
            client_ref=name,
            dialect=NAME,
            external_id=_make_id(core),
        )
        try:
            return core.commands.submit_import(caller(request), submission)
        except StateConflict:  # the id is taken
            if attempt == _TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _make_id(core: Core) -> str:
    """A random number of 19 digits that fits 63 bits."""
    number = int.from_bytes(core.ids.random_bytes(_ID_BYTES))
    return str(_LEAST_ID + number % (2**63 - _LEAST_ID))


def _answer(core: Core, job: Job) -> Response:
    where = {"location": f"/api/v2/import/status/{job.external_id}"}
    if not job.is_final:
        return Response(status=202, headers={**JSON, **where}, body=encode(status_of(core, job)))
    if job.outcome is Outcome.COMPLETE:
        return Response(status=204, headers=where)
    is_aborted = job.state is JobState.CANCELED
    message = "Import aborted." if is_aborted else failure_of(core, job)
    return Response(status=400, headers={**JSON, **where}, body=encode({"message": message}))


def _check_beginning(core: Core, file: InputFile) -> None:
    """Refuse what is no XML at its first bytes."""
    head = core.insights.beginning(file, _BEGINNING_BYTES)
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, _BEGINNING_BYTES)
        except zlib.error as error:
            raise RequestInvalid("The body is not gzip, as it says.") from error
    if not head:
        raise RequestInvalid("The body is empty.")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if not text.startswith(b"<") and (text or len(head) < _BEGINNING_BYTES):
        raise RequestInvalid("The body is not XML.")
