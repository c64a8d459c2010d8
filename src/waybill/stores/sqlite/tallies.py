"""Sums over the jobs that ended, raised in the transaction that ends each."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from waybill.model.job import JobState
from waybill.stores.sqlite.part import change, every
from waybill.stores.sqlite.rows import from_counts
from waybill.stores.sqlite.values import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import apsw

    from waybill.ports.job_store import Finish

OUTCOMES: Final = (
    "created",
    "updated",
    "unchanged",
    "deleted",
    "rejected",
    "skipped",
    "unprocessed",
)


def tally_finish(writer: apsw.Connection, finish: Finish) -> None:
    """Count a job that ends by a run."""
    change(writer, "add_tallies", {"tallies": to_json(list(_rows_of(finish)))})


def tally_early_cancel(writer: apsw.Connection) -> None:
    """Count a job that was canceled before it ran."""
    change(writer, "add_tallies", {"tallies": to_json([("jobs", JobState.CANCELED, 1)])})


def read_tallies(reader: apsw.Connection) -> Mapping[str, Mapping[str, float]]:
    """Every sum by name and label."""
    tallies: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for name, label, value in every(reader, "list_tallies"):
        tallies[name][label] = value
    return dict(tallies)


def _rows_of(finish: Finish) -> Iterator[tuple[str, str, float]]:
    yield "jobs", finish.state, 1
    counts = from_counts(finish.counts)
    for outcome in OUTCOMES:
        if counts[outcome]:
            yield "records", outcome, counts[outcome]
    for phase, seconds in finish.phase_seconds.items():
        yield "phase_seconds", phase, seconds
