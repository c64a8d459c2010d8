"""Small jobs against a running server: how many a second under load, how long one takes alone."""

from __future__ import annotations

import http.client
import queue
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

    from measure import Server

ROWS: Final = 100
SUBMITTERS: Final = 8
ALONE: Final = 40
WARM_UP: Final = 128
SECONDS_BETWEEN_LOOKS: Final = 0.1
MOST_SECONDS: Final = 300
UNFINISHED: Final = ("blocked", "waiting", "running")
"""The caller shares the machine's two cores: every look takes them from the jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallJobs:
    """``per_second``: from the first submit to the last final state. ``alone_seconds``: median."""

    per_second: float
    alone_seconds: float
    jobs: int


def measure_small_jobs(
    server: Server, entities: list[str], body: Callable[[int], bytes], jobs: int
) -> SmallJobs:
    """Submit ``jobs`` files of ``body(n)``, spread over ``entities`` so that lanes do not rule."""
    with httpx.Client(
        base_url=server.address,
        headers={"Authorization": f"Bearer {server.token}", "Content-Type": "text/csv"},
        timeout=120,
    ) as client:
        for number in range(5):
            run_alone(client, entities[number % len(entities)], body(number))
        submit_all(
            client, entities, body, WARM_UP
        )  # a server that has just started is another case
        wait_for_all(client)
        alone = [run_alone(client, entities[0], body(number)) for number in range(ALONE)]
        began = time.perf_counter()
        submit_all(client, entities, body, jobs)
        wait_for_all(client)
        seconds = time.perf_counter() - began
    return SmallJobs(per_second=jobs / seconds, alone_seconds=median(alone), jobs=jobs)


def run_alone(client: httpx.Client, entity: str, body: bytes) -> float:
    """Seconds from submit to the final state, with nothing else to do."""
    began = time.perf_counter()
    job = submit(client, entity, body)
    state = ""
    while state not in {"succeeded", "failed", "canceled"}:
        state = client.get(f"/v1/jobs/{job}", params={"wait": 10}).json()["state"]
    assert state == "succeeded"
    return time.perf_counter() - began


class Submitter:
    """One connection that submits: a plain one, for the caller shares the machine's two cores."""

    def __init__(self, client: httpx.Client) -> None:
        self._connection = http.client.HTTPConnection(client.base_url.netloc.decode(), timeout=120)
        self._headers = {
            "Authorization": client.headers["Authorization"],
            "Content-Type": "text/csv",
        }

    def submit(self, entity: str, body: bytes) -> None:
        """Submit one file."""
        self._connection.request("POST", f"/v1/jobs?entity={entity}", body, self._headers)
        answer = self._connection.getresponse()
        answer.read()
        assert answer.status == 202, answer.status

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def submit(client: httpx.Client, entity: str, body: bytes) -> str:
    """The id of a new job."""
    answer = client.post("/v1/jobs", params={"entity": entity}, content=body)
    answer.raise_for_status()
    return str(answer.json()["id"])


def submit_all(
    client: httpx.Client, entities: list[str], body: Callable[[int], bytes], jobs: int
) -> None:
    """Submit from several threads, as several callers would."""
    numbers: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(jobs):
        numbers.put(number)

    def work() -> None:
        with closing(Submitter(client)) as submitter:
            while True:
                try:
                    number = numbers.get_nowait()
                except queue.Empty:
                    return
                submitter.submit(entities[number % len(entities)], body(number))

    threads = [threading.Thread(target=work) for _ in range(SUBMITTERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def wait_for_all(client: httpx.Client) -> None:
    """Return once no job is unfinished.

    Raises:
        TimeoutError: some still are after ``MOST_SECONDS``.
    """
    deadline = time.monotonic() + MOST_SECONDS
    while left := [state for state in UNFINISHED if is_left(client, state)]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {MOST_SECONDS} s there are jobs still {', '.join(left)}")
        time.sleep(SECONDS_BETWEEN_LOOKS)


def is_left(client: httpx.Client, state: str) -> bool:
    """Whether a job is in that state."""
    answer = client.get("/v1/jobs", params={"state": state, "limit": 1})
    answer.raise_for_status()
    return bool(answer.json()["jobs"])
