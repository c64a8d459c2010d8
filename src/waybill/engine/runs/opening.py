"""How a job's input is opened: the same for its run and for every later look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.model.entity import FieldType
from waybill.model.options import HeaderMode
from waybill.ports.reader import MemberPath, ReadOptions
from waybill.validation.member_paths import is_member_path

if TYPE_CHECKING:
    from waybill.model.entity import Entity
    from waybill.model.options import ImportOptions


def read_options(options: ImportOptions, entity: Entity, file_name: str) -> ReadOptions:
    """How an input of that entity is to be read."""
    return ReadOptions(
        delimiter=options.delimiter,
        encoding=options.encoding,
        has_header=options.header is HeaderMode.PRESENT,
        column_names=tuple(field.name for field in entity.fields),
        array_columns=tuple(
            name
            for field in entity.fields
            if field.type is FieldType.ARRAY
            for name in (field.name, *field.aliases)
        ),
        member_paths=tuple(
            MemberPath(pointer=alias, names=(field.name, *field.aliases))
            for field in entity.fields
            for alias in field.aliases
            if is_member_path(alias)
        ),
        escaped=options.escaped,
        format=options.format,
        records_path=options.records_path,
        sheet=options.sheet,
        header_row=options.header_row,
        file_name=file_name,
    )
