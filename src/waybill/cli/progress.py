"""A job's progress as it runs: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from waybill.cli.output import open_console, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console
    from rich.progress import Progress

    from waybill.client import Job

_LINE_STEP = 0.1


class ShowProgress(Protocol):
    """Shows how far something is."""

    def __call__(
        self, share: float, what: str, rate: float | None, eta_seconds: float | None
    ) -> None:
        """``share``: 0..1. ``rate``: records per second. Unknown values are ``None``."""


def follow(updates: Iterable[Job], console: Console | None = None) -> Job:
    """Show every update and give the last one.

    Raises:
        ValueError: there was no update.
    """
    last: Job | None = None
    with progress_display(console or open_console(for_errors=True)) as show:
        for last in updates:
            show(last.progress, _caption(last), last.rate, last.eta_seconds)
    if last is None:
        raise ValueError("a job has at least one update")
    return last


@contextmanager
def progress_display(console: Console) -> Iterator[ShowProgress]:
    """What to call with each update; the display ends with the block."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    with _bar(console) as progress:
        yield _Bar(progress)


class _Lines:
    """One line per change of caption and per tenth."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: tuple[str, int] | None = None

    def __call__(
        self, share: float, what: str, rate: float | None, eta_seconds: float | None
    ) -> None:
        step = (what, int(share / _LINE_STEP))
        if step == self._shown:
            return
        self._shown = step
        parts = [f"{share:4.0%}", what, _rate_text(rate), _eta_text(eta_seconds)]
        self._console.print("  ".join(part for part in parts if part), markup=False)


class _Bar:
    """A live bar with rate and time left."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=1.0, rate="", eta="")

    def __call__(
        self, share: float, what: str, rate: float | None, eta_seconds: float | None
    ) -> None:
        self._progress.update(
            self._task,
            completed=share,
            description=what,
            rate=_rate_text(rate),
            eta=_eta_text(eta_seconds),
        )


def _bar(console: Console) -> Progress:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[eta]}", markup=False),
        console=console,
    )


def _caption(job: Job) -> str:
    return printable(job.phase if job.state == "running" and job.phase else job.state)


def _rate_text(rate: float | None) -> str:
    return f"{rate:,.0f} records/s" if rate else ""


def _eta_text(eta_seconds: float | None) -> str:
    if eta_seconds is None:
        return ""
    minutes, seconds = divmod(max(0, round(eta_seconds)), 60)
    return f"{minutes}:{seconds:02d} left"
