"""Progress of a run: from bytes while checking, from records while applying; never falls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from waybill.model.job import Counts, Phase
from waybill.ports.job_store import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.engine.runs.control import RunControl
    from waybill.model.job import Job
    from waybill.ports.clock import Clock
    from waybill.ports.job_store import RunStore

SECONDS_BETWEEN_SAVES: Final = 0.25
CHECKING_SHARE: Final = 0.4
APPLYING_SHARE: Final = 0.55


@dataclass(slots=True)
class ProgressMeter:
    """Tells the store how far a run is, a few times a second at most.

    ``may_cancel``: see ``RunControl.check``.
    """

    job: Job
    store: RunStore
    clock: Clock
    control: RunControl
    format_facts: Mapping[str, object] = field(default_factory=dict)
    may_cancel: bool = True
    _started: float = field(init=False)
    _saved: float = field(init=False)
    _progress: float = field(init=False)
    _phase: Phase = field(default=Phase.CHECKING, init=False)
    _phase_began: float = field(init=False)
    _phase_seconds: dict[Phase, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Start the clock of this run."""
        self._started = self.clock.monotonic_seconds()
        self._saved = self._started
        self._phase_began = self._started
        self._progress = self.job.progress

    def checked(self, counts: Counts, share: float) -> None:
        """Note that ``share`` (0..1) of the input has been checked."""
        self._note(Phase.CHECKING, counts, CHECKING_SHARE * share, counts.read)

    def applied(self, counts: Counts, share: float) -> None:
        """Note that ``share`` (0..1) of the accepted records has been applied."""
        done = counts.applied + counts.rejected + counts.skipped
        self._note(Phase.APPLYING, counts, CHECKING_SHARE + APPLYING_SHARE * share, done)

    def entered(self, phase: Phase, counts: Counts) -> None:
        """Note the begin of a phase that has no measure of its own."""
        self.began(phase)
        self._note(phase, counts, self._progress, counts.read)

    def began(self, phase: Phase) -> None:
        """Count the time from now on as that of ``phase``; saves nothing, and stops no run."""
        self._phase_seconds = dict(self.phase_seconds())
        self._phase, self._phase_began = phase, self.clock.monotonic_seconds()

    def phase_seconds(self) -> Mapping[Phase, float]:
        """What each phase has taken so far."""
        spent = self.clock.monotonic_seconds() - self._phase_began
        before = self._phase_seconds.get(self._phase, 0.0)
        return self._phase_seconds | {self._phase: before + spent}

    def _note(self, phase: Phase, counts: Counts, progress: float, records: int) -> None:
        self.control.check(may_cancel=self.may_cancel)
        self._progress = max(self._progress, min(progress, 0.99))
        now = self.clock.monotonic_seconds()
        if now - self._saved < SECONDS_BETWEEN_SAVES:
            return
        self._saved = now
        if self.store.save_progress(
            self.job.id, self.job.epoch, self._render(phase, counts, records)
        ):
            self.control.cancel_requested.set()
            self.control.check(may_cancel=self.may_cancel)

    def _render(self, phase: Phase, counts: Counts, records: int) -> Progress:
        elapsed = max(self.clock.monotonic_seconds() - self._started, 1e-6)
        gained = self._progress - self.job.progress
        rest = (1.0 - self._progress) * elapsed / gained if gained > 0 else None
        return Progress(
            phase=phase,
            progress=self._progress,
            counts=counts,
            rate=records / elapsed,
            eta_seconds=rest,
            format_facts=self.format_facts,
        )
