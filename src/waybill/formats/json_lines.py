"""NDJSON: one object per line becomes one row of raw, typed cells."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from waybill.errors import ColumnsGrew
from waybill.formats.json_members import split_members
from waybill.formats.slice_records import find_faults, is_utf8, marks_of, split_records
from waybill.ports.reader import MalformedRecord, RawChunk
from waybill.validation.codes import make_finding
from waybill.validation.record_index import ChunkPositions, index_records
from waybill.validation.text_traits import traits_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.formats.csv_cutting import Slice
    from waybill.formats.json_members import Members
    from waybill.model.finding import Finding
    from waybill.validation.record_index import Offsets

DEPTH: Final = 64
"""Most levels of arrays and objects in one record."""

SHOWN_CHARACTERS: Final = 200
_LINE_ENDS: Final = re.compile(rb"[\r\n]+")
_QUOTE: Final = ord('"')
_BACKSLASH: Final = ord("\\")
_NOTHING: Final = np.empty(0, dtype=np.int64)
_NOT_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_raw: Final = msgspec.json.Decoder(msgspec.Raw).decode
_raw_lines: Final = msgspec.json.Decoder(msgspec.Raw).decode_lines
_strict: Final = msgspec.json.Decoder().decode
_strict_lines: Final = msgspec.json.Decoder().decode_lines


def begins_json_lines(head: bytes) -> bool:
    """Whether a text is objects, one per line: its first line, or the second, is one by itself."""
    lines = _LINE_ENDS.split(head.lstrip(), maxsplit=2)[:2]
    return lines[0].startswith(b"{") and any(map(_is_object, lines))


def names_in(text: bytes) -> tuple[str, ...]:
    """The names of all members of the good records of a text of whole lines, as they appear."""
    records = split_records(text, index_records(text, _NOTHING).starts)
    faults = _faults_of(records)
    good = [record for at, record in enumerate(records) if at not in faults and is_utf8(record)]
    return tuple(split_members(good).known) if good else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LineParser:
    """Makes chunks of slices; ``names`` are the columns, in their order.

    Raises ``ColumnsGrew`` for a member that is none of them.
    """

    names: tuple[str, ...]
    encoding: str

    def parse(self, piece: Slice) -> RawChunk:
        """The chunk of a slice."""
        records = split_records(piece.text, piece.index.starts)
        faults = self._faults(piece, records)
        kept = np.delete(np.arange(len(records)), list(faults))
        members = split_members([records[at] for at in kept.tolist()]) if kept.size else None
        if members is not None:
            self._refuse_strangers(members)
            twice = kept[members.repeated()].tolist()
            faults.update({at: make_finding("DUPLICATE_KEY") for at in twice})
        rows = self._rows(members, kept, faults)
        first = piece.start.record + 1
        positions = ChunkPositions(
            index=piece.index,
            first_record=first,
            first_line=piece.start.line,
            first_byte=piece.start.byte,
        )
        good = np.delete(np.arange(len(records)), list(faults))
        return RawChunk(
            ordinal=piece.ordinal,
            first_record=first,
            records=len(records),
            table=rows,
            record_numbers=good + first,
            malformed=self._malformed(records, positions, faults),
            positions=positions,
            marks=marks_of(piece, positions),
            input_bytes=piece.input_bytes,
            traits=traits_of(piece.text, has_blanks=True, has_escapes=b"\\u" in piece.text),
        )

    def _refuse_strangers(self, members: Members) -> None:
        strangers = [name for name in members.known if name not in self.names]
        if strangers:
            raise ColumnsGrew(f"the records have further members: {', '.join(strangers)}")

    def _faults(self, piece: Slice, records: Sequence[bytes]) -> dict[int, Finding]:
        faults = _faults_of(records)
        for at, byte in ({} if piece.text.isascii() else find_faults(piece)).items():
            offset = piece.start.byte + byte
            faults[at] = make_finding("ENCODING_INVALID", offset=offset, encoding=self.encoding)
        return faults

    def _rows(self, members: Members | None, kept: Offsets, faults: dict[int, Finding]) -> pa.Table:
        texts: dict[str, Any] = {}
        kinds: dict[str, Any] = {}
        for index, name in enumerate(self.names):
            if members is None:
                column: tuple[Any, Any] = pa.array([], pa.string()), pa.array([], pa.uint8())
            else:
                column = members.column(name, kept.size)
            texts[f"c{index}"], kinds[f"k{index}"] = column
        table = pa.table({**texts, **kinds})
        bad = np.isin(kept, list(faults))
        return table.filter(pa.array(~bad)) if bad.any() else table

    def _malformed(
        self, lines: Sequence[bytes], positions: ChunkPositions, faults: dict[int, Finding]
    ) -> Sequence[MalformedRecord]:
        records = sorted(faults)
        places = positions.locate([positions.first_record + at for at in records])
        return [
            MalformedRecord(
                record=positions.first_record + at,
                line=line,
                byte=byte,
                cells=(None,) * len(self.names),
                findings=(_with_value(faults[at], lines[at]),),
            )
            for at, (line, byte) in zip(records, places, strict=True)
        ]


def _faults_of(records: Sequence[bytes]) -> dict[int, Finding]:
    """What is wrong with each record that is no object."""
    if _are_objects(records):
        return {}
    found = ((at, _fault(record)) for at, record in enumerate(records))
    return {at: fault for at, fault in found if fault is not None}


def _are_objects(records: Sequence[bytes]) -> bool:
    """Whether all records are certainly objects, told at once."""
    if not records or max(map(_brackets, records)) > DEPTH:
        return False
    text = b"\n".join(records)
    try:
        values = _raw_lines(text)
        if b"\\u" in text:
            _strict_lines(text)
    except _NOT_JSON:
        return False
    # No record has a newline: where as many values join to the same text, each value is a record.
    is_one_each = len(values) == len(records) and b"\n".join(values) == text
    return is_one_each and (b"\n" + text).count(b"\n{") == len(records)


def _fault(record: bytes) -> Finding | None:
    """What is wrong with a record as a whole."""
    if _deepest(record) > DEPTH:
        return make_finding("JSON_TOO_DEEP", allowed=DEPTH)
    try:
        # Escapes are looked at only by the decoder that undoes them.
        (_strict if b"\\u" in record else _raw)(record)
    except _NOT_JSON as error:
        return make_finding("JSON_INVALID", reason=str(error))
    if not record.lstrip().startswith(b"{"):
        return make_finding("NOT_AN_OBJECT")
    return None


def _deepest(record: bytes) -> int:
    """At least the depth of the record: brackets inside of strings count here too."""
    opening = _brackets(record)
    if opening <= DEPTH:
        return opening
    level = deepest = 0
    is_inside = is_escaped = False
    for byte in record:
        if is_inside:
            is_inside = is_escaped or byte != _QUOTE
            is_escaped = byte == _BACKSLASH and not is_escaped
        elif byte == _QUOTE:
            is_inside = True
        elif byte in b"{[":
            level += 1
            deepest = max(deepest, level)
        elif byte in b"}]":
            level -= 1
    return deepest


def _brackets(record: bytes) -> int:
    return record.count(b"{") + record.count(b"[")


def _is_object(line: bytes) -> bool:
    return _fault(line) is None


def _with_value(finding: Finding, record: bytes) -> Finding:
    text = record.decode(errors="backslashreplace")
    shown = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."
    return replace(finding, value=shown)
