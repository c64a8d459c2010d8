"""Jobs and rejections as people read them on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.cli.output import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console
    from rich.table import Table

    from waybill.client import Counts, Job, Plan, PlannedChange
    from waybill.client import Finding as WireFinding
    from waybill.model.finding import Finding

_COUNTS = (
    "read",
    "created",
    "updated",
    "unchanged",
    "deleted",
    "removed",
    "rejected",
    "skipped",
    "unprocessed",
    "written",
)


def show_job(console: Console, job: Job) -> None:
    """A job, one fact per line; what it has not is left out."""
    facts = {
        "job": job.id,
        "state": f"{job.state} ({job.outcome})" if job.outcome else job.state,
        "entity": f"{job.entity} ({job.chosen_entity})" if job.chosen_entity else job.entity,
        "reference": job.client_ref,
        "progress": None if job.is_final else f"{job.progress:.0%} {job.phase}",
        "records": counts_text(job.counts),
        "dry run": f"nothing was written; waybill plan {job.id}" if _was_planned(job) else None,
        "rate": f"{job.rate:,.0f} records/s" if job.rate else None,
        "created": job.created_at,
        "finished": job.finished_at,
        "error": f"{job.error.code}: {job.error.message}" if job.error else None,
    }
    for name, fact in facts.items():
        if fact:
            console.print(f"{name:<10}{printable(fact)}", markup=False)


def _was_planned(job: Job) -> bool:
    """Whether a job that is over was only to say what it would do."""
    return job.state == "succeeded" and bool(job.raw.get("options", {}).get("dry_run"))


def show_plan(console: Console, plan: Plan) -> None:
    """A plan: its counts, what would go, then a few records before and after."""
    console.print(f"{'plan':<10}{plan.hash}", markup=False)
    told = counts_text(plan.counts).removeprefix("0 read, ")  # a plan does not count them
    console.print(f"{'records':<10}{told}", markup=False)
    for share in plan.shares:
        name = f"{share.kind} go" if share.kind else "go"
        text = f"{share.gone:,} of {share.stored:,}"
        console.print(f"{printable(name):<10} {text}", markup=False)
    table = _table("change", "record", "field", "before", "after")
    for effect, changes in plan.samples.items():
        for change in changes:
            _add_change(table, effect, change)
    if table.row_count:
        console.print(table)


def _add_change(table: Table, effect: str, change: PlannedChange) -> None:
    """The fields of a record that change, one line each; of a new or lost one all it has."""
    before, after = change.before or {}, change.after or {}
    number = "" if change.record is None else f"{change.record:,}"
    for field in {**before, **after}:
        old, new = before.get(field), after.get(field)
        if old != new:
            _add_row(table, (effect, number, field, _shown(old), _shown(new)))


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def counts_text(counts: Counts) -> str:
    """The counts that are not zero, in the order of the law; ``read`` always."""
    parts = [(name, getattr(counts, name)) for name in _COUNTS]
    return ", ".join(f"{count:,} {name}" for name, count in parts if count or name == "read")


def jobs_table(jobs: Iterable[Job]) -> Table:
    """Jobs, one line each."""
    table = _table("job", "entity", "state", "outcome", "created")
    table.add_column("read", justify="right")
    table.add_column("rejected", justify="right")
    for job in jobs:
        texts = (job.id, job.entity, job.state, job.outcome or "", job.created_at or "")
        numbers = (f"{job.counts.read:,}", f"{job.counts.rejected:,}")
        _add_row(table, (*texts, *numbers))
    return table


def findings_table(rows: Iterable[tuple[int, int, Sequence[WireFinding | Finding]]]) -> Table:
    """Findings, one line each, from (record, physical line, findings) of each rejection.

    A column for cells or pointers is there where a finding has one.
    """
    shown = [(record, line, finding) for record, line, findings in rows for finding in findings]
    has_places = any(finding.cell or finding.pointer for _, _, finding in shown)
    table = _table()
    table.add_column("record", justify="right")
    table.add_column("line", justify="right")
    for name in (*(("place",) if has_places else ()), "field", "code", "what is wrong", "hint"):
        table.add_column(name)
    for record, line, finding in shown:
        place = (finding.cell or finding.pointer or "",) if has_places else ()
        words = (finding.field or "", finding.code, finding.message, finding.hint or "")
        _add_row(table, (f"{record:,}", f"{line:,}", *place, *words))
    return table


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    return Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)


def _add_row(table: Table, texts: Sequence[str]) -> None:
    from rich.text import Text

    table.add_row(*(Text(shortened(text)) for text in texts))
