"""A frozen worker: it is ended once its lease is over, another one finishes, nothing is doubled."""

from __future__ import annotations

import os
import signal
import time

from waybill.testing.server import is_alive, pause

ROWS = 300_000


def big_file() -> bytes:
    lines = [f"{n},name {n},{n % 150},{'y' * 60}\n" for n in range(1, ROWS + 1)]
    return ("id,name,age,note\n" + "".join(lines)).encode()


def use_short_leases(server) -> None:
    config = server.directory / "waybill.toml"
    text = config.read_text(encoding="utf-8")
    text = text.replace("#lease_seconds = 30.0", "lease_seconds = 2.0")
    config.write_text(
        text.replace("#heartbeat_seconds = 5.0", "heartbeat_seconds = 0.5"), encoding="utf-8"
    )


def owner(job) -> int:
    """The process that runs the job: its holder's name begins with its number."""
    return int(job["attempts"][-1]["worker"].partition("-")[0])


def wait_for(client, job, wanted, seconds=40):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = client.get(f"/v1/jobs/{job['id']}").json()
        if wanted(now):
            return now
        pause(0.02)
    raise AssertionError(f"never reached: {now}")


def test_another_worker_finishes_what_a_frozen_one_holds(own_server, submit, finish):
    own_server.workers = 2
    use_short_leases(own_server)
    own_server.start()
    with own_server.client() as client:
        job = submit(client, big_file())
        running = wait_for(client, job, lambda j: j["phase"] == "applying")
        frozen = owner(running)
        os.kill(frozen, signal.SIGSTOP)
        began = time.monotonic()
        done = finish(client, job)
        assert time.monotonic() - began < 20
        assert len(done["attempts"]) == 2
        assert owner(done) != frozen
        assert not is_alive(frozen)
        pause(1)
        after = client.get(f"/v1/jobs/{job['id']}").json()
        assert len(client.get(f"/v1/jobs/{job['id']}/accepted.csv").text.splitlines()) == ROWS + 1
    assert after == done
    assert done["counts"]["created"] == done["counts"]["read"] == ROWS
    assert "child_silent" in (own_server.directory / "serve.log").read_text(encoding="utf-8")
