"""Numbers of records and digests, on disk once they are many, in partitions that fit in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from waybill.errors import StorageFull

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import RawIOBase
    from pathlib import Path

PARTITION_BITS: Final = 6
PARTITIONS: Final = 1 << PARTITION_BITS
"""Files per ledger: 64, so that 100 million records make partitions of 25 MB."""

ENTRY: Final = np.dtype([("digest", np.uint64), ("record", np.int64)])


HELD: Final = 1 << 16
"""Entries, a mebibyte of them, that stay in memory before they go to disk together."""


class Ledger:
    """Keeps (record, digest) pairs: few in memory, many in files by the first bits of the digest.

    The directory belongs to the ledger; ``close`` removes its files. Not for several threads.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = name
        self._paths: list[Path] = []
        self._held: list[np.ndarray] = []
        self._files: list[RawIOBase] = []

    def add(self, records: np.ndarray, digests: np.ndarray) -> None:
        """Append pairs; a digest of 0 means no value and is left out.

        Raises:
            StorageFull: the disk refuses the write.
        """
        present = digests != 0
        if not present.all():
            records, digests = records[present], digests[present]
        entries = np.empty(len(digests), dtype=ENTRY)
        entries["record"] = records
        entries["digest"] = digests
        self._held.append(entries)
        if sum(map(len, self._held)) > HELD:
            self._spill()

    def held(self) -> np.ndarray | None:
        """All entries in the order of adding, ``None`` once they are too many for memory."""
        if self._files:
            return None
        return np.concatenate(self._held) if self._held else np.empty(0, dtype=ENTRY)

    def partitions(self) -> Iterator[np.ndarray]:
        """The entries of each partition in the order of adding; one is in memory at a time.

        Two ledgers cut at the same digests.
        """
        self._spill()
        for path in self._paths:
            yield np.fromfile(path, dtype=ENTRY)

    def close(self) -> None:
        """Close and remove the files; safe to repeat."""
        self._held.clear()
        for file in self._files:
            file.close()
        for path in self._paths:
            path.unlink(missing_ok=True)

    def _spill(self) -> None:
        try:
            if not self._files:
                self._directory.mkdir(parents=True, exist_ok=True)
                names = (f"{self._name}-{part:02d}" for part in range(PARTITIONS))
                self._paths = [self._directory / name for name in names]
                self._files = [path.open("wb", buffering=0) for path in self._paths]
            if self._held:
                self._write(np.concatenate(self._held))
        except OSError as error:
            raise StorageFull(f"the duplicates ledger cannot be written: {error}") from error
        self._held.clear()

    def _write(self, entries: np.ndarray) -> None:
        parts = (entries["digest"] >> np.uint64(64 - PARTITION_BITS)).astype(np.uint8)
        entries = entries[np.argsort(parts, kind="stable")]
        ends = np.cumsum(np.bincount(parts, minlength=PARTITIONS)).tolist()
        start = 0
        for file, end in zip(self._files, ends, strict=True):
            if end > start:
                _write_all(file, entries[start:end].tobytes())
            start = end


def _write_all(file: RawIOBase, data: bytes) -> None:
    """Write through to the system, where a full disk shows at once."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) or 0 :]
