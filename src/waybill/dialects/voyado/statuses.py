"""``GET .../import/status/{id}``: what has become of an import, in Voyado's words."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.dialect import Response, caller
from waybill.dialects.voyado.errors import JSON, encode
from waybill.dialects.voyado.kinds import BY_ENTITY
from waybill.errors import Gone, NotFound
from waybill.model.feed import KEY, KIND
from waybill.model.job import JobState, Outcome
from waybill.validation.codes import without_hint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from waybill.dialect import Core, Request
    from waybill.model.finding import Rejection
    from waybill.model.job import Job
    from waybill.model.plan import KindShare, Plan

NAME: Final = "voyado"
FAILED: Final = "Import failed."
NOT_FOUND: Final = "NOT_FOUND"
MESSAGE_CHARACTERS: Final = 2_000
ERRORS_SHOWN: Final = 10
_WORDS: Final[Mapping[JobState, str]] = {
    JobState.BLOCKED: "BLOCKED",
    JobState.WAITING: "WAITING",
    JobState.RUNNING: "IN_PROGRESS",
    JobState.SUCCEEDED: "SUCCESS",
    JobState.FAILED: "FAILURE",
    JobState.CANCELED: "ABORTED",
}
_DANGEROUS: Final = "MAX_DELETE_RATIO_EXCEEDED"


class Status(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The import information."""

    id: str
    status: str
    type: str = ""
    message: str = ""


class AdminStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The same as the administration's pages have it."""

    id: str
    reason: str | None
    status: str


def status(core: Core, request: Request) -> Response:
    """An import by its id; one that is unknown is ``NOT_FOUND``, and no error."""
    told = find_status(core, request, request.path_params["id"])
    return Response(status=200, headers=JSON, body=encode(told))


def admin_status(core: Core, request: Request) -> Response:
    """The same in the form of the administration, by a query parameter."""
    told = find_status(core, request, dict(request.query).get("id", ""))
    shape = AdminStatus(id=told.id, reason=told.message or None, status=told.status)
    return Response(status=200, headers=JSON, body=encode(shape))


def find_status(core: Core, request: Request, asked: str) -> Status:
    """What is known of an import of the caller's cluster."""
    try:
        job = core.insights.job(caller(request), asked)
    except NotFound:
        return Status(id=asked, status=NOT_FOUND)
    if job.dialect != NAME or job.external_id != asked:
        return Status(id=asked, status=NOT_FOUND)
    return status_of(core, job)


def status_of(core: Core, job: Job) -> Status:
    """The import information of a job."""
    word = _WORDS[job.state]
    if job.outcome in {Outcome.PARTIAL, Outcome.NONE}:
        word = _WORDS[JobState.FAILED]
    return Status(
        id=job.external_id,
        status=word,
        type=BY_ENTITY[job.entity].word,
        message=failure_of(core, job) if word == _WORDS[JobState.FAILED] else "",
    )


def failure_of(core: Core, job: Job) -> str:
    """Why an import failed: the harm it would do, or its first errors, each with its place."""
    if job.error is not None and job.error.code == _DANGEROUS:
        reason = _danger(job, core.insights.plan(job))
    elif job.error is not None:
        told = without_hint(job.error.code, job.error.message)
        reason = told if job.error.line is None else f"line {job.error.line}: {told}"
    else:
        reason = "; ".join(_first_errors(core, job))
    message = f"{FAILED} {reason}".strip()
    is_long = len(message) > MESSAGE_CHARACTERS
    return f"{message[: MESSAGE_CHARACTERS - 1]}…" if is_long else message


def _danger(job: Job, plan: Plan) -> str:
    share = max(plan.shares, key=_harm)
    name = BY_ENTITY[job.entity].plurals.get(share.kind, f"records {share.kind}")
    return (
        "The import was rejected for being dangerous: it would remove "
        f"{share.gone} of {share.stored} {name}. Use force=true to override."
    )


def _harm(share: KindShare) -> tuple[float, int]:
    return share.gone / share.stored, share.gone


def _first_errors(core: Core, job: Job) -> Iterator[str]:
    """The first errors in words, and how many more there are."""
    try:
        stream = core.insights.rejection_stream(job)
    except Gone:
        return
    for rejection in islice(stream.rejections, ERRORS_SHOWN):
        yield _in_words(rejection, stream.places)
    if job.counts.rejected > ERRORS_SHOWN:
        yield f"and {job.counts.rejected - ERRORS_SHOWN} more"


def _in_words(rejection: Rejection, places: Mapping[str, int]) -> str:
    cells = {name: rejection.cells[places[name]] for name in (KIND, KEY) if name in places}
    kind, key = cells.get(KIND) or "record", cells.get(KEY)
    told = ", ".join(finding.message for finding in rejection.findings)
    return f"{kind}{f' {key!r}' if key else ''} in line {rejection.line}: {told}"
