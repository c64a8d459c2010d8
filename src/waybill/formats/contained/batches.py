"""Rows on their way to the parent: tables of text and kinds, with what could not become a row."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec
import pyarrow as pa

from waybill.formats.contained.protocol import (
    LINE,
    BatchFacts,
    Fault,
    FrameKind,
    Table,
    broken_protocol,
    decoded,
    write_frame,
)
from waybill.ports.reader import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.model.limits import Limits

    TextColumn = pa.Array[pa.StringScalar]
    KindColumn = pa.Array[pa.UInt8Scalar]

_SIZE: Final = struct.Struct(">I")
_KINDS: Final = frozenset(kind.value for kind in Kind)

BATCH_BYTES: Final = 16 * 1024 * 1024
"""A batch whose text is larger is sent in halves, down to single records."""


def batch_schema(columns: int) -> pa.Schema:
    """What every batch of a table of so many columns looks like."""
    texts: dict[str, Any] = {f"c{index}": pa.string() for index in range(columns)}
    kinds: dict[str, Any] = {f"k{index}": pa.uint8() for index in range(columns)}
    return pa.schema({**texts, **kinds, LINE: pa.int64()})


def send_table(output: BinaryIO, table: Table) -> None:
    """Send the header."""
    write_frame(output, FrameKind.HEADER, msgspec.json.encode(table))


def send_batch(
    output: BinaryIO,
    facts: BatchFacts,
    texts: Sequence[TextColumn],
    kinds: Sequence[KindColumn],
    lines: Sequence[int],
) -> None:
    """Send rows and the faults between them."""
    columns = [*texts, *kinds, pa.array(lines, pa.int64())]
    batch = pa.record_batch(columns, schema=batch_schema(len(texts)))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    told = msgspec.json.encode(facts)
    payload = b"".join((_SIZE.pack(len(told)), told, sink.getvalue()))
    write_frame(output, FrameKind.BATCH, payload)


def batch_facts(payload: bytes) -> BatchFacts:
    """What a batch says of itself; raises as ``read_batch``."""
    return _facts(payload)[0]


def is_large(texts: Sequence[TextColumn]) -> bool:
    """Whether the text of a batch is more than one frame should carry."""
    return sum(column.nbytes for column in texts) > BATCH_BYTES


def record_too_long(record: int, line: int, limits: Limits) -> Fault:
    """The fault of a record beyond the limit on records."""
    parameters: dict[str, str | int] = {"limit": "record_bytes", "allowed": limits.record_bytes}
    return Fault(record=record, line=line, code="RECORD_TOO_LONG", parameters=parameters)


def read_batch(payload: bytes, columns: int) -> tuple[BatchFacts, pa.Table]:
    """What a batch says, every part of it checked.

    Raises:
        FileRefused: ``PARSER_CRASHED``: it is not what ``send_batch`` sends.
    """
    facts, begin = _facts(payload)
    try:
        with pa.ipc.open_stream(pa.py_buffer(payload)[begin:]) as reader:
            table = reader.read_all()
        table.validate(full=True)
    except (pa.ArrowException, ValueError) as error:
        raise broken_protocol() from error
    is_whole = table.schema.equals(batch_schema(columns))
    if not is_whole or not _agrees(facts, table, columns):
        raise broken_protocol()
    return facts, table


def _facts(payload: bytes) -> tuple[BatchFacts, int]:
    """The facts of a batch, and where its rows begin."""
    if len(payload) < _SIZE.size:
        raise broken_protocol()
    begin = _SIZE.size + _SIZE.unpack_from(payload)[0]
    return decoded(payload[_SIZE.size : begin], BatchFacts), begin


def _agrees(facts: BatchFacts, table: pa.Table, columns: int) -> bool:
    """Whether counts, faults and kinds can be true."""
    faulty = [fault.record for fault in facts.faults]
    is_rising = all(0 <= record < facts.records for record in faulty) and faulty == sorted(
        set(faulty)
    )
    known = all(
        set(table.column(f"k{index}").unique().to_pylist()) <= {None, *_KINDS}
        for index in range(columns)
    )
    return is_rising and known and table.num_rows + len(faulty) == facts.records
