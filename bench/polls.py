"""Status polls per second, against a bare Starlette handler in the same server.

The bare handler returns a constant body of the same size. Ours authenticates, reads the job from
SQLite and renders it; the rate limit is off. Both run in a process of their own, one after the
other, several rounds, under the same load from this process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import uvloop
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from waybill.blobs.local import LocalBlobs
from waybill.dialect import Core
from waybill.dialects import native
from waybill.dispatch.embedded import EmbeddedDispatcher
from waybill.engine.insights import Insights
from waybill.http.app import EdgeParts, build_app
from waybill.http.serve import bind_listener, inherit_listener, run_web
from waybill.model.artifact import Artifact, ArtifactKind
from waybill.model.ids import BlobName, CredentialId, HolderId, ProjectName
from waybill.model.job import Counts, InputFile, JobKind, JobState, Outcome, Phase
from waybill.model.options import ImportOptions
from waybill.model.principal import ALL_SCOPES, Credential, Project
from waybill.ports.job_store import Finish, Lease, NewJob, Progress
from waybill.stores.sqlite.store import SqliteStore
from waybill.system import SystemClock, SystemIds

CONNECTIONS = 32
TOKEN = "x" * 43
PROJECT = ProjectName("bench")


def fill(root: Path, *, is_final: bool) -> str:
    """A database with one job, running in the middle or finished; gives its id."""
    clock = SystemClock()
    ids = SystemIds(clock)
    store = SqliteStore(root / "jobs.sqlite")
    now = datetime.now(UTC)
    store.add_project(Project(name=PROJECT, created_at=now))
    store.add_credential(
        Credential(
            id=CredentialId("bench"),
            project=PROJECT,
            dialect="waybill",
            login="",
            scopes=ALL_SCOPES,
            created_at=now,
        ),
        sha256(TOKEN.encode()).digest(),
    )
    file = InputFile(
        blob="uploads/x", name="x.csv", media_type="text/csv", size_bytes=1, sha256="0" * 64
    )
    job = store.add_job(
        NewJob(
            id=ids.job_id(),
            kind=JobKind.IMPORT,
            project=PROJECT,
            entity="airports",
            lane="bench/airports",
            options=ImportOptions(),
            descriptor="{}",
            input=file,
            client_ref="ref",
            dialect="waybill",
            external_id="",
            dialect_data="{}",
            credential="bench",
            created_at=now,
        )
    )
    lease = Lease(holder=HolderId("bench"), boot_id="b", until_seconds=1e12)
    (run,) = store.claim_jobs(lease, now, limit=1)
    counts = Counts(read=1000, created=990, rejected=10)
    store.save_progress(
        job.id,
        run.epoch,
        Progress(
            phase=Phase.CHECKING,
            progress=0.5,
            counts=counts,
            rate=120_000.0,
            eta_seconds=3.0,
            format_facts={"format": "csv", "delimiter": ",", "encoding": "utf-8"},
        ),
    )
    if is_final:
        artifact = Artifact(
            job=job.id,
            project=PROJECT,
            kind=ArtifactKind.REJECTIONS,
            blob=BlobName("reports/x"),
            size_bytes=10,
            sha256="0" * 64,
            created_at=now,
        )
        store.finish_job(
            job.id,
            run.epoch,
            Finish(
                state=JobState.SUCCEEDED,
                outcome=Outcome.PARTIAL,
                counts=counts,
                finished_at=now,
                artifacts=(artifact,),
            ),
        )
    store.close()
    return job.id


def serve_waybill(root: Path, descriptor: int) -> None:
    """Our edge over that database."""
    clock = SystemClock()
    store = SqliteStore(root / "jobs.sqlite")
    insights = Insights(store=store, catalogue=SimpleNamespace(), reports=SimpleNamespace())

    def make_app():  # noqa: ANN202 - a benchmark
        return build_app(
            EdgeParts(
                dialects={"waybill": native},
                core=Core(commands=SimpleNamespace(), insights=insights),
                credentials=store,
                blobs=LocalBlobs(root / "blobs"),
                ids=SystemIds(clock),
                clock=clock,
                dispatcher=EmbeddedDispatcher(root, "web"),
                registry=CollectorRegistry(),
                rate_per_second=0,
            )
        )

    run_web(make_app, inherit_listener(descriptor))


class Bare:
    """A Starlette application with one constant answer, in the clothes that ``run_web`` takes."""

    def __init__(self, body: bytes) -> None:
        async def answer(_request: object) -> Response:
            return Response(body, media_type="application/json")

        self._app = Starlette(routes=[Route("/v1/jobs/{id}", answer)])

    async def __call__(self, scope, receive, send) -> None:  # noqa: ANN001 - a benchmark
        """See the ASGI specification."""
        await self._app(scope, receive, send)

    def stop_waiting(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing to close."""


class Poller(asyncio.Protocol):
    """Sends the same request again as soon as its answer is complete."""

    def __init__(self, request: bytes, counter: list[int]) -> None:
        self._request = request
        self._counter = counter
        self._seen = bytearray()
        self._length = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count a complete answer and ask again."""
        self._seen += data
        if not self._length:
            head, found, _ = self._seen.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode())
            size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            self._length = len(head) + 4 + size
        if len(self._seen) >= self._length:
            self._seen.clear()
            self._length = 0
            self._counter[0] += 1
            self._transport.write(self._request)


async def load(port: int, path: str, seconds: float) -> float:
    """Answers per second over that time, after a short start."""
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    ).encode()
    counter = [0]
    loop = asyncio.get_running_loop()
    transports = [
        (await loop.create_connection(lambda: Poller(request, counter), "127.0.0.1", port))[0]
        for _ in range(CONNECTIONS)
    ]
    await asyncio.sleep(0.3)
    counter[0] = 0
    started = time.perf_counter()
    await asyncio.sleep(seconds)
    rate = counter[0] / (time.perf_counter() - started)
    for transport in transports:
        transport.abort()
    return rate


def fetch(port: int, path: str) -> bytes:
    """One answer's body."""
    import httpx  # noqa: PLC0415 - only the parent needs it

    answer = httpx.get(
        f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    answer.raise_for_status()
    return answer.content


def measure(mode: str, root: Path, path: str, seconds: float) -> tuple[float, bytes]:
    """The rate of one server, started and stopped for it."""
    with bind_listener("127.0.0.1", 0, SystemClock()) as listener:
        port, descriptor = listener.getsockname()[1], listener.fileno()
        command = [
            sys.executable,
            __file__,
            "--serve",
            mode,
            "--root",
            str(root),
            "--fd",
            str(descriptor),
        ]
        with subprocess.Popen(command, pass_fds=(descriptor,)) as server:
            try:
                body = fetch(port, path)
                rate = uvloop.run(load(port, path, seconds))
            finally:
                server.terminate()
    return rate, body


def compare(*, is_final: bool, rounds: int, seconds: float) -> tuple[float, float]:
    """Median answers per second: ours, and the bare handler's."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        path = f"/v1/jobs/{fill(root, is_final=is_final)}"
        ours, bare = [], []
        for _ in range(rounds):
            rate, body = measure("waybill", root, path, seconds)
            ours.append(rate)
            (root / "body").write_bytes(body)
            bare.append(measure("bare", root, path, seconds)[0])
    return statistics.median(ours), statistics.median(bare)


def main() -> None:
    """Print both rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", choices=("waybill", "bare"))
    parser.add_argument("--root", type=Path)
    parser.add_argument("--fd", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    arguments = parser.parse_args()
    if arguments.serve == "waybill":
        serve_waybill(arguments.root, arguments.fd)
    elif arguments.serve == "bare":
        body = (arguments.root / "body").read_bytes()
        run_web(lambda: Bare(body), inherit_listener(arguments.fd))
    else:
        for name, is_final in (("running", False), ("finished", True)):
            ours, bare = compare(
                is_final=is_final, rounds=arguments.rounds, seconds=arguments.seconds
            )
            print(f"{name}: ours {ours:,.0f}/s, bare {bare:,.0f}/s, ratio {ours / bare:.2f}")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
