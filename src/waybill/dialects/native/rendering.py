"""Jobs and files as native answers."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.dialect import Response, attachment
from waybill.dialects.native.shapes import ArtifactShape, AttemptShape, JobLinks, JobShape
from waybill.model.artifact import ArtifactKind
from waybill.model.job import JobState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.engine.insights import Download, Insights
    from waybill.model.artifact import Artifact
    from waybill.model.job import Attempt, Job

JSON: Final = "application/json"
PATH_OF_KIND: Final = {
    ArtifactKind.INPUT: "/input",
    ArtifactKind.REJECTIONS_CSV: "/rejections.csv",
    ArtifactKind.REJECTIONS_JSON: "/rejections.json",
    ArtifactKind.REJECTIONS_XLSX: "/rejections.xlsx",
    ArtifactKind.REJECTIONS_NDJSON: "/rejections.ndjson",
    ArtifactKind.REJECTIONS_PARQUET: "/rejections.parquet",
    ArtifactKind.PLAN: "/plan",
    ArtifactKind.RESULT: "/result",
}
"""The artifacts that clients see; the others are how the engine works."""
LONGEST_RETRY_SECONDS: Final = 60
_encoder = msgspec.json.Encoder()


def json_response(
    value: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A value as JSON."""
    return Response(
        status=status,
        headers={"content-type": JSON, **(headers or {})},
        body=encode(value),
    )


def job_path(job: Job) -> str:
    """The job's address on this host."""
    return f"/v1/jobs/{job.id}"


def encode(value: object) -> bytes:
    """A value as the bytes of its JSON."""
    return _encoder.encode(value)


def job_shape(job: Job, insights: Insights, base_url: str) -> JobShape:
    """The job as it goes over the wire; reads its attempts and artifacts."""
    return shape_of(job, attempts_of(job, insights), insights.artifacts(job), base_url)


def attempts_of(job: Job, insights: Insights) -> Sequence[Attempt]:
    """Every attempt at a job; one that never began has none, and none are read."""
    return insights.attempts(job) if job.started_at is not None else ()


def shape_of(
    job: Job, attempts: Sequence[Attempt], artifacts: Sequence[Artifact], base_url: str
) -> JobShape:
    """The job with these attempts and artifacts as it goes over the wire."""
    address = base_url + job_path(job)
    return JobShape(
        id=job.id,
        kind=job.kind,
        parent=job.parent,
        project=job.project,
        entity=job.entity,
        chosen_entity=job.chosen_entity,
        state=job.state,
        outcome=job.outcome,
        phase=job.phase,
        progress=job.progress,
        counts=job.counts,
        rate=job.rate,
        eta_seconds=job.eta_seconds,
        client_ref=job.client_ref,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        cancel_requested=job.cancel_requested,
        attempts=[_attempt(attempt) for attempt in attempts],
        error=job.error,
        warnings=job.warnings,
        format=job.format_facts,
        options=job.options,
        artifacts=_artifacts(artifacts, address),
        links=_links(job, address),
    )


def accepted_response(job: Job, body: bytes, applied: str) -> Response:
    """The answer to a submission: 202, or 200 where the client waited for the end and got it.

    A replay by Idempotency-Key is answered as its first request was.
    """
    headers = {"content-type": JSON, "location": job_path(job)}
    if applied:
        headers["preference-applied"] = applied
    if not job.is_final:
        headers["retry-after"] = str(retry_seconds(job))
    is_end = job.is_final and applied.startswith("wait")
    return Response(status=200 if is_end else 202, headers=headers, body=body)


def retry_seconds(job: Job) -> int:
    """When to ask again: at the expected end, at most a minute away, at least a second."""
    if job.eta_seconds is None or job.state is not JobState.RUNNING:
        return 1
    return min(max(1, ceil(job.eta_seconds)), LONGEST_RETRY_SECONDS)


def download_response(download: Download) -> Response:
    """A file as an attachment (RFC 6266); its stream is closed by the edge."""
    headers = {
        "content-type": download.media_type or "application/octet-stream",
        "content-disposition": attachment(download.name),
        "accept-ranges": "none",
    }
    if download.size_bytes is not None:
        headers["content-length"] = str(download.size_bytes)
    return Response(status=200, headers=headers, body=download.chunks)


def _attempt(attempt: Attempt) -> AttemptShape:
    return AttemptShape(
        epoch=attempt.epoch,
        worker=attempt.worker,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        end=attempt.end,
        detail=attempt.detail,
    )


def _artifacts(artifacts: Sequence[Artifact], address: str) -> list[ArtifactShape]:
    return [
        ArtifactShape(
            kind=artifact.kind,
            size_bytes=artifact.size_bytes,
            sha256=artifact.sha256,
            created_at=artifact.created_at,
            purged_at=artifact.purged_at,
            link=None if artifact.purged_at else address + PATH_OF_KIND[artifact.kind],
        )
        for artifact in artifacts
        if artifact.kind in PATH_OF_KIND
    ]


def _links(job: Job, address: str) -> JobLinks:
    return JobLinks(
        self=address,
        rejections=f"{address}/rejections",
        rejections_json=f"{address}/rejections.json",
        rejections_csv=f"{address}/rejections.csv",
        rejections_xlsx=f"{address}/rejections.xlsx",
        rejections_ndjson=f"{address}/rejections.ndjson",
        rejections_parquet=f"{address}/rejections.parquet",
        plan=f"{address}/plan",
        accepted=f"{address}/accepted",
        input=f"{address}/input",
        result=f"{address}/result",
        cancel=None if job.is_final else address,
    )
