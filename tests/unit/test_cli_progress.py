"""Progress: lines where no terminal is, a bar where one is."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from waybill.cli.output import open_output, printable
from waybill.cli.progress import follow
from waybill.client import Job

if TYPE_CHECKING:
    from pathlib import Path


def updates() -> list[Job]:
    steps = [(0.0, "waiting", ""), (0.31, "running", "checking"), (0.33, "running", "checking")]
    jobs = [
        Job(id="j", state=state, phase=phase, progress=share, rate=1234.5, eta_seconds=65.2)
        for share, state, phase in steps
    ]
    return [*jobs, Job(id="j", state="succeeded", progress=1.0)]


def followed(*, terminal: bool) -> tuple[Job, str]:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=100)
    return follow(updates(), console), stream.getvalue()


def test_without_a_terminal_each_tenth_and_each_phase_is_one_line() -> None:
    last, text = followed(terminal=False)
    assert last.state == "succeeded"
    assert text.splitlines() == [
        "  0%  waiting  1,234 records/s  1:05 left",
        " 31%  checking  1,234 records/s  1:05 left",
        "100%  succeeded",
    ]


def test_on_a_terminal_a_bar_shows_rate_and_time_left() -> None:
    _, text = followed(terminal=True)
    assert "\x1b[" in text
    assert "succeeded" in text


def test_a_job_without_updates_is_a_fault() -> None:
    with pytest.raises(ValueError, match="at least one update"):
        follow([], Console(file=io.StringIO()))


def test_what_steers_a_terminal_is_spelled_out() -> None:
    assert printable("a\x1b[31m\u202eb\n\x9b") == "a\\x1b[31m\\u202eb\\n\\x9b"
    assert printable("é 中") == "é 中"


def write_half(target: Path) -> None:
    with open_output(target) as stream:
        stream.write(b"half")
        raise RuntimeError


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(RuntimeError):
        write_half(target)
    assert list(tmp_path.iterdir()) == []
    with open_output(target) as stream:
        stream.write(b"whole")
    assert target.read_bytes() == b"whole"
