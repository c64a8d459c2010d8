"""The check phase: every record of the input judged by itself, the good ones spooled."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from waybill.errors import FileRefused, JobFailed
from waybill.model.job import Counts
from waybill.validation.codes import file_refused, file_warning

if TYPE_CHECKING:
    from pathlib import Path

    from waybill.engine.runs.context import RunContext
    from waybill.engine.runs.duplicates import KeyLedgers
    from waybill.engine.runs.progress import ProgressMeter
    from waybill.engine.runs.spool import Spool
    from waybill.model.finding import FileWarning
    from waybill.ports.reader import Reader
    from waybill.validation.checked import CheckedChunk
    from waybill.validation.checker import Checker


@dataclass(slots=True)
class CheckPhase:
    """Judges the input chunk by chunk; the result is its own fields after ``run``.

    ``failure``: why the input could not be read to its end; what came before it stands.
    """

    context: RunContext
    reader: Reader
    checker: Checker
    spool: Spool
    meter: ProgressMeter
    ledgers: KeyLedgers
    read: int = 0
    rejected: int = 0
    failure: FileRefused | None = None
    warnings: list[FileWarning] = field(default_factory=list)

    def run(self) -> None:
        """Check the whole input.

        Raises:
            JobFailed: more records are rejected than ``max_errors`` allows.
        """
        total = max(self.reader.input_bytes_total, 1)
        try:
            with closing(self.reader.map_chunks(self.checker.check)) as checked_chunks:
                for checked in checked_chunks:
                    self._take(checked)
                    self.meter.checked(self.counts, checked.input_bytes / total)
        except FileRefused as refusal:
            self.failure = refusal
        finally:
            self.warnings = [*self.reader.warnings, *self.checker.warnings, *self.warnings]

    @property
    def counts(self) -> Counts:
        """What is known so far; nothing is applied yet."""
        return Counts(read=self.read, rejected=self.rejected, unprocessed=self.read - self.rejected)

    def _take(self, checked: CheckedChunk) -> None:
        self.read += checked.records
        self.rejected += checked.rejected
        self.spool.add(checked)
        self._guard()
        self.ledgers.note(checked)
        self.warnings = merge_warnings(self.warnings, checked.warnings)

    def _guard(self) -> None:
        allowed = self.context.job.options.max_errors
        if allowed is not None and self.rejected > allowed:
            raise guard_error("MAX_ERRORS_EXCEEDED", allowed=allowed)


def guard_error(code: str, **parameters: str | int) -> JobFailed:
    """The error of a guard that stops a job before any write."""
    told: dict[str, Any] = {**parameters}
    refused = file_refused(code, **told)
    return JobFailed(refused.message, code=code)


def merge_warnings(known: list[FileWarning], new: tuple[FileWarning, ...]) -> list[FileWarning]:
    """Warnings with the same code and column counted together, first lines kept."""
    merged = {(w.code, w.column, w.field): w for w in known}
    for warning in new:
        place = (warning.code, warning.column, warning.field)
        before = merged.get(place)
        merged[place] = warning if before is None else _joined(before, warning)
    return list(merged.values())


def _joined(first: FileWarning, second: FileWarning) -> FileWarning:
    return file_warning(
        first.code,
        field=first.field,
        column=first.column,
        count=first.count + second.count,
        lines=(first.lines + second.lines)[:100],
    )


def scratch_folder(context: RunContext) -> Path:
    """Where this run keeps its ledgers."""
    return context.parts.scratch / context.job.id / str(context.job.epoch)
