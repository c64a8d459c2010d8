"""What became of every record of a job, in input order: those that were applied and the rejected.

For reports in a dialect's own form. Memory is a few chunks of the input.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from waybill.engine.accepted import AcceptedRecords
from waybill.engine.downloads import rejection_stream, require_applied
from waybill.engine.inputs.made_keys import made_key
from waybill.engine.job_files import columns_of
from waybill.engine.runs.cells import MASK
from waybill.reports.layout import lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from waybill.engine.report_parts import ReportParts
    from waybill.model.entity import Field
    from waybill.model.finding import Finding
    from waybill.model.job import Job

REJECTED: Final = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcome:
    """One record, and in ``findings`` why it was rejected.

    ``outcome``: ``created``, ``updated``, ``unchanged``, ``deleted`` or ``rejected``. ``cells``: of
    ``OutcomeStream.columns``; ``None`` for a missing one, and for a secret.
    """

    record: int
    line: int
    outcome: str
    cells: Sequence[str | None]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeStream:
    """All records that have an outcome, to be read once.

    ``columns``: the file's own, without those that an earlier report had added. ``fields``: the
    declared ones by name, none where no entity was found. ``places``: of each that the file has,
    its place in ``cells``.
    """

    columns: Sequence[str]
    fields: Mapping[str, Field]
    places: Mapping[str, int]
    records: Iterator[RecordOutcome]


def outcome_stream(parts: ReportParts, job: Job) -> OutcomeStream:
    """The outcomes of a final job.

    Raises:
        StateConflict: the job is not final, or was a dry run.
        Gone: retention has ended.
    """
    require_applied(parts, job)
    layout = lay_out(columns_of(job))
    rejected = rejection_stream(parts, job)
    both = heapq.merge(
        (
            RecordOutcome(record=record, line=line, outcome=outcome, cells=_shown(cells))
            for record, line, outcome, cells in AcceptedRecords(parts, job).with_lines()
        ),
        (
            RecordOutcome(
                record=each.record,
                line=each.line,
                outcome=REJECTED,
                cells=_as_sent(_shown(layout.cells(each)), made_key(job.id, each.record)),
                findings=each.findings,
            )
            for each in rejected.rejections
        ),
        key=lambda outcome: outcome.record,
    )
    return OutcomeStream(
        columns=layout.columns,
        fields=rejected.fields,
        places={
            name: layout.kept.index(place)
            for name, place in rejected.places.items()
            if place in layout.kept
        },
        records=both,
    )


def _as_sent(cells: Sequence[str | None], made: str) -> Sequence[str | None]:
    """The cells of a rejected record without the key that was made for it in vain."""
    return [None if cell == made else cell for cell in cells]


def _shown(cells: Sequence[str | None]) -> Sequence[str | None]:
    """The cells without what stands for secrets."""
    return [None if cell == MASK else cell for cell in cells]
