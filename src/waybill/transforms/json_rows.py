"""The rows of a table in JSON: an array of objects or of arrays, or one object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from waybill.transforms.json_items import MOST_ITEM_BYTES, read_items, refused_at, too_long
from waybill.validation.json_structure import COMMA, OPEN_BRACE, OPEN_BRACKET, find_structure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from waybill.model.limits import Limits
    from waybill.transforms.json_rewriting import Part
    from waybill.transforms.tool import Refused, Source

_WANTED: Final = "The JSON must be an array of objects, an array of arrays, or one object."
_decode_objects: Final = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_decode_arrays: Final = msgspec.json.Decoder(list[list[msgspec.Raw]]).decode
_decode_any: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


def decode_objects(batch: bytes) -> Sequence[Mapping[str, msgspec.Raw]]:
    """The rows of a batch of objects: values as compact JSON, by name."""
    return _decode_objects(b"[" + batch + b"]")


def decode_arrays(batch: bytes) -> Sequence[Sequence[msgspec.Raw]]:
    """The rows of a batch of arrays: values as compact JSON."""
    return _decode_arrays(b"[" + batch + b"]")


def read_batches(source: Source, limits: Limits) -> Iterator[tuple[bytes, bool]]:
    """Some whole rows at a time, as compact JSON with commas between them, never empty.

    And whether they are objects: either all are, or all are arrays.

    Raises:
        Refused: as ``read_items``; ``INVALID_JSON`` at a row of another kind;
            ``PAYLOAD_TOO_LARGE`` where a row is too long.
    """
    held = _Held()
    first: int | None = None
    for part in read_items(source, limits):
        batch = held.take(part)
        if not batch:
            continue
        if first is None:
            first = batch[0]
        _require_kind(held, batch, first)
        yield batch, first == OPEN_BRACE
        held.drop()


@dataclass(slots=True)
class _Held:
    """The parts that hold what was not yet given.

    ``skipped``: bytes at the begin of the first one that were. ``depth``: brackets open at the end.
    ``size``: of what a row has that has not ended.
    """

    parts: list[Part] = field(default_factory=list)
    skipped: int = 0
    depth: int = 0
    kind: int | None = None
    size: int = 0
    rest: int = 0

    def take(self, part: Part) -> bytes:
        """The rows that are whole with a further part."""
        if self.kind is None and part.text:
            self.kind = part.text[0]
            self.skipped = int(self.kind == OPEN_BRACKET)
        self.parts.append(part)
        end = self._last_end(part.text)
        if end is None:
            self.size += len(part.text)
            if self.size > MOST_ITEM_BYTES:
                raise too_long("row", self.parts[0].place)
            return b""
        text = b"".join(each.text for each in self.parts)
        self.rest = len(part.text) - end
        return text[self.skipped : len(text) - self.rest]

    def drop(self) -> None:
        """The rows were given; of the last part there may be more than they."""
        last = self.parts[-1]
        self.parts = [last]
        self.skipped = len(last.text) - self.rest + 1  # the comma, too
        self.size = self.rest

    def refused(self, offset: int) -> Refused:
        """At an offset of the rows that ``take`` gave."""
        offset += self.skipped
        parts = iter(self.parts)
        part = next(parts)
        while offset >= len(part.text):
            offset -= len(part.text)
            part = next(parts)
        return refused_at(part, offset, _WANTED)

    def _last_end(self, text: bytes) -> int | None:
        """Where the last row ends that ends in a part; ``None`` where none does."""
        structure = find_structure(text)
        depths = structure.depths + self.depth
        self.depth = int(depths[-1]) if depths.size else self.depth
        if self.kind != OPEN_BRACKET:
            return len(text) if self.depth == 0 and text else None
        if depths.size and self.depth == 0:
            return int(structure.places[-1])
        commas = np.flatnonzero((structure.marks == COMMA) & (depths == 1))
        return int(structure.places[commas[-1]]) if commas.size else None


def _require_kind(held: _Held, batch: bytes, first: int) -> None:
    """All rows are of the kind that the first one is.

    Raises:
        Refused: ``INVALID_JSON`` at one that is not.
    """
    if first not in {OPEN_BRACE, OPEN_BRACKET}:
        raise held.refused(0)
    try:
        (decode_objects if first == OPEN_BRACE else decode_arrays)(batch)
    except msgspec.ValidationError:
        rows = [bytes(row) for row in _decode_any(b"[" + batch + b"]")]
        wrong = next(at for at, row in enumerate(rows) if row[0] != first)
        raise held.refused(sum(len(row) + 1 for row in rows[:wrong])) from None
