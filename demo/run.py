"""Import the airports of the world into a new server and show what was rejected.

``--keep`` leaves the server running and prints its address, its token and how to stop it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import airportsdata

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
REPORTS: Final = ROOT / ".demo"
SCHEMA: Final = ROOT / "demo" / "airports.schema.json"
AIRPORTS: Final = Path(airportsdata.__file__).with_name("airports.csv")
WAYBILL: Final = str(Path(sys.executable).with_name("waybill"))
START_SECONDS: Final = 20
STOP_SECONDS: Final = 15
DONE_WITH_REJECTIONS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server: where it is, and the token for its native API."""

    process: subprocess.Popen[bytes]
    directory: Path
    address: str
    token: str

    @property
    def environment(self) -> dict[str, str]:
        """What the command line needs to find it."""
        return {**os.environ, "WAYBILL_URL": self.address, "WAYBILL_TOKEN": self.token}


def main(arguments: Sequence[str]) -> int:
    """Run the demo; gives 0 when the import is done, with rejections or without."""
    directory = Path(tempfile.mkdtemp(prefix="waybill-demo-"))
    server = start_server(directory)
    keep = False
    try:
        show_import(server)
        keep = "--keep" in arguments
        show_next_steps(server, keep=keep)
    finally:
        if not keep:
            stop_server(server)
    return 0


def start_server(directory: Path) -> Server:
    """Make ``directory`` ready, add the entity, and serve it on a free port."""
    heading("A new server")
    made = subprocess.run(
        [WAYBILL, "init", str(directory), "--json"], check=False, stdout=subprocess.PIPE, text=True
    )
    if made.returncode:
        sys.exit(f"waybill init ended with {made.returncode}")
    token = json.loads(made.stdout)["credentials"]["waybill"]["token"]
    shutil.copy(SCHEMA, directory / "entities" / "airports.json")
    port = free_port()
    with (directory / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [WAYBILL, "serve", str(directory), "--port", str(port)],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    server = Server(
        process=process, directory=directory, address=f"http://127.0.0.1:{port}", token=token
    )
    wait_until_ready(server)
    print(f"serving {directory} at {server.address}")
    return server


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(server: Server) -> None:
    """Return once the server answers that it is ready; end the demo where it never is."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        if is_ready(server):
            return
        time.sleep(0.1)
    stop_server(server, keep_directory=True)
    sys.exit(f"the server did not start; its log: {server.directory / 'server.log'}")


def is_ready(server: Server) -> bool:
    """Whether the server takes requests and runs jobs."""
    try:
        with urllib.request.urlopen(f"{server.address}/healthz/ready", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def show_import(server: Server) -> None:
    """Submit the airports and show status, rejected rows and reports of the job."""
    heading("Import 28,000 airports")
    run(server, "submit", str(AIRPORTS), "--entity", "airports", "--watch")
    listed = run(server, "jobs", "--json", quiet=True)
    job = json.loads(listed)["jobs"][0]["id"]
    heading("Status")
    run(server, "status", job)
    heading("The first rejected rows")
    run(server, "rejections", job, "--limit", "10")
    heading("Reports")
    save_reports(server, job)


def save_reports(server: Server, job: str) -> None:
    """Keep the rejections in all three forms under ``.demo/``."""
    REPORTS.mkdir(exist_ok=True)
    shutil.copy(AIRPORTS, REPORTS / "airports.csv")
    for form in ("json", "csv", "xlsx"):
        target = REPORTS / f"rejections.{form}"
        run(server, "rejections", job, "--format", form, "--output", str(target), quiet=True)
        print(f"  {target.relative_to(ROOT)}  {target.stat().st_size:>9,} bytes")


def run(server: Server, *arguments: str, quiet: bool = False) -> str:
    """Run one command of the command line, shown unless ``quiet``; gives its output then."""
    if not quiet:
        print(f"$ waybill {' '.join(arguments)}", flush=True)
    done = subprocess.run(
        [WAYBILL, *arguments],
        check=False,
        env=server.environment,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.PIPE if quiet else None,
        text=True,
    )
    if done.returncode not in {0, DONE_WITH_REJECTIONS}:
        sys.exit(f"waybill {arguments[0]} ended with {done.returncode}\n{done.stderr or ''}")
    return done.stdout or ""


def show_next_steps(server: Server, *, keep: bool) -> None:
    """Say how to go on: with this server where it is kept, else with one of one's own."""
    heading("How to go on")
    print("Mend some rows of .demo/rejections.csv, say the missing cities, and submit that file as")
    print("it is: what is mended is loaded, the rest comes back as a new report.")
    print("docs/tutorial/first-import.md walks through it, with an entity of your own.")
    if not keep:
        print("make demo KEEP=1 leaves the server running.")
        return
    print(f"  export WAYBILL_URL={server.address} WAYBILL_TOKEN={server.token}")
    print("  ${EDITOR:-nano} .demo/rejections.csv")
    print("  .venv/bin/waybill submit .demo/rejections.csv --entity airports --watch")
    print('  curl -H "Authorization: Bearer $WAYBILL_TOKEN" "$WAYBILL_URL/v1/jobs?limit=1"')
    print(f"  API reference: {server.address}/docs")
    print(f"  stop it: kill {server.process.pid} && rm -r {server.directory}")


def stop_server(server: Server, *, keep_directory: bool = False) -> None:
    """Stop the server that we started, and remove its directory."""
    server.process.terminate()
    try:
        server.process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()
    if not keep_directory:
        shutil.rmtree(server.directory, ignore_errors=True)


def heading(text: str) -> None:
    """Print a heading."""
    print(f"\n== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
