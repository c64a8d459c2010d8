"""Rules over the whole file in bounded memory: duplicate keys, references within the file.

Chunks leave digests in ledgers on disk. A digest that occurs twice only makes a candidate: the
candidates' real keys are compared, by 128 bits of BLAKE2b, before anything is called a duplicate.

Memory: the candidates at under 50 bytes each, one partition of a ledger, and one chunk.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from waybill.ports.sink import KEY, RECORD
from waybill.validation.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

_STRONG: Final = np.dtype([("high", np.uint64), ("low", np.uint64)])
_DIGEST_BYTES: Final = 16
_BLOCK: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """The records that share a key with another, in record order, as parallel arrays.

    ``group``: records with one key have one number, dense from 0. ``firsts`` and ``lasts``: first
    and last record by group number.
    """

    record: np.ndarray
    group: np.ndarray
    firsts: np.ndarray
    lasts: np.ndarray

    def __len__(self) -> int:
        return len(self.record)

    @property
    def first_record(self) -> np.ndarray:
        """The first record of each record's group; made anew on every call."""
        first: np.ndarray = self.firsts[self.group]
        return first

    @property
    def last_record(self) -> np.ndarray:
        """The last record of each record's group; made anew on every call."""
        last: np.ndarray = self.lasts[self.group]
        return last

    def between(self, first: int, last: int) -> Duplicates:
        """Those with record numbers from ``first`` to ``last``, both included; views, no copies."""
        start = int(np.searchsorted(self.record, first, side="left"))
        stop = int(np.searchsorted(self.record, last, side="right"))
        return replace(self, record=self.record[start:stop], group=self.group[start:stop])


class KeyLedger:
    """Digests of the keys of all accepted records."""

    def __init__(self, directory: Path) -> None:
        self._ledger = Ledger(directory, "keys")

    def add(self, records: np.ndarray, digests: np.ndarray) -> None:
        """Note records (int64) with the digests (uint64) of their keys; 0 means no key.

        Raises:
            StorageFull: the disk refuses the write.
        """
        self._ledger.add(records, digests)

    def candidates(self) -> np.ndarray:
        """Numbers of the records whose digest occurs more than once, rising."""
        held = self._ledger.held()
        parts = self._ledger.partitions() if held is None else [held]
        records = np.concatenate([_repeated(entries) for entries in parts])
        records.sort()
        return records

    def close(self) -> None:
        """Remove the ledger from disk; safe to repeat."""
        self._ledger.close()


class DuplicateFinder:
    """Finds the real duplicates among the candidates; feed it the spool, then ask ``groups``.

    ``columns``: what makes the key: the column ``_key``, or the fields of a unique key.
    """

    def __init__(self, ledger: KeyLedger, columns: Sequence[str] = (KEY,)) -> None:
        self._columns = tuple(columns)
        self._records = ledger.candidates()
        self._strong = np.zeros(len(self._records), dtype=_STRONG)
        self._seen = np.zeros(len(self._records), dtype=bool)

    @property
    def is_needed(self) -> bool:
        """Whether there is any candidate; without one the spool need not be read again."""
        return len(self._records) > 0

    def candidates_between(self, first: int, last: int) -> int:
        """How many candidates have record numbers from ``first`` to ``last``."""
        bounds = np.searchsorted(self._records, (first, last + 1), side="left")
        return int(bounds[1] - bounds[0])

    def confirm(self, chunk: pa.Table, rank: int = 0) -> None:
        """Look at the keys of the candidates in one chunk of accepted records.

        Records whose ranks differ are no duplicates.
        """
        numbers: np.ndarray = chunk.column(RECORD).to_numpy()
        if not len(numbers) or not self.candidates_between(int(numbers[0]), int(numbers[-1])):
            return
        places = np.searchsorted(self._records, numbers)
        places[places == len(self._records)] = 0
        rows = np.flatnonzero(self._records[places] == numbers)
        if not len(rows):
            return
        keys = chunk.select(list(self._columns)).take(rows)
        digests = b"".join(_strong_digests(keys, rank))
        self._strong[places[rows]] = np.frombuffer(digests, dtype=_STRONG)
        self._seen[places[rows]] = True

    def groups(self) -> Duplicates:
        """The confirmed duplicates. The finder is spent afterwards."""
        records, strong = self._records, self._strong
        self._records, self._strong = records[:0], strong[:0]
        if not self._seen.all():
            records, strong = records[self._seen], strong[self._seen]
        order = np.lexsort((strong["low"], strong["high"]))
        is_start = _run_starts(strong, order)
        del strong
        return _in_record_order(records, order, is_start)


class ReferenceLedger:
    """Which records refer to keys that no accepted record of the file has."""

    def __init__(self, directory: Path) -> None:
        self._keys = Ledger(directory, "referred")
        self._references = Ledger(directory, "referring")

    def add(self, records: np.ndarray, references: np.ndarray, keys: np.ndarray) -> None:
        """Note, per record, the digest of what it refers to and of what it offers; 0: nothing.

        Raises:
            StorageFull: the disk refuses the write.
        """
        self._references.add(records, references)
        self._keys.add(records, keys)

    def missing(self) -> np.ndarray:
        """Numbers of the records whose reference is not in the file, rising."""
        references, keys = self._references.held(), self._keys.held()
        pairs = (
            zip(self._references.partitions(), self._keys.partitions(), strict=True)
            if references is None or keys is None
            else [(references, keys)]
        )
        found = [
            entries["record"][~np.isin(entries["digest"], offered["digest"])]
            for entries, offered in pairs
        ]
        records = np.concatenate(found)
        records.sort()
        return records

    def close(self) -> None:
        """Remove the ledgers from disk; safe to repeat."""
        self._keys.close()
        self._references.close()


def _repeated(entries: np.ndarray) -> np.ndarray:
    """Records of the entries whose digest occurs more than once."""
    digests = np.sort(entries["digest"])
    repeated = digests[1:][digests[1:] == digests[:-1]]
    if not len(repeated):
        return np.empty(0, dtype=np.int64)
    records: np.ndarray = entries["record"][np.isin(entries["digest"], repeated)]
    return records


def _strong_digests(keys: pa.Table, rank: int) -> Iterator[bytes]:
    columns = [column.to_pylist() for column in keys.columns]
    if len(columns) == 1:
        texts = (str(value) for value in columns[0])
    else:
        texts = (repr(values) for values in zip(*columns, strict=True))
    for text in texts:
        salt = rank.to_bytes(hashlib.blake2b.SALT_SIZE)
        yield hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES, salt=salt).digest()


def _run_starts(strong: np.ndarray, order: np.ndarray) -> np.ndarray:
    """For each place of ``order`` whether another digest stands there than before."""
    is_start = np.ones(len(order), dtype=bool)
    for begin in range(1, len(order), _BLOCK):
        here = strong[order[begin : begin + _BLOCK]]
        before = strong[order[begin - 1 : begin - 1 + len(here)]]
        is_start[begin : begin + len(here)] = here != before
    return is_start


def _in_record_order(records: np.ndarray, order: np.ndarray, is_start: np.ndarray) -> Duplicates:
    """Runs of equal keys as groups of at least two; ``records`` rise, runs keep their order."""
    is_single = is_start & np.append(is_start[1:], [True])
    order, is_start = order[~is_single], is_start[~is_single]
    group = np.empty(len(records), dtype=np.int32)
    group.fill(-1)
    group[order] = np.cumsum(is_start, dtype=np.int32) - 1
    starts = np.flatnonzero(is_start)
    ends = np.append(starts[1:], len(order)) - 1 if len(starts) else starts
    firsts, lasts = records[order[starts]], records[order[ends]]
    del order
    kept = group >= 0
    return Duplicates(record=records[kept], group=group[kept], firsts=firsts, lasts=lasts)
