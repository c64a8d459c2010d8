"""Rules over the keys of one file: who shares one, who refers to one; in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from waybill.engine.runs.verdicts import among
from waybill.model.options import OnDuplicate
from waybill.validation.compiled import self_references, unique_sets
from waybill.validation.whole_file import DuplicateFinder, KeyLedger, ReferenceLedger

if TYPE_CHECKING:
    from pathlib import Path

    from waybill.engine.runs.spool import Spool
    from waybill.engine.runs.verdicts import LateFindings
    from waybill.model.entity import Entity, ForeignKey
    from waybill.validation.checked import CheckedChunk
    from waybill.validation.whole_file import Duplicates

_ODD: Final = 0x9E3779B97F4A7C15
NOTHING: Final = np.empty(0, dtype=np.int64)


@dataclass(slots=True)
class KeyLedgers:
    """The digests of one file's keys.

    ``ledgers``: of its key first, then of each unique set of fields. ``references``: of each
    foreign key that leads to the entity itself.
    """

    entity: Entity
    ledgers: tuple[KeyLedger, ...]
    references: tuple[ReferenceLedger, ...]

    @classmethod
    def in_folder(cls, entity: Entity, folder: Path) -> KeyLedgers:
        """Empty ledgers whose files lie in ``folder``."""
        count = bool(entity.key) + len(unique_sets(entity))
        inner = len(self_references(entity))
        return cls(
            entity,
            tuple(KeyLedger(folder / f"keys-{at}") for at in range(count)),
            tuple(ReferenceLedger(folder / f"references-{at}") for at in range(inner)),
        )

    def note(self, checked: CheckedChunk) -> None:
        """Take the digests of a chunk's accepted rows."""
        if not checked.good.num_rows:
            return
        records = checked.good.column("_record").to_numpy()
        keys = [] if checked.key_digests is None else [ranked(checked.key_digests, checked.rank)]
        for ledger, digests in zip(self.ledgers, [*keys, *checked.unique_digests], strict=True):
            ledger.add(records, digests)
        for reference, (wanted, offered) in zip(
            self.references, checked.reference_digests, strict=True
        ):
            reference.add(records, wanted, offered)

    def outside_the_file(self, foreign_key: ForeignKey) -> np.ndarray | None:
        """Records whose reference names no accepted record of this file, rising.

        ``None``: the key leads to another entity, so no record of the file can help.
        """
        for key, ledger in zip(self_references(self.entity), self.references, strict=True):
            if key == foreign_key:
                return ledger.missing()
        return None

    def close(self) -> None:
        """Remove the ledgers from disk."""
        for ledger in self.ledgers:
            ledger.close()
        for references in self.references:
            references.close()

    def judge(self, spool: Spool, policy: OnDuplicate, late: LateFindings) -> np.ndarray:
        """Note every duplicate that is rejected; gives the records superseded by another."""
        ledgers, skipped = list(self.ledgers), NOTHING
        if self.entity.key:
            skipped = self._judge_keys(ledgers.pop(0), spool, policy, late)
        for fields, ledger in zip(unique_sets(self.entity), ledgers, strict=True):
            found = find_duplicates(ledger, fields, spool, skipped)
            late.duplicates.append((fields, found))
        return skipped

    def _judge_keys(
        self, ledger: KeyLedger, spool: Spool, policy: OnDuplicate, late: LateFindings
    ) -> np.ndarray:
        if policy is OnDuplicate.APPLY:
            return NOTHING
        found = find_duplicates(ledger, ("_key",), spool, NOTHING)
        if policy is OnDuplicate.REJECT:
            late.duplicates.append((self.entity.key, found))
            return NOTHING
        return superseded(found, policy)


def find_duplicates(
    ledger: KeyLedger, columns: tuple[str, ...], spool: Spool, skipped: np.ndarray
) -> Duplicates:
    """The groups of accepted records that are equal in ``columns``, without the skipped ones."""
    finder = DuplicateFinder(ledger, columns)
    if finder.is_needed:
        for chunk in spool:
            if chunk.accepted:
                rows = spool.good_rows(chunk)
                numbers = rows.column("_record").to_numpy()
                finder.confirm(rows.filter(pa.array(~among(numbers, skipped))), chunk.rank)
    return finder.groups()


def ranked(digests: np.ndarray, rank: int) -> np.ndarray:
    """The digests so that those of another rank, which is applied apart, are no duplicates."""
    mixed: np.ndarray = digests ^ np.uint64(rank * _ODD % 2**64)
    return mixed


def superseded(found: Duplicates, policy: OnDuplicate) -> np.ndarray:
    """The records of each group but its first or last, rising."""
    kept = found.first_record if policy is OnDuplicate.FIRST else found.last_record
    skipped: np.ndarray = found.record[found.record != kept]
    return skipped
