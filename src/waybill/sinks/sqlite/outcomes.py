"""What becomes of each record, decided once from what is asked and what is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from waybill.model.options import Operation
from waybill.ports.sink import CREATED, DELETED, REFUSED, UNCHANGED, UPDATED, Refusal
from waybill.sinks.sqlite.incoming import OPERATIONS
from waybill.validation.codes import make_finding

_WHEN_MISSING_AND_FOUND: Final = {
    Operation.UPSERT: (CREATED, UPDATED),
    Operation.INSERT: (CREATED, REFUSED),
    Operation.UPDATE: (REFUSED, UPDATED),
    Operation.DELETE: (REFUSED, DELETED),
    Operation.REMOVE: (UNCHANGED, DELETED),
}
_TABLE: Final = np.array([_WHEN_MISSING_AND_FOUND[each] for each in OPERATIONS], dtype=np.uint8)
_INSERT: Final = OPERATIONS.index(Operation.INSERT)


@dataclass(slots=True, kw_only=True)
class Verdicts:
    """The outcome byte of each position of a chunk, and why some were refused.

    ``removed``: how many records went with their owners.
    """

    outcomes: np.ndarray
    refusals: list[Refusal] = field(default_factory=list)
    removed: int = 0

    def refuse(self, position: int, record: int, operation: int) -> None:
        """Refuse a record whose key is there, or is not, against its operation."""
        code = "KEY_EXISTS" if operation == _INSERT else "KEY_NOT_FOUND"
        self.outcomes[position] = REFUSED
        self.refusals.append(
            Refusal(record=record, code=code, field=None, message=make_finding(code).message)
        )

    def refuse_conflict(self, position: int, record: int, fields: tuple[str, ...]) -> None:
        """Refuse a record whose unique value is taken."""
        code, names = "UNIQUE_CONFLICT", ", ".join(fields)
        self.outcomes[position] = REFUSED
        self.refusals.append(
            Refusal(
                record=record,
                code=code,
                field=fields[0] if len(fields) == 1 else None,
                message=make_finding(code, fields=names).message,
            )
        )

    def refuse_without_key(self, position: int, record: int) -> None:
        """Refuse to update or delete where the entity has no key."""
        code, reason = "SINK_REFUSED", "records of an entity without a key can only be inserted"
        self.outcomes[position] = REFUSED
        message = make_finding(code, reason=reason).message
        self.refusals.append(Refusal(record=record, code=code, field=None, message=message))


def decide(
    operations: np.ndarray, found: np.ndarray, hashes: np.ndarray, stored: np.ndarray
) -> np.ndarray:
    """The outcome byte of each record.

    ``found``: whether its key is there; ``stored``: the hash there. ``UPDATED`` means: unless the
    values turn out to be equal, which the update itself finds.
    """
    outcomes: np.ndarray = _TABLE[operations, found.astype(np.int8)]
    outcomes[(outcomes == UPDATED) & (hashes == stored)] = UNCHANGED
    return outcomes


def decide_one(operation: int, *, is_found: bool, is_same: bool) -> int:
    """The outcome byte of one record, as ``decide`` gives it; ``is_same``: the hashes are equal."""
    outcome = int(_TABLE[operation, int(is_found)])
    return UNCHANGED if outcome == UPDATED and is_same else outcome
