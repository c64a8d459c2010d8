"""What applying a file would do, known before any write: shown, guarded, and held to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from waybill.engine.runs.checking import guard_error
from waybill.errors import JobFailed
from waybill.model.plan import Plan, PlanCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from waybill.model.job import Counts, Job
    from waybill.model.options import ImportOptions
    from waybill.model.plan import KindShare
    from waybill.ports.sink import ChunkResult, Preview

SAMPLES: Final = 10
"""Of each effect so many records are shown."""

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


@dataclass(slots=True)
class PlanDigest:
    """Digests over what each record says, and over what becomes of it, chunk by chunk."""

    _said: Any = field(default_factory=hashlib.sha256)
    _became: Any = field(default_factory=hashlib.sha256)

    def note(self, chunk: int, hashes: pa.ChunkedArray[Any], result: ChunkResult) -> None:
        """Take a chunk."""
        records = np.asarray(result.records, dtype="<i8").tobytes()
        values = hashes.to_numpy().astype("<i8").tobytes()
        _take(self._said, chunk.to_bytes(8), records, values)
        self.note_outcomes(result)

    def note_outcomes(self, result: ChunkResult) -> None:
        """Take what became of a chunk whose records have been taken."""
        _take(self._became, result.chunk.to_bytes(8), result.outcomes)

    @property
    def said(self) -> str:
        """What the records say, hexadecimal."""
        text: str = self._said.hexdigest()
        return text

    @property
    def became(self) -> str:
        """What becomes of them, hexadecimal."""
        text: str = self._became.hexdigest()
        return text


def make_plan(
    job: Job, counts: Counts, preview: Preview, *, said: str, became: str, version: str
) -> Plan:
    """The plan of a job whose counts, but for what was not read, are known.

    ``said``, ``became``: as in ``PlanDigest``. ``version``: of the data as it was before.
    """
    removed = counts.removed + preview.removed
    whole = (said, became, job.descriptor, version, str(removed), terms_of(job.options))
    return Plan(
        hash=fingerprint(*whole),
        data_version=version,
        counts=PlanCounts(
            created=counts.created,
            updated=counts.updated,
            unchanged=counts.unchanged,
            deleted=counts.deleted,
            removed=removed,
            rejected=counts.rejected,
            skipped=counts.skipped,
        ),
        shares=preview.shares,
        samples=preview.samples,
    )


def check_plan(plan: Plan, options: ImportOptions) -> None:
    """Let a plan pass that is the expected one, and that no guard refuses.

    Raises:
        JobFailed: it is not.
    """
    if options.expected_plan not in {"", plan.hash}:
        raise JobFailed(
            "the file or the stored records have changed since the plan was made; "
            "nothing was applied; make a new plan",
            code="PLAN_OUTDATED",
        )
    _guard_count(sum(share.gone for share in plan.shares), options.max_deletes)
    _guard_shares(plan.shares, options)


def _guard_count(gone: int, allowed: int | None) -> None:
    if allowed is not None and gone > allowed:
        raise guard_error("MAX_DELETES_EXCEEDED", gone=gone, allowed=allowed)


def _guard_shares(shares: Sequence[KindShare], options: ImportOptions) -> None:
    allowed = options.delete_ratio
    for share in shares:
        is_guarded = allowed is not None and share.stored >= options.delete_guard_from
        if is_guarded and allowed is not None and share.gone > allowed * share.stored:
            raise guard_error(
                "MAX_DELETE_RATIO_EXCEEDED",
                gone=share.gone,
                stored=share.stored,
                kind=f" of kind {share.kind}" if share.kind else "",
                allowed=f"{allowed:g}",
            )


def fingerprint(*parts: str) -> str:
    """One SHA-256 of several texts, hexadecimal."""
    digest = hashlib.sha256()
    _take(digest, *(part.encode() for part in parts))
    return digest.hexdigest()


def _take(digest: hashlib._Hash, *parts: bytes) -> None:
    """Take each part so that no two lists of parts are alike."""
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)


def terms_of(options: ImportOptions) -> str:
    """The options that the effect depends on, the same for a dry run and for what applies it."""
    terms = msgspec.to_builtins(options)
    for name in ("dry_run", "expected_plan"):
        del terms[name]
    return _ENCODER.encode(terms).decode()
