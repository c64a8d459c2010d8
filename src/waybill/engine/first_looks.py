"""A look at the beginning of an upload before it becomes a job: what is in it, if anything.

It reads the first chunk of a text; of a workbook it must read all. What cannot be read is left to
the run of the job, which says why.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from waybill.engine.runs.opening import read_options
from waybill.errors import ColumnsGrew, FileRefused
from waybill.model.ids import BlobName

if TYPE_CHECKING:
    from waybill.engine.report_parts import ReportParts
    from waybill.model.bundle import Bundle
    from waybill.model.entity import Entity
    from waybill.model.job import InputFile
    from waybill.model.options import ImportOptions
    from waybill.ports.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLook:
    """The columns of a file as far as its first records tell, and whether it has any record."""

    columns: tuple[str, ...]
    has_records: bool


def look_at(
    parts: ReportParts, file: InputFile, options: ImportOptions, kind: Entity | Bundle
) -> FirstLook | None:
    """What the beginning of a stored upload shows; ``None`` where it cannot be read.

    ``kind``: what it is sent to.
    """
    path = parts.blobs.local_path(BlobName(file.blob))
    if path is None:
        return None
    if not file.size_bytes:
        return FirstLook(columns=(), has_records=False)
    try:
        with closing(parts.open_reader(path, read_options(options, kind, file.name))) as reader:
            return FirstLook(columns=reader.header.names, has_records=_has_records(reader))
    except FileRefused:
        return None


def _has_records(reader: Reader) -> bool:
    try:
        with closing(reader.map_chunks(lambda chunk: chunk.records)) as counts:
            return any(counts)
    except ColumnsGrew:
        return True
