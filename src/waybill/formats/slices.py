"""Slices of a text at record boundaries: what every text format is cut into before it is parsed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from waybill.formats.csv_exact import QuoteLayout
    from waybill.formats.text_stream import TextStream
    from waybill.ports.reader import ReadPosition
    from waybill.validation.json_structure import Structure
    from waybill.validation.record_index import Offsets, RecordIndex

    Cut = Callable[[TextStream, "CutRules", ReadPosition], "Cutter"]

CHUNK_BYTES: Final = 4 * 1024 * 1024
"""Decoded text per chunk; a chunk ends with the last record that fits."""

CHUNK_RECORDS: Final = 32_768
"""Records per chunk at most: bounds what a chunk of tiny or malformed records takes in memory."""

MARK_BYTES: Final = 256 * 1024
"""About so much text lies between two places where reading can begin again."""

NO_QUOTES: Final = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class CutRules:
    """How to cut; ``delimiter`` is one ASCII character, ``line_bytes`` excludes the newline.

    Without a delimiter every line is a record, whatever quotes it has. ``nesting_depth``: most
    levels of brackets in a record of JSON.
    """

    delimiter: str
    line_bytes: int
    nesting_depth: int = 64
    chunk_bytes: int = CHUNK_BYTES
    chunk_records: int = CHUNK_RECORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Whole records of the text, not parsed yet; ``start`` and ``end`` bound it.

    ``ends``: where each record ends, if not with its line. ``structure``: of a text of JSON, where
    it was needed to cut it.
    """

    ordinal: int
    text: bytes
    layout: QuoteLayout
    index: RecordIndex
    start: ReadPosition
    end: ReadPosition
    input_bytes: int
    ends: Offsets | None = None
    structure: Structure | None = None

    @property
    def without_end(self) -> bytes:
        """The text without what stands behind its last record, where records do not end lines."""
        return self.text if self.ends is None else self.text[: int(self.ends[-1])]


class Cutter(Protocol):
    """Cuts a text into slices, front to back; see ``SliceCutter``."""

    @property
    def position(self) -> ReadPosition:
        """Where the next slice begins."""

    def slices(self) -> Iterator[Slice]:
        """All slices; raises as ``next_slice``."""

    def skip_to(self, place: ReadPosition) -> None:
        """Go on from the begin of a record that lies ahead."""

    def next_slice(self) -> Slice | None:
        """The next slice; ``None`` at the end."""
