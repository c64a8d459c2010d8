"""The children that read workbooks, XML, Parquet and archives: what they may, and how they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from attacks import ATTACKS, ENTITIES
from attacks.case import GOOD_CSV
from attacks.documents import included
from attacks.sheets import corner
from watching import parsers_of, patience, servers_of, wait_until_gone
from waybill.formats.contained.protocol import Job, Task
from waybill.model.limits import GIBIBYTE, MEBIBYTE, Limits
from waybill.testing.server import ServerProcess, pause

ROWS = 150_000
ENDS = {"succeeded", "failed", "canceled"}
BY_ID = {attack.id: attack for attack in ATTACKS}


@pytest.fixture
def hostile_server(tmp_path):
    """A server of this test's own, made but not started."""
    made = ServerProcess(tmp_path / "server")
    made.init(ENTITIES)
    yield made
    if made.process is not None:
        made.kill()


@pytest.fixture(scope="module")
def big_xml():
    """A document that a child reads for some seconds."""
    rows = (f'<person id="{n}" name="name {n}"/>\n' for n in range(1, ROWS + 1))
    return f"<people>\n{''.join(rows)}</people>".encode()


def set_limits(server, **limits):
    config = server.directory / "waybill.toml"
    text = config.read_text(encoding="utf-8")
    for name, value in limits.items():
        default = getattr(Limits(), name)
        assert f"#{name} = {default}" in text
        text = text.replace(f"#{name} = {default}", f"{name} = {value}")
    config.write_text(text, encoding="utf-8")


def submit(client, content, **headers):
    answer = client.post(
        "/v1/jobs?entity=people",
        content=content,
        headers={"Content-Type": "application/octet-stream", **headers},
    )
    assert answer.status_code == 202, answer.text
    return answer.json()


def state_of(client, job):
    return client.get(f"/v1/jobs/{job['id']}").json()


def ended(client, job, seconds=120):
    deadline = time.monotonic() + seconds
    while job["state"] not in ENDS:
        assert time.monotonic() < deadline, f"the job did not end: {job}"
        job = client.get(f"/v1/jobs/{job['id']}", params={"wait": 5}).json()
    return job


def running_parser(server, seconds=20):
    """A child that has begun to read, its limits set."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for pid in parsers_of(server):
            if limits_of(pid).get("Max processes") == "1":
                return pid
        pause(0.005)
    raise AssertionError("no child came")


def limits_of(pid):
    """The limits of a process by name, the hard ones; see proc(5)."""
    try:
        lines = Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return {}
    return {line[:26].strip(): line[47:68].strip() for line in lines}


def kill_every_parser(server, number, is_over):
    """Send a signal to each child as soon as it reads, until the event is set."""
    known = set()
    while not is_over.wait(0.005):
        for pid in set(parsers_of(server)) - known:
            if limits_of(pid).get("Max processes") == "1":
                known.add(pid)
                os.kill(pid, number)


def fail_by(server, client, content, number):
    """The job whose every child gets the signal."""
    is_over = threading.Event()
    killer = threading.Thread(target=kill_every_parser, args=(server, number, is_over))
    killer.start()
    try:
        return ended(client, submit(client, content))
    finally:
        is_over.set()
        killer.join()


def test_a_child_that_is_killed_once_is_started_again_and_no_record_is_loaded_twice(
    hostile_server, big_xml
):
    hostile_server.start()
    before = hostile_server.children()
    with hostile_server.client() as client:
        job = submit(client, big_xml)
        deadline = time.monotonic() + 60
        while not state_of(client, job)["counts"]["read"]:
            assert time.monotonic() < deadline
            pause(0.01)
        os.kill(running_parser(hostile_server), signal.SIGKILL)
        done = ended(client, job)
        rows = client.get(f"/v1/jobs/{job['id']}/accepted.csv").text.splitlines()
    assert (done["state"], done["outcome"]) == ("succeeded", "complete"), done["error"]
    assert done["counts"]["created"] == done["counts"]["read"] == ROWS
    assert len(rows) == ROWS + 1
    assert len(done["attempts"]) == 1
    assert hostile_server.children() == before


@pytest.mark.parametrize(
    ("number", "code", "says"),
    [
        (signal.SIGKILL, "PARSER_MEMORY", f"parser_memory_bytes of {2 * GIBIBYTE}"),
        (signal.SIGSEGV, "PARSER_CRASHED", "SIGSEGV"),
        (signal.SIGABRT, "PARSER_CRASHED", "SIGABRT"),
    ],
)
def test_a_child_that_dies_again_fails_its_job_alone(hostile_server, big_xml, number, code, says):
    hostile_server.start()
    before = hostile_server.children()
    with hostile_server.client() as client:
        job = fail_by(hostile_server, client, big_xml, number)
        assert (job["state"], job["error"]["code"]) == ("failed", code)
        assert says in job["error"]["message"]
        assert len(job["attempts"]) == 1
        assert ended(client, submit(client, GOOD_CSV))["state"] == "succeeded"
    assert hostile_server.children() == before


@pytest.mark.parametrize(
    ("limits", "make", "code"),
    [
        ({"parser_memory_bytes": 600 * MEBIBYTE}, lambda _: corner("A1", "ALL12000"), "MEMORY"),
        ({"parser_seconds": 1}, lambda big_xml: big_xml, "TIMEOUT"),
    ],
)
def test_too_little_memory_or_time_names_the_limit_and_its_size(
    hostile_server, big_xml, limits, make, code
):
    set_limits(hostile_server, **limits)
    hostile_server.start()
    before = hostile_server.children()
    ((name, value),) = limits.items()
    with hostile_server.client() as client:
        assert client.get("/v1/limits").json()["limits"][name] == value
        began = time.monotonic()
        error = ended(client, submit(client, make(big_xml)))["error"]
        assert time.monotonic() - began < 10 * patience()
        assert ended(client, submit(client, GOOD_CSV))["state"] == "succeeded"
    assert error["code"] == f"PARSER_{code}"
    assert f"{name} of {value}" in error["message"]
    assert hostile_server.children() == before


def test_a_child_that_stands_still_is_given_up(hostile_server, big_xml):
    set_limits(hostile_server, parser_seconds=2)
    hostile_server.start()
    with hostile_server.client() as client:
        job = submit(client, big_xml)
        frozen = running_parser(hostile_server)
        os.kill(frozen, signal.SIGSTOP)
        error = ended(client, job)["error"]
        assert error["code"] == "PARSER_TIMEOUT"
        assert wait_until_gone(frozen, 2 * patience())


def test_children_end_with_a_worker_that_is_killed_and_the_job_is_done_by_another(
    hostile_server, big_xml
):
    hostile_server.start()
    with hostile_server.client() as client:
        job = submit(client, big_xml)
        child = running_parser(hostile_server)
        for worker in servers_of(hostile_server, b"worker"):
            os.kill(worker, signal.SIGKILL)
        assert wait_until_gone(child, 2)
        done = ended(client, job)
    assert (done["state"], done["counts"]["created"]) == ("succeeded", ROWS)
    assert [attempt["end"] for attempt in done["attempts"]][-1] == "finished"


def test_children_end_with_a_server_that_is_killed(hostile_server, big_xml):
    hostile_server.start()
    with hostile_server.client() as client:
        submit(client, big_xml)
        child = running_parser(hostile_server)
    began = time.monotonic()
    hostile_server.kill()
    assert wait_until_gone(child, 2)
    assert time.monotonic() - began < 2.5 * patience()


def test_a_child_runs_under_its_limits_without_network_and_without_foreign_files(
    hostile_server, big_xml
):
    hostile_server.start()
    with hostile_server.client() as client:
        job = submit(client, big_xml)
        child = running_parser(hostile_server)
        os.kill(child, signal.SIGSTOP)
        limits, files = limits_of(child), open_files(child)
        network = Path(f"/proc/{child}/ns/net").readlink()
        devices = Path(f"/proc/{child}/net/dev").read_text(encoding="ascii").splitlines()[2:]
        os.kill(child, signal.SIGCONT)
        assert ended(client, job)["state"] == "succeeded"
    published = Limits()
    assert limits["Max address space"] == str(published.parser_memory_bytes)
    assert limits["Max file size"] == str(published.inflated_bytes)
    assert limits["Max open files"] == "32"
    assert limits["Max processes"] == "1"
    assert limits["Max core file size"] == "0"
    assert published.parser_seconds <= int(limits["Max cpu time"]) <= published.parser_seconds + 1
    assert not [target for target in files if target.startswith("socket:")]
    named = [target for target in files if target[0] == "/" and not target.endswith("(deleted)")]
    assert all("/blobs/uploads/" in target for target in named), named
    if may_leave_network():
        assert network != Path("/proc/self/ns/net").readlink()
        assert [line.split(":")[0].strip() for line in devices] == ["lo"]


def open_files(pid):
    """What the descriptors of a process lead to."""
    return [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()]


def may_leave_network():
    """Whether this host lets a process make a network namespace."""
    code = (
        "import ctypes; libc = ctypes.CDLL(None);"
        "exit(libc.unshare(0x40000000) and libc.unshare(0x50000000))"
    )
    return subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_r6_poison_files_end_alone_beside_good_jobs_of_other_projects(hostile_server):
    hostile_server.workers = 2
    hostile_server.start()
    before = hostile_server.children()
    folder = str(hostile_server.directory)
    hostile_server.run("project", "add", folder, "acme")
    made = hostile_server.run("credential", "add", folder, "--project", "acme", "--json")
    credential = json.loads(made.stdout)
    token = credential.get("token") or credential["secrets"]["token"]
    good = "id,name\n" + "".join(f"{n},name {n}\n" for n in range(1_000))
    with hostile_server.client() as client, hostile_server.client(token) as other:
        poisoned, goods = [], []
        for number in range(10):
            name = ("S7", "S64", "S6-repeated")[number % 3]
            poisoned.append((name, submit(client, BY_ID[name].make())))
            goods.append(submit(other, good.replace("name ", f"name {number}-")))
        ends = [ended(other, job) for job in goods]
        bad = [(name, ended(client, job)["error"]["code"]) for name, job in poisoned]
    assert [(job["state"], job["counts"]["rejected"]) for job in ends] == [("succeeded", 0)] * 10
    assert dict(bad) == {
        "S7": "XLSX_INVALID", "S64": "XLSX_AREA_LIMIT", "S6-repeated": "PARSER_MEMORY",
    }  # fmt: skip
    assert hostile_server.children() == before


@pytest.mark.strace
@pytest.mark.parametrize(
    ("job", "make"),
    [
        (Job.WORKBOOK, BY_ID["S10"].make),
        (Job.WORKBOOK, BY_ID["S10-entity"].make),
        (Job.XML, BY_ID["S66-file"].make),
        (Job.XML, BY_ID["S66-dtd-net"].make),
        (Job.XML, BY_ID["S66-parameter"].make),
        (Job.XML, included),
        (Job.XML, BY_ID["S69-utf16"].make),
        (Job.XML, BY_ID["S69-utf7"].make),
        (Job.INSPECT, BY_ID["S12-odd-name"].make),
    ],
)
def test_a_child_opens_its_input_and_nothing_else(tmp_path, job, make):
    path, trace = tmp_path / "input", tmp_path / "trace"
    path.write_bytes(make())
    task = Task(
        job=job,
        path=str(path),
        stored_bytes=path.stat().st_size,
        limits=Limits(),
        scratch=str(tmp_path),
    )
    calls = "trace=open,openat,openat2,creat,socket,connect,execve"
    command = [sys.executable, "-I", "-m", "waybill.formats.contained.child"]
    with subprocess.Popen(
        ["strace", "-f", "-qq", "-e", calls, "-o", str(trace), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        child.stdin.write(msgspec.json.encode(task) + b"\n")
        child.stdin.flush()
        assert child.stdout.read()
    lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    begun = next(at for at, line in enumerate(lines) if str(path) in line)
    opened = [line for line in lines[begun:] if "open" in line]
    assert all(str(path) in line or "/proc/self/fd/" in line for line in opened), opened
    assert not [line for line in lines if "socket(" in line or "connect(" in line]
    assert len([line for line in lines if "execve(" in line]) == 1
