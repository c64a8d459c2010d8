"""kill -9 at any moment: no accepted job is lost, no row doubled."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from waybill.testing.server import is_alive, pause

ROWS = 400_000


def big_file(rows: int = ROWS) -> bytes:
    lines = ["id,name,age,note\n"]
    lines += [f"{n},name {n},{n % 150},{'x' * 60}\n" for n in range(1, rows + 1)]
    lines[rows // 2] = "oops,,999,bad\n"
    return "".join(lines).encode()


def wait_for(client, job, wanted, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = client.get(f"/v1/jobs/{job['id']}").json()
        if wanted(now):
            return now
        pause(0.02)
    raise AssertionError(f"never reached: {now}")


def is_applying(job):
    return job["state"] == "running" and job["phase"] == "applying"


def assert_loaded_once(job, client):
    counts = job["counts"]
    assert (job["state"], job["outcome"]) == ("succeeded", "partial")
    assert (counts["read"], counts["rejected"]) == (ROWS, 1)
    assert counts["created"] == ROWS - 1
    assert client.get(f"/v1/jobs/{job['id']}/rejections").json()["total"] == 1
    again = client.get(f"/v1/jobs/{job['id']}/accepted.csv").text.splitlines()
    assert len(again) == ROWS


def test_a_server_that_goes_down_again_and_again_loses_no_time_and_no_attempt(
    own_server, submit, finish
):
    own_server.start()
    with own_server.client() as client:
        job = submit(client, big_file())
    for crash in range(1, 4):
        with own_server.client() as client:
            wait_for(client, job, lambda j: j["state"] == "running")
        own_server.kill()
        own_server.start()
        began = time.monotonic()
        with own_server.client() as client:
            wait_for(client, job, lambda j, n=crash: len(j["attempts"]) > n or is_over(j), 20)
            assert time.monotonic() - began < 5
    with own_server.client() as client:
        ended = finish(client, job)
        assert "crashed" not in {attempt["end"] for attempt in ended["attempts"]}
        assert_loaded_once(ended, client)


def is_over(job):
    return job["state"] in {"succeeded", "failed", "canceled"}


def test_workers_that_are_killed_in_quick_succession_do_not_end_the_server(own_server, finish):
    own_server.start()
    with own_server.client() as client:
        for _ in range(7):
            for pid in own_server.children():
                if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                    os.kill(pid, signal.SIGKILL)
            pause(0.7)
        assert client.get("/healthz/live").status_code == 200
        answer = client.post(
            "/v1/jobs?entity=people",
            content=b"id,name\n1,A\n",
            headers={"Content-Type": "text/csv"},
        )
        assert finish(client, answer.json())["state"] == "succeeded"


def test_a_killed_server_finishes_the_job_after_its_restart(own_server, submit, finish):
    own_server.start()
    with own_server.client() as client:
        job = submit(client, big_file())
        wait_for(client, job, is_applying)
        own_server.kill()
        began = time.monotonic()
        own_server.start()
    with own_server.client() as client:
        rerun = wait_for(
            client, job, lambda j: len(j["attempts"]) == 2 or j["state"] == "succeeded"
        )
        assert time.monotonic() - began < 5 + 3, "start-up included"
        assert rerun["attempts"][0]["end"] in {"crashed", "released"}
        assert_loaded_once(finish(client, job), client)


def test_a_killed_worker_is_replaced_and_its_job_finished(own_server, submit, finish):
    own_server.start()
    with own_server.client() as client:
        job = submit(client, big_file())
        wait_for(client, job, is_applying)
        for pid in own_server.children():
            with Path(f"/proc/{pid}/cmdline").open("rb") as line:
                is_worker = b"worker" in line.read().split(b"\0")
            if is_worker:
                os.kill(pid, signal.SIGKILL)
        assert_loaded_once(finish(client, job), client)


def test_children_end_with_their_parent(own_server):
    own_server.start()
    children = own_server.children()
    assert len(children) == 2
    began = time.monotonic()
    own_server.kill()
    assert time.monotonic() - began < 2.5
    assert not [pid for pid in children if is_alive(pid)]


def test_a_graceful_stop_gives_the_job_back_and_counts_no_crash(own_server, submit, finish):
    own_server.start()
    with own_server.client() as client:
        job = submit(client, big_file())
        wait_for(client, job, is_applying)
        began = time.monotonic()
        assert own_server.stop() == 0
        assert time.monotonic() - began < 12
        own_server.start()
    with own_server.client() as client:
        done = finish(client, job)
        assert [a["end"] for a in done["attempts"]] == ["released", "finished"]
        assert_loaded_once(done, client)


def test_cancel_takes_effect_within_a_chunk_and_says_what_was_kept(own_server, submit, finish):
    own_server.start()
    with own_server.client() as client:
        job = submit(client, big_file())
        wait_for(client, job, is_applying)
        began = time.monotonic()
        assert client.delete(f"/v1/jobs/{job['id']}").status_code in {200, 202}
        done = finish(client, job)
        assert time.monotonic() - began < 5
        counts = done["counts"]
        assert done["state"] == "canceled"
        kept = counts["created"]
        assert f"{kept} records" in done["error"]["message"]
        assert counts["read"] == kept + counts["rejected"] + counts["unprocessed"]


def test_a_key_survives_kill_and_gives_the_same_job(own_server):
    own_server.start()
    headers = {"Content-Type": "text/csv", "Idempotency-Key": "k-1"}
    with own_server.client() as client:
        first = client.post("/v1/jobs?entity=people", content=b"id,name\n1,A\n", headers=headers)
        own_server.kill()
        own_server.start()
    with own_server.client() as client:
        again = client.post("/v1/jobs?entity=people", content=b"id,name\n1,A\n", headers=headers)
        other = client.post("/v1/jobs?entity=people", content=b"id,name\n1,B\n", headers=headers)
    assert again.status_code == 202
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["location"] == first.headers["location"]
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_jobs_of_one_lane_run_in_order_of_acceptance(own_server, submit, finish):
    own_server.workers = 2
    own_server.start()
    with own_server.client() as client:
        first = submit(client, big_file(100_000))
        second = submit(client, b"id,name\n1,Changed\n")
        assert second["state"] == "blocked"
        assert finish(client, second)["counts"]["updated"] == 1
        assert finish(client, first)["finished_at"] <= finish(client, second)["started_at"]
