"""How a job's input is opened: the same for its run and for every later look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.errors import JobFailed, NotFound
from waybill.model.entity import Entity, FieldType
from waybill.model.ids import BlobName
from waybill.model.options import HeaderMode
from waybill.ports.reader import MemberPath, ReadOptions
from waybill.validation.member_paths import is_member_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from waybill.engine.runs.context import RunParts
    from waybill.model.bundle import Bundle
    from waybill.model.entity import Field
    from waybill.model.job import InputFile
    from waybill.model.options import ImportOptions
    from waybill.ports.reader import Reader


def read_options(options: ImportOptions, kind: Entity | Bundle, file_name: str) -> ReadOptions:
    """How an input of an entity, or of any of a bundle, is to be read."""
    fields = kind.fields
    return ReadOptions(
        delimiter=options.delimiter,
        encoding=options.encoding,
        has_header=options.header is HeaderMode.PRESENT,
        column_names=tuple(field.name for field in fields if not field.column_prefix),
        array_columns=_names(field for field in fields if field.type is FieldType.ARRAY),
        repeatable_columns=_names(field for field in fields if field.repeatable),
        names_of_fields=tuple((field.name, *field.aliases) for field in fields),
        record_members=tuple(options.record_members.split(",")) if options.record_members else (),
        member_paths=tuple(
            MemberPath(pointer=alias, names=(field.name, *field.aliases))
            for field in fields
            for alias in field.aliases
            if is_member_path(alias)
        ),
        feed=kind.feed if isinstance(kind, Entity) else None,
        escaped=options.escaped,
        format=options.format,
        records_path=options.records_path,
        sheet=options.sheet,
        header_row=options.header_row,
        file_name=file_name,
    )


def _names(fields: Iterable[Field]) -> tuple[str, ...]:
    """What the columns of these fields may be called."""
    return tuple(name for field in fields for name in (field.name, *field.aliases))


def open_stored(parts: RunParts, file: InputFile | None, options: ReadOptions) -> Reader:
    """A reader on a job's input.

    Raises:
        JobFailed: it is not here.
        FileRefused: it cannot be read.
    """
    if file is None:
        raise JobFailed("the job has no input", code="INPUT_MISSING")
    name = BlobName(file.blob)
    try:
        parts.blobs.size(name)
    except NotFound as error:
        raise JobFailed("the input is not stored any more", code="INPUT_MISSING") from error
    path = parts.blobs.local_path(name)
    if path is None:
        raise JobFailed("the input is not on this host", code="INPUT_MISSING")
    return parts.open_reader(path, options)
