"""The native routes over a core in memory."""

from __future__ import annotations

from datetime import timedelta

import pytest

from waybill.dialects import native
from waybill.dialects.native.jobs import XLSX
from waybill.dialects.native.rendering import attachment
from waybill.engine.insights import RejectionPage, ReportFormat
from waybill.model.artifact import Artifact, ArtifactKind
from waybill.model.finding import Finding, Level, Rejection
from waybill.model.ids import BlobName, JobId, ProjectName
from waybill.model.job import Counts, JobError, JobKind, JobState, Outcome, Phase
from waybill.testing.edge import START, EdgeBench, example_job, make_bench


@pytest.fixture
def bench() -> EdgeBench:
    bench = make_bench({"waybill": native}, rate_per_second=0)
    bench.core.jobs_by_id["job-1"] = example_job(
        state=JobState.RUNNING,
        phase=Phase.CHECKING,
        progress=0.25,
        started_at=START + timedelta(microseconds=1),
        eta_seconds=12.2,
        rate=1000.0,
    )
    bench.core.jobs_by_id["job-2"] = example_job(
        id=JobId("job-2"),
        state=JobState.SUCCEEDED,
        outcome=Outcome.PARTIAL,
        progress=1.0,
        counts=Counts(read=2, created=1, rejected=1),
        error=JobError(code="X", message="m"),
    )
    return bench


def test_a_job_has_every_name_of_the_contract(bench: EdgeBench) -> None:
    job = bench.call("GET", "/v1/jobs/job-2").json()
    assert {
        *("id", "kind", "project", "entity", "state", "outcome", "phase", "progress", "counts"),
        *("client_ref", "created_at", "started_at", "finished_at", "attempts", "error", "links"),
        *("rate", "eta_seconds", "artifacts", "format", "warnings", "options"),
    } <= job.keys()
    assert set(job["counts"]) == {
        *("read", "created", "updated", "unchanged", "deleted", "removed", "rejected"),
        *("skipped", "unprocessed", "written"),
    }
    assert job["created_at"] == "2026-01-31T12:00:00Z"
    assert job["error"]["code"] == "X"
    assert job["links"]["self"] == "http://waybill.example/v1/jobs/job-2"
    assert job["links"]["cancel"] is None


def test_a_running_job_says_when_to_come_again(bench: EdgeBench) -> None:
    answer = bench.call("GET", "/v1/jobs/job-1")
    assert answer.headers["retry-after"] == "13"
    assert "retry-after" not in bench.call("GET", "/v1/jobs/job-2").headers


def test_an_unchanged_job_is_not_sent_again(bench: EdgeBench) -> None:
    tag = bench.call("GET", "/v1/jobs/job-1").headers["etag"]
    same = bench.call("GET", "/v1/jobs/job-1", headers={"if-none-match": f'"x", W/{tag}'})
    assert (same.status, same.body, same.headers["etag"]) == (304, b"", tag)
    assert same.headers["retry-after"] == "13"
    bench.core.jobs_by_id["job-1"] = example_job(progress=0.5)
    changed = bench.call("GET", "/v1/jobs/job-1", headers={"if-none-match": tag})
    assert changed.status == 200


def test_artifacts_are_linked_until_they_are_purged(bench: EdgeBench) -> None:
    def artifact(kind: ArtifactKind, *, is_purged: bool) -> Artifact:
        return Artifact(
            job=JobId("job-2"),
            project=ProjectName("one"),
            kind=kind,
            blob=BlobName("b"),
            size_bytes=1,
            sha256="0",
            created_at=START,
            purged_at=START if is_purged else None,
        )

    bench.core.files = [
        artifact(ArtifactKind.INPUT, is_purged=True),
        artifact(ArtifactKind.REJECTIONS, is_purged=False),
        artifact(ArtifactKind.REJECTIONS_CSV, is_purged=False),
    ]
    shown = bench.call("GET", "/v1/jobs/job-2").json()["artifacts"]
    assert [(file["kind"], file["link"]) for file in shown] == [
        ("input", None),
        ("rejections_csv", "http://waybill.example/v1/jobs/job-2/rejections.csv"),
    ]


def test_jobs_are_listed_by_filters(bench: EdgeBench) -> None:
    answer = bench.call(
        "GET",
        "/v1/jobs?state=running,waiting&kind=import&entity=airports&client_ref=r&limit=5"
        "&cursor=c&created_after=2026-01-31T13:00:00%2B01:00",
    )
    assert answer.status == 200
    assert (bench.core.asked["cursor"], bench.core.asked["limit"]) == ("c", 5)
    wanted = bench.core.asked["wanted"]
    assert wanted.states == {JobState.RUNNING, JobState.WAITING}
    assert (wanted.kind, wanted.created_after) == (JobKind.IMPORT, START)
    assert {job["id"] for job in answer.json()["jobs"]} == {"job-1", "job-2"}


@pytest.mark.parametrize(
    "query",
    [
        "state=done",
        "limit=0",
        "limit=10001",
        "limit=x",
        "created_after=yesterday",
        "kind=x",
        "created_before=2026-01-31T12:00:00",
    ],
)
def test_filters_that_mean_nothing_are_refused_by_name(bench: EdgeBench, query: str) -> None:
    answer = bench.call("GET", f"/v1/jobs?{query}")
    assert answer.status == 400
    assert answer.json()["errors"][0]["parameter"] == query.partition("=")[0]


def test_canceling_says_whether_it_is_done(bench: EdgeBench) -> None:
    assert bench.call("DELETE", "/v1/jobs/job-1").json()["state"] == "canceled"
    again = bench.call("DELETE", "/v1/jobs/job-1")
    assert (again.status, again.json()["code"]) == (409, "JOB_IS_FINAL")


def test_rejections_come_in_pages_of_json(bench: EdgeBench) -> None:
    finding = Finding(code="REQUIRED", level=Level.ERROR, message="m", field="name", column=2)
    rejection = Rejection(record=7, line=9, byte=100, cells=("LOWW", None), findings=(finding,))
    bench.core.page = RejectionPage(
        columns=("icao", "name"), rejections=[rejection], total=30, next="n"
    )
    answer = bench.call("GET", "/v1/jobs/job-2/rejections?limit=1&cursor=c")
    page = answer.json()
    assert (page["total"], page["next"]) == (30, "n")
    (shown,) = page["rejections"]
    assert (shown["record"], shown["line"], shown["byte"]) == (7, 9, 100)
    assert shown["data"] == {"icao": "LOWW", "name": None}
    assert shown["findings"][0]["code"] == "REQUIRED"
    assert bench.core.asked == {"cursor": "c", "limit": 1}


def test_rejections_of_an_unfinished_job_are_not_there_yet(bench: EdgeBench) -> None:
    answer = bench.call("GET", "/v1/jobs/job-1/rejections")
    assert (answer.status, answer.json()["code"]) == (409, "JOB_NOT_FINAL")


@pytest.mark.parametrize(
    ("target", "accept", "wanted"),
    [
        ("rejections", "text/csv", ReportFormat.CSV),
        ("rejections", "application/json;q=0.1, text/csv", ReportFormat.CSV),
        (
            "rejections",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            ReportFormat.XLSX,
        ),
        ("rejections.csv", "*/*", ReportFormat.CSV),
        ("rejections.xlsx", "*/*", ReportFormat.XLSX),
        ("rejections.json", "*/*", ReportFormat.JSON),
        ("rejections.ndjson", "*/*", ReportFormat.NDJSON),
        ("rejections.parquet", "*/*", ReportFormat.PARQUET),
        ("rejections", "application/x-ndjson", ReportFormat.NDJSON),
        ("rejections", "application/vnd.apache.parquet", ReportFormat.PARQUET),
        ("accepted", "*/*", ReportFormat.CSV),
        ("accepted", "application/x-ndjson", ReportFormat.NDJSON),
        ("accepted.csv", "*/*", ReportFormat.CSV),
        ("accepted.ndjson", "*/*", ReportFormat.NDJSON),
        ("accepted.json", "*/*", ReportFormat.JSON),
        ("accepted.xlsx", "*/*", ReportFormat.XLSX),
        ("accepted.parquet", "*/*", ReportFormat.PARQUET),
        ("accepted", "application/json", ReportFormat.JSON),
        ("accepted", "application/vnd.apache.parquet", ReportFormat.PARQUET),
    ],
)
def test_reports_come_by_suffix_or_accept(
    bench: EdgeBench, target: str, accept: str, wanted: ReportFormat
) -> None:
    bench.core.downloads[wanted] = b"report"
    answer = bench.call("GET", f"/v1/jobs/job-2/{target}", headers={"accept": accept})
    assert (answer.status, answer.body) == (200, b"report")
    assert answer.headers["content-length"] == "6"


def test_an_accept_header_that_takes_nothing_of_ours_is_refused(bench: EdgeBench) -> None:
    answer = bench.call("GET", "/v1/jobs/job-2/rejections", headers={"accept": "image/png"})
    assert (answer.status, answer.json()["code"]) == (406, "NOT_ACCEPTABLE")


def test_entities_templates_and_records(bench: EdgeBench) -> None:
    entities = bench.call("GET", "/v1/entities").json()["entities"]
    address = "http://waybill.example/v1/entities/airports"
    assert entities[0]["links"] == {
        "self": address,
        "template": f"{address}/template.csv",
        "template_xlsx": f"{address}/template.xlsx",
        "records": f"{address}/records",
    }
    assert bench.call("GET", "/v1/entities/airports").json()["fields"][0]["name"] == "icao"
    template = bench.call("GET", "/v1/entities/airports/template.csv")
    assert (template.body, template.headers["content-type"]) == (
        b"icao\r\n",
        "text/csv; charset=utf-8",
    )
    workbook = bench.call("GET", "/v1/entities/airports/template.xlsx")
    assert (workbook.body, workbook.headers["content-type"]) == (b"PK", XLSX)
    assert workbook.headers["content-disposition"] == 'attachment; filename="airports.xlsx"'
    assert workbook.headers["x-content-type-options"] == "nosniff"
    assert bench.call("GET", "/v1/entities/airprots/template.xlsx").status == 404
    page = bench.call("GET", "/v1/entities/airports/records?limit=2").json()
    assert page == {"records": [{"icao": "LOWW", "opened": "2026-01-31T12:00:00Z"}], "next": "more"}
    assert bench.call("GET", "/v1/entities/airprots").status == 404


def test_limits_are_public_and_complete(bench: EdgeBench) -> None:
    answer = bench.call("GET", "/v1/limits", token=None).json()
    assert answer["limits"]["page_records"] == 10_000
    assert answer["requests_per_second"] == 0


def test_an_unknown_part_or_a_missing_one_is_named(bench: EdgeBench) -> None:
    form = {"content-type": "multipart/form-data; boundary=b"}

    def send(*parts: str) -> tuple[str, str]:
        body = "".join(
            f"--b\r\nContent-Disposition: form-data; {part}\r\n\r\nairports\r\n" for part in parts
        )
        answer = bench.call("POST", "/v1/jobs", headers=form, body=f"{body}--b--".encode())
        return answer.json()["code"], answer.json()["errors"][0]["parameter"]

    file, entity = 'name="file"; filename="a"', 'name="entity"'
    assert send(file) == ("PART_MISSING", "entity")
    assert send(entity) == ("PART_MISSING", "file")
    assert send(entity, 'name="file"') == ("PART_MISSING", "file")
    assert send(entity, file, 'name="x"') == ("PART_UNKNOWN", "x")
    assert send(entity, file, 'name="options"') == ("OPTION_INVALID", "options")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", 'attachment; filename="a.csv"'),
        ('a".csv', "attachment; filename=\"a_.csv\"; filename*=UTF-8''a%22.csv"),
        ("../a\r\nb", 'attachment; filename="_.._ab"'.replace("_.._", ".._")),
        ("é.csv", "attachment; filename=\"_.csv\"; filename*=UTF-8''%C3%A9.csv"),
        ("", "attachment; filename=\"download\"; filename*=UTF-8''download"),
    ],
)
def test_file_names_cannot_break_out_of_their_header(name: str, expected: str) -> None:
    shown = attachment(name)
    assert "\r" not in shown
    assert "\n" not in shown
    assert shown == expected
