"""``GET .../download``: a link to the report of an import, and the report behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from waybill.dialect import Response, attachment, caller
from waybill.dialects.tao.errors import JSON
from waybill.dialects.tao.messages import message_of_file, reason_of
from waybill.dialects.tao.statuses import find
from waybill.errors import NotFound, StateConflict
from waybill.model.entity import FieldType
from waybill.model.job import FINAL_STATES
from waybill.ports.job_store import JobFilter
from waybill.reports.csv_rows import write_csv_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from waybill.dialect import Core, Request
    from waybill.engine.outcomes import OutcomeStream, RecordOutcome
    from waybill.model.job import Job

REPORT: Final = "report"
COLUMNS: Final = ("_line", "_status", "_message")
_NUMBERS: Final = {"1": "TRUE", "0": "FALSE"}
"""Cells of truth values that the vendor's templates do not have, and what they were read as."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Where the report is."""

    url: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: a link that needs no token."""

    result: Link


def result(core: Core, request: Request) -> Response:
    """A link to the report of an upload."""
    return _linked(core, request, find(core, request))


def newest_result(core: Core, request: Request) -> Response:
    """The same for the newest finished upload of this client."""
    principal = caller(request)
    wanted = JobFilter(states=FINAL_STATES, dialect="tao", credential=principal.credential)
    found = core.insights.jobs(principal, wanted, "", 1).jobs
    if not found:
        raise NotFound("no upload is finished", code="JOB_NOT_FOUND")
    return _linked(core, request, found[0])


def report(core: Core, request: Request) -> Response:
    """The report that a link leads to."""
    opened = core.links.open("tao", request.path_params["link"])
    job = core.insights.job(opened.principal, opened.subject)
    outcomes = core.insights.outcome_stream(job)
    rows = _rows(outcomes, job)
    headers = {
        "content-type": "text/csv; charset=utf-8",
        "content-disposition": attachment(f"{job.external_id}.csv"),
    }
    columns = (*outcomes.columns, *COLUMNS)
    return Response(status=200, headers=headers, body=write_csv_rows(columns, rows))


def _linked(core: Core, request: Request, job: Job) -> Response:
    if not job.is_final:
        raise StateConflict("the import is still running", code="JOB_NOT_FINAL")
    link = core.links.make(job, REPORT)
    url = f"{request.base_url}/files/tao/{link}/{job.external_id}.csv"
    body = msgspec.json.encode(Result(result=Link(url=url)))
    return Response(status=200, headers=JSON, body=body)


def _rows(outcomes: OutcomeStream, job: Job) -> Iterator[Sequence[str | int | None]]:
    """Every line of the file with what became of it; what failed the file stands last."""
    truths = [
        (name, place)
        for name, place in outcomes.places.items()
        if outcomes.fields[name].type is FieldType.BOOLEAN
    ]
    for each in outcomes.records:
        yield (*each.cells, each.line, each.outcome, _message(outcomes, each, truths))
    if job.error is not None:
        yield (*([None] * len(outcomes.columns)), job.error.line, "failed", message_of_file(job))


def _message(
    outcomes: OutcomeStream, record: RecordOutcome, truths: Sequence[tuple[str, int]]
) -> str | None:
    """Why a line was rejected, or what was odd about it."""
    told = [
        f"{finding.field}: {reason_of(finding, outcomes.fields.get(finding.field))}"
        if finding.field
        else reason_of(finding, None)
        for finding in record.findings
    ]
    cells = [(name, (record.cells[place] or "").strip()) for name, place in truths]
    odd = [
        f"{name}: {cell} is read as {_NUMBERS[cell]}" for name, cell in cells if cell in _NUMBERS
    ]
    return "; ".join(dict.fromkeys([*told, *odd])) or None
