"""A kept answer never outlives what it was made from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from waybill.dialects.native.status_pages import MOST_PAGES, _pages, status_page
from waybill.model.artifact import Artifact, ArtifactKind
from waybill.model.ids import BlobName, HolderId, JobId, ProjectName
from waybill.model.job import Attempt, AttemptEnd, Job, JobState
from waybill.testing.edge import START, example_job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.engine.insights import Insights

BASE = "http://waybill.example"
JOB = example_job(state=JobState.RUNNING, started_at=START)
ATTEMPT = Attempt(epoch=1, worker=HolderId("w"), started_at=START)
FILE = Artifact(
    job=JOB.id,
    project=ProjectName("p"),
    kind=ArtifactKind.INPUT,
    blob=BlobName("b"),
    size_bytes=1,
    sha256="0" * 64,
    created_at=START,
)


@dataclass(slots=True)
class Reads:
    """The two reads that a page needs, giving the same values until they are changed."""

    kept_attempts: Sequence[Attempt] = (ATTEMPT,)
    kept_artifacts: Sequence[Artifact] = (FILE,)

    def attempts(self, _job: Job) -> Sequence[Attempt]:
        return self.kept_attempts

    def artifacts(self, _job: Job) -> Sequence[Artifact]:
        return self.kept_artifacts


def _page_of(job: Job, reads: Reads, base_url: str = BASE) -> bytes:
    return status_page(job, cast("Insights", reads), base_url).body


def test_the_same_values_are_rendered_once() -> None:
    reads = Reads()
    assert _page_of(JOB, reads) is _page_of(JOB, reads)


def test_a_job_read_anew_is_rendered_anew() -> None:
    reads = Reads()
    before = _page_of(JOB, reads)
    assert b'"progress":0.75' in _page_of(replace(JOB, progress=0.75), reads)
    assert _page_of(JOB, reads) == before


def test_a_file_that_is_purged_shows_although_the_job_is_the_same() -> None:
    reads = Reads()
    before = _page_of(JOB, reads)
    reads.kept_artifacts = (replace(FILE, purged_at=START),)
    assert _page_of(JOB, reads) != before


def test_an_attempt_that_ends_shows_although_the_job_is_the_same() -> None:
    reads = Reads()
    before = _page_of(JOB, reads)
    reads.kept_attempts = (replace(ATTEMPT, ended_at=START, end=AttemptEnd.CRASHED),)
    assert _page_of(JOB, reads) != before


def test_links_are_those_of_the_host_that_was_asked() -> None:
    reads = Reads()
    assert BASE.encode() in _page_of(JOB, reads)
    assert b"https://other.example/v1/jobs/" in _page_of(JOB, reads, "https://other.example")


def test_pages_are_kept_up_to_a_number() -> None:
    reads = Reads()
    for number in range(MOST_PAGES + 5):
        _page_of(replace(JOB, id=JobId(f"job-{number}")), reads)
    assert len(_pages) <= MOST_PAGES
