"""Where an entity's records lie: its table, its columns, its unique indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import apsw
import msgspec

from waybill.errors import SchemaInvalid
from waybill.model.entity import FieldType
from waybill.ports.sink import EXTRA
from waybill.sinks.sqlite.names import fold, free_name, quote, quote_all
from waybill.sinks.sqlite.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.model.entity import Entity

OWN_COLUMNS: Final = (
    "_id INTEGER PRIMARY KEY",
    "_key TEXT",
    "_hash INTEGER",
    "_job INTEGER",
    "_record INTEGER",
    "_extra TEXT",
)
"""``_hash`` covers the fields of the file that last changed the record; ``_job`` and ``_record``
tell which file and record that was."""

_MOST_COLUMNS: Final = 1_900
_RESERVED: Final = frozenset(column.split()[0] for column in OWN_COLUMNS) | {
    "_live",
    "rowid",
    "oid",
    "_rowid_",
}
_TYPELESS: Final = frozenset({FieldType.INTEGER, FieldType.NUMBER, FieldType.YEAR, FieldType.ANY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the records of one version of an entity lie.

    ``columns``: column by declared field, and ``_extra``. ``unique``: field sets that no two
    records may share.
    """

    entity: Entity
    table: str
    columns: Mapping[str, str]
    unique: tuple[tuple[str, ...], ...]

    @property
    def merged(self) -> frozenset[str]:
        """Columns with an object whose members are changed one by one."""
        names = [field.name for field in self.entity.fields if field.column_prefix]
        return frozenset(self.columns[name] for name in names)

    @property
    def patched(self) -> frozenset[str]:
        """Columns with an object that updates change member by member."""
        names = [field.name for field in self.entity.fields if field.patched]
        return self.merged | {self.columns[name] for name in names}


def make_layout(db: apsw.Connection, entity: Entity) -> Layout:
    """The layout of an entity, made where it is missing; call inside a transaction.

    New fields become columns; nothing is dropped but indexes of constraints that are gone.

    Raises:
        SchemaInvalid: the stored records cannot be kept under this version of the entity.
    """
    _refuse_impossible(entity)
    columns = _choose_columns(db, entity)
    table = _make_table(db, entity, columns)
    _note_columns(db, entity, columns)
    layout = Layout(entity=entity, table=table, columns=columns, unique=unique_fields(entity))
    create_key_index(db, layout, table)
    _make_unique_indexes(db, layout)
    return layout


def find_layout(db: apsw.Connection, entity: Entity) -> Layout | None:
    """The layout for reading as far as it exists, ``None`` where nothing was ever stored."""
    table = find_table_name(db, entity.name)
    if table is None:
        return None
    return Layout(
        entity=entity,
        table=table,
        columns=column_names(db, entity.name),
        unique=unique_fields(entity),
    )


def find_table_name(db: apsw.Connection, entity: str) -> str | None:
    """The table of an entity, ``None`` where nothing was ever stored."""
    row = db.execute(QUERIES["find_entity"], {"entity": entity}).fetchone()
    return None if row is None else str(row[0])


def column_names(db: apsw.Connection, entity: str) -> dict[str, str]:
    """The column of each field that was ever declared, and of ``_extra``."""
    rows = db.execute(QUERIES["list_columns"], {"entity": entity})
    return {EXTRA: EXTRA} | {str(field): str(column) for field, column in rows}


def unique_fields(entity: Entity) -> tuple[tuple[str, ...], ...]:
    """Field sets that no two records may share, besides the key."""
    single = tuple((field.name,) for field in entity.fields if field.constraints.unique)
    wanted = dict.fromkeys(single + entity.unique_keys)
    return tuple(fields for fields in wanted if fields != entity.key)


def column_definitions(layout: Layout) -> list[str]:
    """The columns of a table like the entity's, as ``CREATE TABLE`` takes them."""
    return _definitions(layout.entity, layout.columns)


def create_key_index(db: apsw.Connection, layout: Layout, table: str) -> None:
    """Let ``table`` refuse a second record of a key."""
    if layout.entity.key:
        name = quote(f"_key of {table}")
        db.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS {name} ON {quote(table)} (_key)")


def create_unique_index(db: apsw.Connection, layout: Layout, table: str, name: str) -> None:
    """Let ``table`` refuse a second record with the values of one of ``layout.unique``."""
    fields = next(fields for fields in layout.unique if unique_index_name(table, fields) == name)
    columns = quote_all(layout.columns[field] for field in fields)
    db.execute(f"CREATE UNIQUE INDEX {quote(name)} ON {quote(table)} ({columns})")


def unique_index_name(table: str, fields: tuple[str, ...]) -> str:
    """The name of the index that enforces one unique constraint."""
    return f"_unique {table} {msgspec.json.encode(fields).decode()}"


def _refuse_impossible(entity: Entity) -> None:
    if len(entity.fields) > _MOST_COLUMNS:
        raise SchemaInvalid(
            f"{entity.name} declares {len(entity.fields)} fields; "
            f"the embedded sink takes at most {_MOST_COLUMNS}",
            pointer="/fields",
        )


def _choose_columns(db: apsw.Connection, entity: Entity) -> dict[str, str]:
    """A column for each field: the one it has, or a free name."""
    columns = column_names(db, entity.name)
    taken = {fold(column) for column in columns.values()} | _RESERVED
    for field in entity.fields:
        if field.name not in columns:
            columns[field.name] = free_name(field.name, taken)
            taken.add(fold(columns[field.name]))
    return columns


def _make_table(db: apsw.Connection, entity: Entity, columns: Mapping[str, str]) -> str:
    key = msgspec.json.encode(entity.key).decode()
    row = db.execute(QUERIES["find_entity"], {"entity": entity.name}).fetchone()
    if row is None:
        table = _create_table(db, entity, columns)
    else:
        table = str(row[0])
        _add_columns(db, entity, table, columns)
    if row is None or row[1] != key:
        _refuse_other_key(db, entity, table)
        names = {"entity": entity.name, "table": table, "key": key}
        db.execute(QUERIES["save_entity"], names)
    return table


def _create_table(db: apsw.Connection, entity: Entity, columns: Mapping[str, str]) -> str:
    taken = {fold(str(name)) for (name,) in db.execute(QUERIES["list_tables"])}
    wanted = f"entity{entity.name}" if entity.name.startswith("_") else entity.name
    table = free_name(wanted, taken)
    db.execute(f"CREATE TABLE {quote(table)} ({', '.join(_definitions(entity, columns))})")
    return table


def _add_columns(
    db: apsw.Connection, entity: Entity, table: str, columns: Mapping[str, str]
) -> None:
    known = column_names(db, entity.name)
    new = {field: column for field, column in columns.items() if field not in known}
    for definition in _definitions(entity, new)[len(OWN_COLUMNS) :]:
        db.execute(f"ALTER TABLE {quote(table)} ADD COLUMN {definition}")


def _note_columns(db: apsw.Connection, entity: Entity, columns: Mapping[str, str]) -> None:
    known = column_names(db, entity.name)
    for field, column in columns.items():
        if field not in known:
            names = {"entity": entity.name, "field": field, "column": column}
            db.execute(QUERIES["add_column"], names)


def _refuse_other_key(db: apsw.Connection, entity: Entity, table: str) -> None:
    if db.execute(f"SELECT 1 FROM {quote(table)} LIMIT 1").fetchone() is not None:  # noqa: S608 - quoted name
        raise SchemaInvalid(
            f"the records of {entity.name} were stored under another key; "
            "give the entity a new name, or its old key back",
            pointer="/primaryKey",
        )


def _definitions(entity: Entity, columns: Mapping[str, str]) -> list[str]:
    types = {field.name: _column_type(field.type) for field in entity.fields}
    declared = [
        f"{quote(column)} {types.get(field, '')}".rstrip()
        for field, column in columns.items()
        if field != EXTRA
    ]
    return [*OWN_COLUMNS, *declared]


def _column_type(field_type: FieldType) -> str:
    """Text, or no type at all where numbers are kept: then SQLite never converts a value.

    A typed column would turn the exact decimal ``1.50``, or an integer of 30 digits, into a float.
    """
    if field_type is FieldType.BOOLEAN:
        return "INTEGER"
    return "" if field_type in _TYPELESS else "TEXT"


def _make_unique_indexes(db: apsw.Connection, layout: Layout) -> None:
    found = {
        str(name) for (name,) in db.execute(QUERIES["list_unique_indexes"], {"table": layout.table})
    }
    wanted = {unique_index_name(layout.table, fields): fields for fields in layout.unique}
    for name in found - wanted.keys():
        db.execute(f"DROP INDEX {quote(name)}")
    for name in wanted.keys() - found:
        try:
            create_unique_index(db, layout, layout.table, name)
        except apsw.ConstraintError as error:
            raise SchemaInvalid(
                f"stored records of {layout.entity.name} share values of "
                f"{', '.join(wanted[name])}, which are declared unique now",
                pointer="/uniqueKeys",
            ) from error
