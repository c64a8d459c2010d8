"""Which records of a slice are JSON objects: all at once, one by one only where some are not."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from operator import ne
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from waybill.formats.slice_records import find_faults, is_utf8, record_bytes
from waybill.validation.codes import make_finding
from waybill.validation.json_structure import (
    BACKSLASH,
    CLOSE_BRACE,
    OPEN_BRACE,
    find_structure,
    find_unicode_escapes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from waybill.formats.slices import Slice
    from waybill.model.finding import Finding
    from waybill.validation.json_structure import Structure
    from waybill.validation.record_index import Offsets

SHOWN_CHARACTERS: Final = 200
_FEW_RECORDS: Final = 32
"""Sooner looked at one by one than halved."""
NOT_JSON: Final = (msgspec.DecodeError, RecursionError)
_GOOD_ESCAPE: Final = re.compile(
    rb"""\\(?:["\\/bfnrt]
         | u(?![dD][89a-fA-F])[0-9a-fA-F]{4}
         | u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})""",
    re.VERBOSE,
)
_NO_BRACKETS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[^\[\]{}"]++', re.DOTALL)
BAD_ESCAPE: Final = "an escape in a string is no character"
decode_raw: Final = msgspec.json.Decoder(msgspec.Raw).decode
_raw_lines: Final = msgspec.json.Decoder(msgspec.Raw).decode_lines
_raw_elements: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The records of a slice, counted from 0 in it.

    ``text``: those that are objects, with white space or commas between them. ``structure``: of it.
    ``records``: their numbers. ``faults``: what is wrong with others. ``bad_bytes``: those that
    hold bytes which are not UTF-8, with the offset of the first one.
    """

    text: bytes
    structure: Structure
    records: Offsets
    faults: Mapping[int, Finding]
    bad_bytes: Mapping[int, int]


def judge(piece: Slice, depth: int) -> Judged:
    """What the records of a slice are; ``depth``: most levels of brackets in one of them."""
    numbers = np.arange(piece.index.records, dtype=np.int64)
    structure = _proven(piece, depth)
    if structure is not None:
        return Judged(
            text=piece.text, structure=structure, records=numbers, faults={}, bad_bytes={}
        )
    bad_bytes = find_faults(piece)
    records = [record_bytes(piece, number) for number in range(piece.index.records)]
    faults = _faults(records, 0, depth)
    for number in bad_bytes:
        faults.pop(number, None)
    left_out = [*faults, *bad_bytes]
    kept = np.delete(numbers, left_out)
    text = b"\n".join([records[number] for number in kept.tolist()])
    return Judged(
        text=text,
        structure=find_structure(text),
        records=kept,
        faults=faults,
        bad_bytes=bad_bytes,
    )


def _proven(piece: Slice, depth: int) -> Structure | None:
    """The structure of a slice all of whose records are certainly objects; else ``None``."""
    text = piece.text
    if not piece.index.records or not (text.isascii() or is_utf8(text)):
        return None
    try:
        is_lines = piece.ends is None
        values = _raw_lines(text) if is_lines else _raw_elements(b"[" + piece.without_end + b"]")
    except NOT_JSON:
        return None
    structure = piece.structure or find_structure(text)
    if len(values) != piece.index.records or structure.deepest > depth:
        return None
    if find_unicode_escapes(text, structure.backslashes).size and _has_bad_escape(text):
        return None
    return structure if _are_one_each(piece, structure) else None


def _are_one_each(piece: Slice, structure: Structure) -> bool:
    """Whether as many values as records are one object in each record.

    Elements are cut where commas part them, so there it is enough to count the objects. A line may
    hold two objects, or a part of one: each must have its own bracket at both ends. Where one
    begins with each line, none is left to go on into the next.
    """
    opening = structure.places[(structure.marks == OPEN_BRACE) & (structure.depths == 1)]
    starts = piece.index.starts
    if opening.size != starts.size:
        return False
    if piece.ends is not None or np.array_equal(opening, starts):
        return True
    closing = structure.places[(structure.marks == CLOSE_BRACE) & (structure.depths == 0)]
    own = np.arange(starts.size)
    return all(
        np.array_equal(starts.searchsorted(places, "right") - 1, own)
        for places in (opening, closing)
    )


def _faults(records: Sequence[bytes], first: int, depth: int) -> dict[int, Finding]:
    """What is wrong with each record that is no object; ``first``: the number of the first one."""
    if not records or _are_objects(records, depth):
        return {}
    if len(records) <= _FEW_RECORDS:
        found = {number: fault_of(record, depth) for number, record in enumerate(records, first)}
        return {number: fault for number, fault in found.items() if fault is not None}
    middle = len(records) // 2
    return {
        **_faults(records[:middle], first, depth),
        **_faults(records[middle:], first + middle, depth),
    }


def _are_objects(records: Sequence[bytes], depth: int) -> bool:
    """Whether all records are certainly objects, told at once."""
    text = b",".join(records)  # not by lines: an element of an array may have several
    try:
        values = _raw_elements(b"[" + text + b"]")
    except NOT_JSON:
        return False
    if len(values) != len(records) or any(map(ne, map(bytes, values), records)):
        return False
    if not all(record.startswith(b"{") for record in records):
        return False
    return find_structure(text).deepest <= depth and not (b"\\u" in text and _has_bad_escape(text))


def fault_of(record: bytes, depth: int) -> Finding | None:
    """What is wrong with a record as a whole."""
    if record.count(b"{") + record.count(b"[") > depth and _deepest(record) > depth:
        return make_finding("JSON_TOO_DEEP", allowed=depth)
    if not record.strip():
        return make_finding("JSON_INVALID", reason="nothing stands between two commas")
    try:
        decode_raw(record)
    except NOT_JSON as error:
        is_escape = b"\\u" in record and _has_bad_escape(record)
        return make_finding("JSON_INVALID", reason=BAD_ESCAPE if is_escape else str(error))
    if b"\\u" in record and _has_bad_escape(record):
        return make_finding("JSON_INVALID", reason=BAD_ESCAPE)
    if not record.lstrip().startswith(b"{"):
        return make_finding("NOT_AN_OBJECT")
    return None


def _deepest(record: bytes) -> int:
    """The most brackets that are open at one place; for short records sooner than a structure."""
    level = deepest = 0
    for bracket in _NO_BRACKETS.sub(b"", record):
        level += 1 if bracket in b"{[" else -1
        deepest = max(deepest, level)
    return deepest


def holds_bad_text(text: bytes) -> bool:
    """Whether bytes, or escapes, of valid JSON are no characters."""
    if not (text.isascii() or is_utf8(text)):
        return True
    return b"\\u" in text and _has_bad_escape(text)


def _has_bad_escape(text: bytes) -> bool:
    """Whether an escape of valid JSON stands for no character, such as half of a pair."""
    return BACKSLASH in _GOOD_ESCAPE.sub(b"", text)


def with_value(finding: Finding, record: bytes) -> Finding:
    """The finding with the record's text, or the beginning of a long one."""
    text = record.decode(errors="backslashreplace")
    shown = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."
    return replace(finding, value=shown)
