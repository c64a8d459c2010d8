"""A whole file that is sent again: where its records are stored as it has them, nothing is read.

What a job of upserts has made, the same job leaves as it is. So the sink keeps, beside the records
of an entity, a receipt of the file that they are from; the same file under the same terms is
recognised by it as long as no record has changed, and gets the counts, the warnings and the plan
that reading it again would give.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from waybill import __version__
from waybill.engine.runs.plans import PlanDigest, fingerprint, make_plan, terms_of
from waybill.model.finding import FileWarning
from waybill.model.ids import BlobName
from waybill.model.job import Counts, InputFile
from waybill.model.options import OnDuplicate, Operation
from waybill.model.plan import Effect
from waybill.ports.sink import Preview, Receipt, RepeatingSink

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.engine.runs.applying import ApplyPhase
    from waybill.engine.runs.context import RunContext
    from waybill.model.plan import Plan


_NO_GUARDS: Final[Mapping[str, Any]] = dict.fromkeys(
    ("max_errors", "max_error_ratio", "max_deletes", "max_delete_ratio")
) | {"delete_guard_from": 0}
"""What is stored already meets no guard: nothing is rejected, and nothing goes."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a file, besides what becomes of its records.

    ``job``: that read it. ``said``: as in ``PlanDigest``, of all records that were kept.
    ``is_planned``: whether it has a plan in any case. ``file``: as it is stored.
    """

    job: str
    file: InputFile | None
    facts: dict[str, Any]
    warnings: list[FileWarning]
    said: str = ""
    skipped: int = 0
    is_planned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """A file that is stored already: what is told of it, what became of it, and its plan if any."""

    told: Told
    counts: Counts
    plan: Plan | None


def make_receipt(context: RunContext, phase: ApplyPhase, told: Told) -> Receipt | None:
    """The receipt of a file that was staged whole; ``None`` where it may not be recognised."""
    counts = phase.counts
    is_as_the_file = counts.read and not counts.rejected + counts.unprocessed + counts.deleted
    if not is_as_the_file or phase.operations != {Operation.UPSERT} or not _is_repeatable(context):
        return None
    told = msgspec.structs.replace(
        told,
        said=phase.digest.said,
        skipped=counts.skipped,
        is_planned=phase.job.removal is not None,
    )
    return Receipt(fingerprint=_fingerprint(context), note=msgspec.json.encode(told).decode())


def repeat(context: RunContext) -> Repeated | None:
    """Do what the job asks without its file, where that is stored already.

    ``None``: the file is to be read. Only a first attempt asks; a later one may find chunks that
    were read.

    Raises:
        Fenced: another attempt owns the job.
    """
    sink, job = context.sink, context.job
    if job.epoch > 1 or not _is_repeatable(context) or not isinstance(sink, RepeatingSink):
        return None
    fingerprint_of_terms = _fingerprint(context)
    note = sink.receipt_note(job.project, context.entity, fingerprint_of_terms)
    if note is None:
        return None
    told = msgspec.json.decode(note, type=Told)
    known = Receipt(fingerprint=fingerprint_of_terms, note=note)
    if not _is_same_file(context, told) or not sink.repeat(context.sink_job, known):
        return None
    counts, plan = _outcome(context, sink, told)
    if plan is not None and job.options.expected_plan not in {"", plan.hash}:
        sink.abandon(job.id)  # reading tells what is wrong with it
        sink.begin(context.sink_job)
        return None
    if job.options.dry_run:
        sink.abandon(job.id)
    else:
        newer = msgspec.structs.replace(told, file=job.input)  # for this one is kept for longer
        receipt = replace(known, note=msgspec.json.encode(newer).decode())
        sink.seal(replace(context.sink_job, removal=None, receipt=receipt))
    return Repeated(told=told, counts=counts, plan=plan)


def _is_repeatable(context: RunContext) -> bool:
    """Whether the outcome depends on nothing that a fingerprint cannot tell.

    References depend on other records, secrets on the server, and made keys on the job.
    """
    entity = context.entity
    return (
        context.is_staged
        and context.job.input is not None
        and context.job.options.on_duplicate is not OnDuplicate.APPLY
        and not entity.foreign_keys
        and not entity.secret_fields
        and not any(field.generated for field in entity.fields)
    )


def _fingerprint(context: RunContext) -> str:
    job, entity = context.job, context.entity
    file = job.input
    if file is None:
        raise ValueError("the job has no input")
    return fingerprint(
        __version__,
        file.name,
        file.media_type,
        job.descriptor,
        entity.name,
        terms_of(replace(job.options, **_NO_GUARDS)),
        msgspec.json.encode(context.parts.limits, order="deterministic").decode(),
    )


def _is_same_file(context: RunContext, told: Told) -> bool:
    """Whether the file is the one that is told of, packed anew or not."""
    file, known = context.job.input, told.file
    if file is None or known is None:
        return False
    if file.sha256 == known.sha256:
        return True
    blobs = context.parts.blobs
    paths = [blobs.local_path(BlobName(each.blob)) for each in (file, known)]
    if None in paths:
        return False
    return context.parts.hold_the_same(str(paths[0]), str(paths[1]), context.control.check)


def _outcome(context: RunContext, sink: RepeatingSink, told: Told) -> tuple[Counts, Plan | None]:
    """The counts and the plan, as reading the file would give them."""
    digest, unchanged = PlanDigest(), 0
    for result in sink.results(context.job.id):
        digest.note_outcomes(result)
        unchanged += len(result.records)
    read = unchanged + told.skipped
    counts = Counts(read=read, unchanged=unchanged, skipped=told.skipped)
    if not told.is_planned and not context.job.options.is_planned:
        return counts, None
    preview = Preview(samples=dict.fromkeys(Effect, ()))
    version = sink.version(context.job.project, context.entity)
    plan = make_plan(
        context.job, counts, preview, said=told.said, became=digest.became, version=version
    )
    return counts, plan
