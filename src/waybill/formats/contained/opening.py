"""Opening what a child reads: workbooks, XML, Parquet, and the one file of a zip archive."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.formats.contained.archived import ArchivedStream, inspect_archive
from waybill.formats.contained.protocol import Job, Table, Task
from waybill.formats.contained.table_reader import ContainedReader
from waybill.formats.content import Packing
from waybill.formats.header import RECORD_COLUMN
from waybill.formats.magic import begins_workbook, is_zip
from waybill.formats.places import PointerPlaces, SheetPlaces
from waybill.model.options import FileFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from waybill.formats.content import Content
    from waybill.ports.reader import Places, Reader, ReadOptions

_JOBS: Final = {
    FileFormat.XLSX: Job.WORKBOOK,
    FileFormat.XML: Job.XML,
    FileFormat.PARQUET: Job.PARQUET,
}


def out_of_archive(
    content: Content, options: ReadOptions, scratch: str
) -> tuple[Content, ReadOptions]:
    """The one file of a zip archive, under its own name; any other content as it is.

    Raises:
        FileRefused: the archive is damaged, or holds none or several files.
    """
    is_archive = is_zip(content.head) and not begins_workbook(content.head)
    if content.packing is not Packing.NONE or not is_archive:
        return content, options
    task = _task(content, options, scratch, Job.INSPECT)
    archive = inspect_archive(task, options.while_waiting)
    if archive.is_workbook:
        return content, options
    stream = partial(ArchivedStream, task, options.while_waiting)
    inner = replace(content, packing=Packing.ZIP, stream=stream, head=b"", is_whole=False)
    return inner.with_head(), replace(options, file_name=archive.member)


def open_contained(
    found: FileFormat,
    content: Content,
    options: ReadOptions,
    *,
    scratch: str,
    batch_records: int,
) -> Reader:
    """A reader of a workbook, XML or Parquet.

    Raises:
        FileRefused: it cannot be read, or a limit was met.
    """
    is_feed = found is FileFormat.XML and options.feed is not None
    task = _task(content, options, scratch, Job.FEED if is_feed else _JOBS[found])
    return ContainedReader(
        msgspec.structs.replace(task, batch_rows=batch_records),
        _no_places if is_feed else _PLACES[found],
        facts={"compression": content.packing.value},
        options=options,
        is_report=partial(_is_report, found, options),
    )


def _is_report(found: FileFormat, options: ReadOptions, names: Sequence[str]) -> bool:
    """Whether cells carry the formula escape: of our reports, only workbooks and CSV have it."""
    return found is FileFormat.XLSX and (options.escaped or RECORD_COLUMN in names)


def _task(content: Content, options: ReadOptions, scratch: str, job: Job) -> Task:
    return Task(
        job=job,
        path=str(Path(content.path).absolute()),
        stored_bytes=content.stored_bytes,
        limits=content.limits,
        scratch=str(Path(scratch).absolute()),
        encoding=options.encoding,
        records_path=options.records_path,
        sheet=options.sheet,
        header_row=options.header_row,
        has_header=options.has_header,
        column_names=options.column_names,
        array_columns=options.array_columns,
        known_columns=options.known_columns,
        feed=options.feed,
    )


def _sheet_places(table: Table) -> Places:
    return SheetPlaces(sheet=str(table.facts.get("sheet", "")), first_column=table.first_column)


def _element_places(table: Table) -> Places:
    path = str(table.facts.get("records_path", ""))
    return PointerPlaces(before=f"({path})[", first=1, after="]", steps=table.steps)


def _no_places(table: Table) -> None:
    """Rows of Parquet have numbers, which their lines are; so have records of a feed, and keys."""
    del table


_PLACES: Final[Mapping[FileFormat, Callable[[Table], Places | None]]] = {
    FileFormat.XLSX: _sheet_places,
    FileFormat.XML: _element_places,
    FileFormat.PARQUET: _no_places,
}
