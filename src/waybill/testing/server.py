"""A real server in a folder of its own, for tests of clients and for our own acceptance tests.

Processes, HTTP, SQLite and disk are those of production; only the port and the folder are new.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

READY_SECONDS: Final = 30.0


def free_port() -> int:
    """A port of the loopback address that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class ServerProcess:
    """One ``waybill serve`` over one folder; it can be killed and started again.

    ``credentials``: as ``waybill init --json`` gives them.
    """

    directory: Path
    port: int = field(default_factory=free_port)
    workers: int = 1
    credentials: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """The native credential of project ``demo``."""
        return self.credentials["waybill"]["token"]

    def init(self, entities: Mapping[str, object] | None = None) -> None:
        """Make the folder, with these entity descriptors by name."""
        made = self.run("init", str(self.directory), "--json")
        self.credentials = json.loads(made.stdout)["credentials"]
        for name, descriptor in (entities or {}).items():
            path = self.directory / "entities" / f"{name}.json"
            path.write_text(json.dumps(descriptor), encoding="utf-8")

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one command of the CLI and wait for its end."""
        return subprocess.run(  # noqa: S603 - our own interpreter and arguments
            [sys.executable, "-m", "waybill", *arguments],
            check=check,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self, *flags: str) -> None:
        """Start, and wait until the server is ready.

        Raises:
            RuntimeError: it ended or did not become ready; its log is in the message.
        """
        command = ["serve", str(self.directory), "--port", str(self.port)]
        log = (self.directory / "serve.log").open("ab")
        with log:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                [sys.executable, "-m", "waybill", *command, "--workers", str(self.workers), *flags],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Block until ``/healthz/ready`` answers 200."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/healthz/ready", timeout=2).is_success:
                    return
            pause()
        log = (self.directory / "serve.log").read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"the server did not become ready:\n{log[-4000:]}")

    def stop(self) -> int:
        """Stop gracefully; gives the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """Kill the parent with SIGKILL, and wait until its children have ended by themselves."""
        children = self.children()
        code = self._end(signal.SIGKILL)
        deadline = time.monotonic() + READY_SECONDS
        while any(map(is_alive, children)) and time.monotonic() < deadline:
            pause()
        return code

    def children(self) -> Sequence[int]:
        """Process ids of the running children."""
        if self.process is None:
            return []
        return [pid for pid in map(int, running()) if parent_of(pid) == self.process.pid]

    def client(self, token: str | None = None) -> httpx.Client:
        """An HTTP client with the native credential, or another token."""
        bearer = self.token if token is None else token
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {bearer}"}, timeout=60
        )

    def _end(self, number: int) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        self.process = None
        return code


def running() -> Iterator[str]:
    """The ids of all processes of this host, as text."""
    return (folder.name for folder in Path("/proc").iterdir() if folder.name.isdigit())


def is_alive(pid: int) -> bool:
    """Whether a process runs; a dead one that nobody has reaped yet does not."""
    state, _ = _stat(pid)
    return state not in {"", "Z"}


def parent_of(pid: int) -> int:
    """The parent of a process, 0 where the process is gone."""
    return _stat(pid)[1]


def _stat(pid: int) -> tuple[str, int]:
    """State and parent of a process; see proc(5)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return "", 0
    state, parent = text.rpartition(")")[2].split()[:2]
    return state, int(parent)


def pause(seconds: float = 0.05) -> None:
    """Let other processes work."""
    time.sleep(seconds)  # noqa: TID251 - waits for a real process
