"""Tools in limited children: what becomes of them, and of those who wait for them."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from waybill.errors import ContentInvalid
from waybill.model.limits import Limits
from waybill.model.transform import ToolOptions
from waybill.testing.server import is_alive, pause
from waybill.transforms.contained.nursery import WAITING
from waybill.transforms.running import FileTools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SMALL = b"<a><b>1</b></a>"
NEAT = b"<a>\n  <b>1</b>\n</a>\n"


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[FileTools]:
    made = FileTools(Limits(), str(tmp_path))
    yield made
    made.close()


def run(
    tools: FileTools,
    content: bytes,
    while_running: Callable[[int], None] = lambda _: None,
    tool: str = "xml-formatter",
) -> bytes:
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.write(content)
        source.seek(0)
        tools.run(tool, source, target, ToolOptions(), while_running)
        target.seek(0)
        return target.read()


def large() -> bytes:
    return b"<a>" + b"<b>text</b>" * 3_000_000 + b"</a>"


def nursery_of(tools: FileTools) -> int:
    process = tools._nursery._process
    assert process is not None
    return process.pid


def children_of(pid: int) -> list[int]:
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [child for child in map(int, told.split()) if is_alive(child)]


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(600):
        if is_so():
            return
        pause()
    raise AssertionError("never")


def kill_all(children: list[int]) -> None:
    for child in children:
        os.kill(child, signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, children)))


def test_many_at_once_get_what_is_theirs(tools: FileTools) -> None:
    found: dict[int, bytes] = {}

    def ask(number: int) -> None:
        for _ in range(5):
            found[number] = run(tools, b"<a><b>%d</b></a>" % number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: NEAT.replace(b"1", str(n).encode()) for n in range(8)}


def test_a_fault_comes_with_its_place(tools: FileTools) -> None:
    with pytest.raises(ContentInvalid) as refused:
        run(tools, "<a>\n<é></a>".encode())
    assert (refused.value.code, refused.value.line, refused.value.column) == ("INVALID_XML", 2, 6)


@pytest.mark.parametrize(
    "limits", [{"parser_memory_bytes": 4 * 1024 * 1024}, {"parser_seconds": 1}]
)
def test_what_takes_too_much_is_told_with_its_limit(tmp_path: Path, limits: dict[str, int]) -> None:
    tools = FileTools(replace(Limits(), **limits), str(tmp_path))
    try:
        with pytest.raises(ContentInvalid) as refused:
            run(tools, large())
        assert refused.value.code == "PAYLOAD_TOO_LARGE"
        assert all(f"limits.{name}" in refused.value.message for name in limits)
    finally:
        tools.close()


def test_what_is_made_too_large_is_told_though_it_fails_at_the_very_end(tmp_path: Path) -> None:
    tools = FileTools(replace(Limits(), inflated_bytes=1000), str(tmp_path))
    try:
        with pytest.raises(ContentInvalid, match=r"1000 bytes \(limits\.inflated_bytes\)"):
            run(tools, b"<a>" + b"<b/>" * 200 + b"</a>")
    finally:
        tools.close()


def test_who_stops_waiting_ends_the_child(tools: FileTools) -> None:
    class Stop(Exception):
        pass

    def stop(read_bytes: int) -> None:
        assert read_bytes > 0
        raise Stop

    run(tools, SMALL)
    nursery = nursery_of(tools)
    with pytest.raises(Stop):
        run(tools, large(), stop)
    wait_until(lambda: len(children_of(nursery)) == WAITING)
    assert run(tools, SMALL) == NEAT


def test_a_dead_nursery_is_made_anew(tools: FileTools) -> None:
    assert run(tools, SMALL) == NEAT
    nursery = nursery_of(tools)
    waiting = children_of(nursery)
    os.kill(nursery, signal.SIGKILL)
    wait_until(lambda: not is_alive(nursery))
    assert run(tools, SMALL) == NEAT
    assert nursery_of(tools) != nursery
    wait_until(lambda: not any(map(is_alive, waiting)))


def test_children_that_are_killed_in_waiting_are_replaced(tools: FileTools) -> None:
    run(tools, SMALL)
    nursery = nursery_of(tools)
    for _ in range(3):
        kill_all(children_of(nursery))
        assert run(tools, SMALL) == NEAT
    assert nursery_of(tools) == nursery
    wait_until(lambda: len(children_of(nursery)) == WAITING)


def test_only_our_own_code_reads_here_and_little(tools: FileTools) -> None:
    rule = b"a{b:c}\n"
    assert run(tools, rule, tool="css-formatter") == b"a {\n  b: c;\n}\n"
    assert tools._nursery._process is None
    run(tools, rule * 3000, tool="css-formatter")
    assert tools._nursery._process is not None


def test_large_content_has_more_time(tools: FileTools) -> None:
    nursery = tools._nursery
    assert [nursery._seconds(size) for size in (0, 1 << 26, (1 << 26) + 1, 1 << 30)] == [
        300,
        300,
        600,
        4_800,
    ]


def test_nothing_is_left_when_all_is_closed(tools: FileTools) -> None:
    run(tools, SMALL)
    nursery = nursery_of(tools)
    waiting = children_of(nursery)
    tools.close()
    tools.close()
    wait_until(lambda: not any(map(is_alive, (nursery, *waiting))))


def test_the_nursery_has_one_thread(tools: FileTools) -> None:
    """It is forked: what another thread holds at that moment would be held for ever."""
    run(tools, SMALL)
    nursery = nursery_of(tools)
    assert [task.name for task in Path(f"/proc/{nursery}/task").iterdir()] == [str(nursery)]
