"""Verdicts that need more than one record: duplicates in the file, references to nothing.

They are reached before any write, so that guards can act on them; what the sink refuses joins
them while applying. Memory is a few bytes per affected record.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from waybill.validation.codes import make_finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from waybill.model.entity import Entity
    from waybill.model.finding import Finding
    from waybill.ports.sink import Refusal
    from waybill.validation.whole_file import Duplicates


KEY_CODES: Final = ("KEY_EXISTS", "KEY_NOT_FOUND")


@dataclass(slots=True)
class LateFindings:
    """Findings on records that had passed the check.

    ``duplicates``: per key or unique key its fields and the records rejected for it.
    """

    duplicates: list[tuple[tuple[str, ...], Duplicates]] = field(default_factory=list)
    _numbers: array[int] = field(default_factory=lambda: array("q"))
    _choices: array[int] = field(default_factory=lambda: array("l"))
    _known: dict[Finding, int] = field(default_factory=dict)
    _dismissed: set[int] = field(default_factory=set)

    def add(self, record: int, finding: Finding) -> None:
        """Note one finding on a record; equal findings are stored once."""
        self._numbers.append(record)
        self._choices.append(self._known.setdefault(finding, len(self._known)))

    def dismiss(self, records: Iterable[int]) -> None:
        """Forget the findings that ``add`` noted on these records."""
        self._dismissed.update(records)

    def records(self) -> np.ndarray:
        """All records with a late finding, rising, each once."""
        noted = np.frombuffer(self._numbers, dtype=np.int64) if self._numbers else _NOTHING
        if self._dismissed:
            noted = np.setdiff1d(noted, np.fromiter(self._dismissed, dtype=np.int64))
        numbers: np.ndarray = np.concatenate(
            [noted, *(found.record for _, found in self.duplicates)]
        )
        return np.unique(numbers)

    def noted(self, first: int, stop: int) -> Iterator[tuple[int, Finding]]:
        """What ``add`` noted on the records ``first`` up to, not including, ``stop``."""
        if not self._numbers:
            return
        numbers = np.frombuffer(self._numbers, dtype=np.int64)
        findings = list(self._known)
        for place in np.flatnonzero((numbers >= first) & (numbers < stop)).tolist():
            if int(numbers[place]) not in self._dismissed:
                yield int(numbers[place]), findings[self._choices[place]]


_NOTHING = np.empty(0, dtype=np.int64)


@dataclass(slots=True)
class Verdicts:
    """Which accepted records are rejected after all, and which are superseded.

    Both arrays hold record numbers, rising.
    """

    rejected: np.ndarray
    skipped: np.ndarray
    late: LateFindings

    def keep(self, records: np.ndarray) -> np.ndarray:
        """For each of these record numbers whether it goes to the sink."""
        kept: np.ndarray = ~(among(records, self.rejected) | among(records, self.skipped))
        return kept


def among(records: np.ndarray, sorted_numbers: np.ndarray) -> np.ndarray:
    """Whether each record stands in the sorted array."""
    if not len(sorted_numbers):
        return np.zeros(len(records), dtype=bool)
    places = np.searchsorted(sorted_numbers, records)
    places[places == len(sorted_numbers)] = 0
    found: np.ndarray = sorted_numbers[places] == records
    return found


def refusal_finding(refusal: Refusal, entity: Entity) -> Finding:
    """What the sink said, as a finding; one about the key speaks of the key's first field."""
    about_key = refusal.code in KEY_CODES and entity.key
    field = entity.key[0] if about_key else refusal.field
    return replace(make_finding(refusal.code, field=field), message=refusal.message)
