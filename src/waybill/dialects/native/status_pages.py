"""The answer to a status poll, kept while its job stands still."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from waybill.dialect import Response
from waybill.dialects.native.rendering import JSON, attempts_of, encode, retry_seconds, shape_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.dialect import Request
    from waybill.engine.insights import Insights
    from waybill.model.artifact import Artifact
    from waybill.model.job import Attempt, Job

MOST_PAGES: Final = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPage:
    """A job's JSON and its entity tag, with the very values that it was made from."""

    job: Job
    attempts: Sequence[Attempt]
    artifacts: Sequence[Artifact]
    body: bytes
    tag: str


_pages: Final[dict[tuple[str, str], StatusPage]] = {}


def status_page(job: Job, insights: Insights, base_url: str) -> StatusPage:
    """The job as it is.

    A page made before serves again where it was made from these same values. Values never change,
    and stores may give the same ones while nothing was committed; where they do not, each page is
    made anew.
    """
    attempts = attempts_of(job, insights)
    artifacts = insights.artifacts(job)
    kept = _pages.get((job.id, base_url))
    if (
        kept is not None
        and kept.job is job
        and kept.attempts is attempts
        and kept.artifacts is artifacts
    ):
        return kept
    body = encode(shape_of(job, attempts, artifacts, base_url))
    tag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
    page = StatusPage(job=job, attempts=attempts, artifacts=artifacts, body=body, tag=tag)
    if len(_pages) >= MOST_PAGES:
        _pages.clear()
    _pages[job.id, base_url] = page
    return page


def status_response(page: StatusPage, request: Request) -> Response:
    """The answer to a poll: 304 where the client has this very state."""
    headers = {"etag": page.tag, "cache-control": "private, no-cache"}
    if not page.job.is_final:
        headers["retry-after"] = str(retry_seconds(page.job))
    known = request.headers.get("if-none-match")
    if known is not None and _matches(known, page.tag):
        return Response(status=304, headers=headers)
    headers["content-type"] = JSON
    return Response(status=200, headers=headers, body=page.body)


def _matches(known: str, tag: str) -> bool:
    tags = [item.strip().removeprefix("W/") for item in known.split(",")]
    return tag in tags or "*" in tags
