"""``POST /v1/jobs``: multipart parts or a raw body become one submission."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.dialect import Response, StoredFile, Wait, caller
from waybill.dialects.native.options import (
    GivenOptions,
    from_json,
    from_query,
    with_charset,
)
from waybill.dialects.native.preferences import read_prefer
from waybill.dialects.native.rendering import accepted_response
from waybill.dialects.native.status_pages import status_page
from waybill.engine.commands import Submission
from waybill.errors import BodyInvalid, OptionInvalid, RequestInvalid
from waybill.model import strict_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.dialect import Core, Request
    from waybill.model.job import Job

FIELDS: Final = ("entity", "options", "client_ref")
FILE: Final = "file"


def submit(core: Core, request: Request) -> Response | Wait:
    """Accept an import; answer at once, or at its end where the client prefers to wait."""
    principal = caller(request)
    submission = read_submission(request)
    job = core.commands.submit_import(principal, submission, request.idempotency)
    return _answer(core, request, job)


def apply_plan(core: Core, request: Request) -> Response | Wait:
    """Accept the job that applies a dry run's plan; answer as ``submit`` does."""
    planned = request.path_params["id"]
    job = core.commands.apply_plan(caller(request), planned, request.idempotency)
    return _answer(core, request, job)


def _answer(core: Core, request: Request, job: Job) -> Response | Wait:
    preference = read_prefer(request.headers, core.limits.wait_seconds)

    def render(latest: Job) -> Response:
        body = status_page(latest, core.insights, request.base_url).body
        return accepted_response(latest, body, preference.applied)

    if preference.wait_seconds and not job.is_final:
        return Wait(job=job, seconds=preference.wait_seconds, render=render)
    return render(job)


def read_submission(request: Request) -> Submission:
    """What the client wants imported.

    Raises:
        RequestInvalid: a part or parameter is missing, unknown or contradictory.
        OptionInvalid: an option is unknown or out of range.
    """
    raw = [stored for stored in request.body.files if not stored.part]
    return _from_raw(request, raw[0]) if raw else _from_parts(request)


def _from_raw(request: Request, stored: StoredFile) -> Submission:
    given = dict(request.query)
    entity = given.pop("entity", "")
    return _submission(entity, from_query(given), stored)


def _from_parts(request: Request) -> Submission:
    if request.query:
        name = request.query[0][0]
        raise RequestInvalid(
            f"With multipart, {name} belongs into a part; query parameters go with a raw body.",
            code="UNKNOWN_PARAMETER",
            parameter=name,
        )
    fields, files = request.body.fields, request.body.files
    for part in (*fields, *(stored.part for stored in files)):
        if part not in (*FIELDS, FILE):
            raise RequestInvalid(
                f"The part {part[:80]!r} is unknown; known are {', '.join((*FIELDS, FILE))}.",
                code="PART_UNKNOWN",
                parameter=part[:80],
            )
    given = _given(fields)
    return _submission(fields.get("entity", ""), given, _file(request))


def _file(request: Request) -> StoredFile:
    for stored in request.body.files:
        if stored.part != FILE:
            raise BodyInvalid(f"The part {stored.part!r} must be text, not a file.")
        return stored
    hint = "; it has no filename" if FILE in request.body.fields else ""
    raise RequestInvalid(f"The part file is missing{hint}.", code="PART_MISSING", parameter=FILE)


def _given(fields: Mapping[str, str]) -> GivenOptions:
    values = _options_object(fields.get("options", ""))
    client_ref = fields.get("client_ref")
    if client_ref is not None:
        if values.get("client_ref", client_ref) != client_ref:
            raise OptionInvalid("client_ref is given twice, and differs.", parameter="client_ref")
        values["client_ref"] = client_ref
    return from_json(values)


def _options_object(text: str) -> dict[str, object]:
    if not text.strip():
        return {}
    try:
        values = strict_json.decode(text)
    except (ValueError, RecursionError) as error:
        raise OptionInvalid(
            f"The part options is not JSON: {error}.", parameter="options"
        ) from error
    if not isinstance(values, dict):
        raise OptionInvalid("The part options must be one JSON object.", parameter="options")
    return values


def _submission(entity: str, given: GivenOptions, stored: StoredFile) -> Submission:
    if not entity:
        raise RequestInvalid("entity is missing.", code="PART_MISSING", parameter="entity")
    return Submission(
        entity=entity,
        options=with_charset(given.options, stored.charset),
        file=stored.file,
        client_ref=given.client_ref,
    )
