"""What checking a chunk yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa

    from waybill.model.finding import FileWarning
    from waybill.ports.reader import ReadPosition


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedChunk:
    """One chunk after checking.

    ``good``: the accepted rows as ``ports/sink.py`` describes a chunk, in file order.
    ``rejects``: one line of the master list per rejected record (``validation/rejects.py``), in
    file order. ``key_digests``: uint64 per row of ``good``, ``None`` for an entity without key;
    ``unique_digests``: the same per set of ``compiled.unique_sets`` (0 where a part is missing).
    ``reference_digests``: per key of ``compiled.self_references``, digests of what the record
    refers to and of what can be referred to (0 where a part is missing). Digests hold within one
    process. ``marks``, ``rank``: see ``ports/reader.py``.
    """

    ordinal: int
    first_record: int
    records: int
    good: pa.Table
    rejects: bytes
    rejected: int
    key_digests: np.ndarray | None
    unique_digests: tuple[np.ndarray, ...]
    marks: Sequence[ReadPosition]
    input_bytes: int
    reference_digests: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
    warnings: tuple[FileWarning, ...] = ()
    rank: int = 0
