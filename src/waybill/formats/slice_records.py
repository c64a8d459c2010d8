"""The records of a slice of text, whatever its format: bytes, faults, places."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from waybill.formats.slices import MARK_BYTES
from waybill.ports.reader import ReadPosition
from waybill.validation.record_index import as_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.formats.slices import Slice
    from waybill.validation.record_index import ChunkPositions

_FIRST_BEYOND_ASCII = 0x80


def marks_of(piece: Slice, positions: ChunkPositions) -> Sequence[ReadPosition]:
    """The place of every so manieth record of a slice, the first included."""
    step = max(1, piece.index.starts.size * MARK_BYTES // max(1, len(piece.text)))
    before = range(piece.start.record, piece.end.record, step)
    places = positions.locate([record + 1 for record in before])
    return [
        ReadPosition(byte=byte, line=line, record=record)
        for record, (line, byte) in zip(before, places, strict=True)
    ]


def record_bytes(piece: Slice, record: int) -> bytes:
    """The bytes of one record, without its newline."""
    starts = piece.index.starts
    begin = int(starts[record])
    if piece.ends is not None:
        return piece.text[begin : int(piece.ends[record])]
    end = int(starts[record + 1]) if record + 1 < starts.size else len(piece.text)
    return piece.text[begin:end].rstrip(b"\r\n")


def find_faults(piece: Slice) -> dict[int, int]:
    """Records that hold bytes which are not UTF-8, each with the offset of the first one."""
    faults: dict[int, int] = {}
    if is_utf8(piece.text):
        return faults
    beyond_ascii = np.flatnonzero(as_array(piece.text) >= _FIRST_BEYOND_ASCII)
    for record in piece.index.records_at(beyond_ascii).tolist():
        try:
            record_bytes(piece, record).decode()
        except UnicodeDecodeError as error:
            faults[record] = int(piece.index.starts[record]) + error.start
    return faults


def is_utf8(text: bytes) -> bool:
    """Whether all of it is UTF-8, without decoding it."""
    offsets = pa.py_buffer(struct.pack("=ii", 0, len(text)))
    whole = pa.Array.from_buffers(pa.string(), 1, [None, offsets, pa.py_buffer(text)])
    try:
        whole.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
