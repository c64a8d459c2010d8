"""Every hostile file of the corpus against a real server: its one right answer, and the bounds.

Bounds, of each case: the web process grows by less than 64 MiB, a worker by less than 256 MiB, a
parser child stays below its ceiling, other requests are answered within
a second all the while, the job ends in time, no process of the server is another one afterwards,
nothing is left in scratch, and the next good job succeeds. Bounds on time are those of a machine
that has nothing else to do; see ``patience``.
"""

from __future__ import annotations

import json
import time
from datetime import datetime

import pytest

from attacks import ATTACKS, ENTITIES
from attacks.case import GOOD_CSV, Failed, Read, Refused
from attacks.parquet_files import FLIPPED
from watching import Watch, patience
from waybill.model.limits import MEBIBYTE, Limits
from waybill.testing.server import ServerProcess

WEB_GROWTH = 64 * MEBIBYTE
WORKER_GROWTH = 256 * MEBIBYTE
PROBE_SECONDS = 1
ENDS = {"succeeded", "failed", "canceled"}
PARAMETERS = [
    pytest.param(attack, id=attack.id, marks=pytest.mark.long if attack.is_long else ())
    for attack in ATTACKS
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = ServerProcess(tmp_path_factory.mktemp("hostile"))
    running.init(ENTITIES)
    running.start()
    yield running
    assert running.stop() == 0


def send(client, attack):
    headers = {"Content-Type": "application/octet-stream", **attack.headers}
    if attack.name:
        headers["Content-Disposition"] = f'attachment; filename="{attack.name}"'
    return client.post(
        "/v1/jobs",
        params={"entity": attack.entity, **attack.options},
        content=attack.make(),
        headers=headers,
    )


def ended(client, job, seconds=60):
    deadline = time.monotonic() + seconds
    while job["state"] not in ENDS:
        assert time.monotonic() < deadline, f"the job did not end: {job}"
        job = client.get(f"/v1/jobs/{job['id']}", params={"wait": 5}).json()
    return job


def seconds_of(job):
    began, over = (datetime.fromisoformat(job[name]) for name in ("started_at", "finished_at"))
    return (over - began).total_seconds()


def rejected_in(client, job):
    """Code and message of the first finding of every rejected line."""
    page = client.get(f"/v1/jobs/{job['id']}/rejections").json()
    assert page["next"] is None
    first = [(each["line"], each["findings"][0]) for each in page["rejections"]]
    assert len(first) == len(dict(first))
    return {line: (finding["code"], finding["message"]) for line, finding in first}


def assert_failed(answer, job):
    error, counts = job["error"], job["counts"]
    codes = (answer.code,) if isinstance(answer.code, str) else answer.code
    assert job["state"] == "failed"
    assert error["code"] in codes, error
    for text in answer.says:
        assert text in error["message"]
    assert answer.line in {None, error["line"]}
    assert answer.byte in {None, error["byte"]}
    loaded = counts["created"] + counts["updated"] + counts["unchanged"]
    assert loaded == answer.loaded
    assert counts["read"] == loaded + counts["rejected"] + counts["unprocessed"]


def assert_read(answer, job, client):
    counts = job["counts"]
    assert job["state"] == "succeeded", job["error"]
    assert counts["created"] + counts["updated"] + counts["unchanged"] == answer.loaded
    found = rejected_in(client, job) if counts["rejected"] else {}
    assert {line: code for line, (code, _) in found.items()} == answer.rejected
    for line, text in answer.says.items():
        assert text in found[line][1]
    assert set(answer.warned) <= {warning["code"] for warning in job["warnings"]}
    if answer.kept:
        rows = client.get(f"/v1/jobs/{job['id']}/accepted.ndjson").content.splitlines()
        loaded = {int(row["id"]): row for row in map(json.loads, rows)}
        for key, fields in answer.kept.items():
            assert fields.items() <= loaded[key].items()


def assert_unharmed(server, client, before):
    """The server is what it was, and does its work."""
    assert server.children() == before
    left = [path for path in (server.directory / "scratch").rglob("*") if path.is_file()]
    left += [path for path in (server.directory / "scratch").iterdir() if path.name[0] == "0"]
    assert left == []
    answer = client.post(
        "/v1/jobs",
        params={"entity": "people"},
        content=GOOD_CSV,
        headers={"Content-Type": "text/csv", "Prefer": "wait=10"},
    )
    assert answer.json()["state"] == "succeeded"


@pytest.mark.parametrize("attack", PARAMETERS)
def test_a_hostile_file_has_one_answer_and_does_no_harm(server, attack, record_property):
    before = server.children()
    with server.client() as client:
        with Watch(server) as watch:
            sent = send(client, attack)
            job = ended(client, sent.json(), 600) if sent.status_code == 202 else None
        record_property("web growth", watch.growth)
        record_property("worker growth", watch.worker_growth)
        record_property("parser peak", watch.parser_peak)
        record_property("probe", max(watch.probes))
        match attack.answer:
            case Refused(status=status, code=code):
                assert (sent.status_code, sent.json()["code"]) == (status, code)
            case Failed() as answer:
                assert_failed(answer, job)
            case Read() as answer:
                assert_read(answer, job, client)
        if job is not None:
            record_property("seconds", seconds_of(job))
            assert seconds_of(job) < attack.seconds * patience()
            assert len(job["attempts"]) == 1
        assert watch.growth < WEB_GROWTH
        assert watch.worker_growth < WORKER_GROWTH
        assert watch.parser_peak < Limits().parser_memory_bytes
        assert max(watch.probes) < PROBE_SECONDS * patience()
        assert_unharmed(server, client, before)


def test_s73_flipped_bytes_of_parquet_never_end_the_server(server):
    before = server.children()
    with server.client() as client:
        for seed, make in FLIPPED:
            sent = client.post(
                "/v1/jobs?entity=people",
                content=make(seed),
                headers={"Content-Type": "application/vnd.apache.parquet"},
            )
            job = ended(client, sent.json())
            assert len(job["attempts"]) == 1
            assert job["state"] == "succeeded" or job["error"]["code"] != "ATTEMPTS_SPENT"
        assert_unharmed(server, client, before)
