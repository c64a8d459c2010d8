"""A mark that every commit changes, read from memory that SQLite shares between processes.

SQLite publishes a commit by writing the header of the log's index, 48 bytes, twice at the start of
``<database>-shm``: first the second copy, then the first. Whoever finds both alike, and as they
were before, knows without asking SQLite that nothing was committed meanwhile.
"""

from __future__ import annotations

import mmap
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

HEADER_BYTES: Final = 48
MAPPED_BYTES: Final = 2 * HEADER_BYTES
_IS_INITIALISED: Final = 12
"""Where the header has a byte that is 1 once the index holds anything."""


@dataclass(slots=True)
class _Mapping:
    """One index mapped for reading, and how many marks look at it."""

    key: tuple[int, int]
    descriptor: int
    memory: mmap.mmap
    users: int = 0

    def close(self) -> None:
        self.memory.close()
        os.close(self.descriptor)


_mappings: Final[dict[tuple[int, int], _Mapping]] = {}
_mappings_guard: Final = threading.Lock()


@dataclass(slots=True)
class ChangeMark:
    """The mark of one database.

    ``index``: the path of its ``-shm`` file. Hold a connection that has read something from before
    ``open`` until after ``hide``: it keeps the file in its place. ``close`` once no connection of
    this process is left, for closing a file drops all locks that the process has on it; that is
    also why a process maps each index only once.
    """

    index: Path
    _mapping: _Mapping | None = None
    _memory: mmap.mmap | None = None
    _known: bytes = field(default=b"")

    def open(self) -> None:
        """Begin to give marks; where the index cannot be mapped there are none."""
        with suppress(OSError, ValueError), _mappings_guard:
            self._mapping = _take(self.index)
            self._memory = self._mapping.memory

    def current(self) -> bytes | None:
        """What stays the same until the next commit of any process.

        ``None`` where that cannot be told: while a commit is being published, before ``open``,
        after ``hide``.
        """
        memory = self._memory
        if memory is None:
            return None
        header = memory[:MAPPED_BYTES]
        if header == self._known:
            return header
        if header[:HEADER_BYTES] != header[HEADER_BYTES:] or header[_IS_INITIALISED] != 1:
            return None
        self._known = header
        return header

    def hide(self) -> None:
        """Give no marks any more; safe to repeat."""
        self._memory = None

    def close(self) -> None:
        """Let go of the index; safe to repeat."""
        self.hide()
        mapping, self._mapping = self._mapping, None
        if mapping is not None:
            with _mappings_guard:
                _give_back(mapping)


def _take(index: Path) -> _Mapping:
    """This process's one mapping of an index."""
    status = index.stat()
    key = (status.st_dev, status.st_ino)
    mapping = _mappings.get(key)
    if mapping is None:
        mapping = _mappings[key] = _map(index, key)
    mapping.users += 1
    return mapping


def _map(index: Path, key: tuple[int, int]) -> _Mapping:
    descriptor = os.open(index, os.O_RDONLY | os.O_CLOEXEC)
    # Stays open even where mapping fails: see ``ChangeMark`` on closing.
    memory = mmap.mmap(descriptor, MAPPED_BYTES, access=mmap.ACCESS_READ)
    return _Mapping(key=key, descriptor=descriptor, memory=memory)


def _give_back(mapping: _Mapping) -> None:
    mapping.users -= 1
    if not mapping.users:
        del _mappings[mapping.key]
        mapping.close()
