"""What checking a file leaves behind for the later phases of the same run.

A file of one chunk stays in memory: making it again costs one check. From the second chunk on,
accepted rows lie in one Arrow file per chunk and rejected ones in one file of master lines.
Memory is one chunk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.ipc

from waybill.model.ids import BlobName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from waybill.ports.blobs import Blobs
    from waybill.ports.reader import ReadPosition
    from waybill.validation.checked import CheckedChunk


@dataclass(frozen=True, slots=True, kw_only=True)
class SpooledChunk:
    """One checked chunk."""

    ordinal: int
    first_record: int
    records: int
    accepted: int
    rejected: int
    rank: int


@dataclass(slots=True)
class Spool:
    """The checked chunks of one run, in order. ``prefix`` names its folder in the blob store.

    ``marks``: places in the input from which its records can be read again.
    """

    blobs: Blobs
    prefix: str
    chunks: list[SpooledChunk] = field(default_factory=list)
    marks: list[ReadPosition] = field(default_factory=list)
    _held: CheckedChunk | None = None
    _has_files: bool = False

    def add(self, checked: CheckedChunk) -> None:
        """Take the next chunk."""
        if self.chunks and self._held is not None:
            self._write(self._held)
            self._held = None
        if self.chunks:
            self._write(checked)
        else:
            self._held = checked
        self.chunks.append(
            SpooledChunk(
                ordinal=checked.ordinal,
                first_record=checked.first_record,
                records=checked.records,
                accepted=checked.good.num_rows,
                rejected=checked.rejected,
                rank=checked.rank,
            )
        )
        self.marks.extend(checked.marks)

    def good_rows(self, chunk: SpooledChunk) -> pa.Table:
        """The accepted rows of a chunk."""
        if self._held is not None:
            return self._held.good
        name = self._name(chunk.ordinal, "arrow")
        path = self.blobs.local_path(name)
        if path is not None:
            with pa.memory_map(path) as source:
                return pa.ipc.open_file(source).read_all()
        with self.blobs.open(name) as stream:
            return pa.ipc.open_file(pa.BufferReader(stream.read())).read_all()

    def rejects(self, chunk: SpooledChunk) -> bytes:
        """The master lines of a chunk's rejected records, in file order."""
        if not chunk.rejected:
            return b""
        if self._held is not None:
            return self._held.rejects
        return self.get(chunk.ordinal, "ndjson")

    def put(self, ordinal: int, suffix: str, data: bytes) -> None:
        """Keep further bytes about a chunk."""
        self._store(self._name(ordinal, suffix), data)
        self._has_files = True

    def get(self, ordinal: int, suffix: str) -> bytes:
        """What ``put`` kept."""
        with self.blobs.open(self._name(ordinal, suffix)) as stream:
            return stream.read()

    def __iter__(self) -> Iterator[SpooledChunk]:
        """The chunks in file order."""
        return iter(self.chunks)

    def ranked(self) -> Sequence[SpooledChunk]:
        """The chunks in the order in which they are applied."""
        return sorted(self.chunks, key=lambda chunk: (chunk.rank, chunk.ordinal))

    def drop(self) -> None:
        """Remove the files; safe to repeat."""
        self._held = None
        if self._has_files:
            self.blobs.delete_tree(self.prefix)

    def _write(self, checked: CheckedChunk) -> None:
        self._has_files = True
        out = pa.BufferOutputStream()
        with pa.ipc.new_file(out, checked.good.schema) as writer:
            writer.write_table(checked.good)
        self._store(self._name(checked.ordinal, "arrow"), memoryview(out.getvalue()))
        if checked.rejected:
            self._store(self._name(checked.ordinal, "ndjson"), checked.rejects)

    def _store(self, name: BlobName, data: bytes | memoryview) -> None:
        writer = self.blobs.create(name, durable=False)
        try:
            writer.write(data)
            writer.commit()
        finally:
            writer.discard()

    def _name(self, ordinal: int, suffix: str) -> BlobName:
        return BlobName(f"{self.prefix}/{ordinal:06d}.{suffix}")
