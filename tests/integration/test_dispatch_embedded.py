from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from waybill.dispatch.embedded import EmbeddedDispatcher
from waybill.model.ids import JobId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Open = Callable[[str], EmbeddedDispatcher]

LONG_SECONDS = 20.0
SHORT_SECONDS = 0.02


@pytest.fixture
def open_dispatcher(tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as stack:

        def open_one(role: str) -> EmbeddedDispatcher:
            return stack.enter_context(closing(EmbeddedDispatcher(tmp_path, role)))

        yield open_one


def test_a_hint_of_work_reaches_every_worker(open_dispatcher: Open) -> None:
    web = open_dispatcher("web")
    workers = [open_dispatcher("worker") for _ in range(3)]
    web.hint_work()
    for worker in workers:
        assert _seconds(lambda worker=worker: worker.wait_for_work(LONG_SECONDS)) < 5


def test_a_hint_of_work_reaches_the_worker_that_gave_it(open_dispatcher: Open) -> None:
    worker = open_dispatcher("worker")
    worker.hint_work()
    assert _seconds(lambda: worker.wait_for_work(LONG_SECONDS)) < 5


def test_a_hint_of_change_reaches_every_web_process(open_dispatcher: Open) -> None:
    webs = [open_dispatcher("web") for _ in range(2)]
    open_dispatcher("worker").hint_change(JobId("job-1"))
    assert [web.wait_for_changes(LONG_SECONDS) for web in webs] == [["job-1"], ["job-1"]]


def test_changes_come_in_order_and_each_job_once(open_dispatcher: Open) -> None:
    web, worker = open_dispatcher("web"), open_dispatcher("worker")
    for name in ("a", "b", "a", "c"):
        worker.hint_change(JobId(name))
    assert web.wait_for_changes(LONG_SECONDS) == ["a", "b", "c"]
    assert web.wait_for_changes(0) == []


def test_a_burst_of_a_thousand_changes_is_held(open_dispatcher: Open) -> None:
    web, worker = open_dispatcher("web"), open_dispatcher("worker")
    jobs = [JobId(f"{number:036}") for number in range(1_000)]
    for job in jobs:
        worker.hint_change(job)
    assert web.wait_for_changes(LONG_SECONDS) == jobs


def test_a_sender_never_waits_for_one_who_does_not_listen(open_dispatcher: Open) -> None:
    web, worker = open_dispatcher("web"), open_dispatcher("worker")
    for number in range(5_000):
        worker.hint_change(JobId(f"{number:036}"))
    held = web.wait_for_changes(LONG_SECONDS)
    assert 1_000 <= len(held) < 5_000
    assert all(len(job) == 36 for job in held)


def test_a_wait_without_a_hint_ends_by_its_time(open_dispatcher: Open) -> None:
    web, worker = open_dispatcher("web"), open_dispatcher("worker")
    assert web.wait_for_changes(SHORT_SECONDS) == []
    assert _seconds(lambda: worker.wait_for_work(SHORT_SECONDS)) >= SHORT_SECONDS / 2


@pytest.mark.parametrize("role", ["web", "worker", "none"])
def test_a_wait_is_ended_from_another_thread(open_dispatcher: Open, role: str) -> None:
    dispatcher = open_dispatcher(role)
    timer = threading.Timer(SHORT_SECONDS, dispatcher.wake)
    timer.start()
    assert _seconds(lambda: dispatcher.wait_for_work(LONG_SECONDS)) < 5
    timer.join()


def test_a_wake_before_the_wait_is_not_lost(open_dispatcher: Open) -> None:
    dispatcher = open_dispatcher("worker")
    for _ in range(100_000):
        dispatcher.wake()
    assert _seconds(lambda: dispatcher.wait_for_work(LONG_SECONDS)) < 5


def test_closing_ends_a_wait_and_leaves_no_file(open_dispatcher: Open, tmp_path: Path) -> None:
    dispatcher = open_dispatcher("web")
    timer = threading.Timer(SHORT_SECONDS, dispatcher.close)
    timer.start()
    assert dispatcher.wait_for_changes(LONG_SECONDS) == []
    timer.join()
    assert list((tmp_path / "run").iterdir()) == []
    assert dispatcher.wait_for_changes(LONG_SECONDS) == []
    dispatcher.wake()
    dispatcher.close()


def test_one_who_only_sends_has_no_inbox(open_dispatcher: Open, tmp_path: Path) -> None:
    worker = open_dispatcher("worker")
    open_dispatcher("none").hint_work()
    assert len(list((tmp_path / "run").iterdir())) == 1
    assert _seconds(lambda: worker.wait_for_work(LONG_SECONDS)) < 5


def test_an_unknown_role_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="boss"):
        EmbeddedDispatcher(tmp_path, "boss")


def test_a_folder_with_a_very_long_path_works(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40)
    with (
        closing(EmbeddedDispatcher(folder, "worker")) as worker,
        closing(EmbeddedDispatcher(folder, "web")) as web,
    ):
        web.hint_work()
        assert _seconds(lambda: worker.wait_for_work(LONG_SECONDS)) < 5


def test_where_no_pipe_can_be_made_waits_end_by_their_time_or_a_wake(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("in the way")
    with closing(EmbeddedDispatcher(tmp_path, "worker")) as worker:
        worker.hint_work()
        worker.hint_change(JobId("a"))
        worker.wait_for_work(SHORT_SECONDS)
        assert worker.wait_for_changes(SHORT_SECONDS) == []
        worker.wake()
        assert _seconds(lambda: worker.wait_for_work(LONG_SECONDS)) < 5


LISTENER = """
import sys
from pathlib import Path
from waybill.dispatch.embedded import EmbeddedDispatcher
dispatcher = EmbeddedDispatcher(Path(sys.argv[1]), "worker")
print("ready", flush=True)
dispatcher.wait_for_work(60)
print("awake", flush=True)
sys.stdin.read()
"""


def test_another_process_is_woken_and_its_inbox_cleared_away_after_a_kill(
    open_dispatcher: Open, tmp_path: Path
) -> None:
    web = open_dispatcher("web")
    child = subprocess.Popen(
        [sys.executable, "-c", LISTENER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        web.hint_work()
        assert child.stdout.readline() == "awake\n"
        child.kill()
    assert len(list((tmp_path / "run").glob("worker-*"))) == 1
    web.hint_work()
    assert list((tmp_path / "run").glob("worker-*")) == []


def _seconds(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start
