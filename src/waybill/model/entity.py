"""An entity: its fields, key and rules, as compiled from a Table Schema descriptor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.model.feed import Feed


class FieldType(StrEnum):
    """The field types of Frictionless Table Schema (Data Package v2)."""

    STRING = "string"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    OBJECT = "object"
    ARRAY = "array"
    LIST = "list"
    DATETIME = "datetime"
    DATE = "date"
    TIME = "time"
    YEAR = "year"
    YEARMONTH = "yearmonth"
    DURATION = "duration"
    GEOPOINT = "geopoint"
    GEOJSON = "geojson"
    ANY = "any"


BLANKS: Final = " \t\n\v\f\r\u00a0"
"""What trimming takes away on both sides."""


class Trim(StrEnum):
    """Which white space around a cell is dropped before anything else looks at it."""

    NONE = "none"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """The constraints of the standard; bounds and enum members are text in the field's grammar."""

    required: bool = False
    unique: bool = False
    min_length: int | None = None
    max_length: int | None = None
    minimum: str | None = None
    maximum: str | None = None
    exclusive_minimum: str | None = None
    exclusive_maximum: str | None = None
    pattern: str | None = None
    enum: tuple[str, ...] | None = None
    json_schema: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One declared field.

    ``format`` and the type's properties (``decimal_char``, ``true_values``, ...) as the standard
    says. ``missing_values``: the field's own, else the schema's. ``categories``: allowed values of
    a categorical field. ``aliases``: further header names.
    ``default``: text used where a column is there and the cell is missing. ``secret``: masked
    everywhere and hashed in the sink. ``kinds``: words of the JSON kinds that it takes in typed
    formats (``string``, ``number``, ``boolean``, ``object``, ``array``), a list for its items;
    empty means those of its type. ``required_on_create``: needs a value in a record whose key
    is not stored yet. ``present``: every record has it, if only empty. ``immutable``: what is
    stored stays. ``patched``: of an object, an update changes it member by member (RFC 7396).
    ``generated``: of a key, made by the server where a record has none.
    ``repeatable``: a file may have the column twice. ``column_prefix``: the field takes every
    column whose name begins so, as members of one JSON object named by the rest; empty for a field
    of one column. ``ignore_case``: of a boolean, its words in any case. ``item_enum``: of a list,
    the allowed items.
    """

    name: str
    type: FieldType
    format: str = "default"
    title: str = ""
    description: str = ""
    example: str = ""
    constraints: Constraints = Constraints()
    missing_values: tuple[str, ...] = ("",)
    aliases: tuple[str, ...] = ()
    default: str | None = None
    trim: Trim = Trim.NONE
    secret: bool = False
    kinds: tuple[str, ...] = ()
    required_on_create: bool = False
    present: bool = False
    immutable: bool = False
    patched: bool = False
    generated: bool = False
    repeatable: bool = False
    column_prefix: str = ""
    ignore_case: bool = False
    item_enum: tuple[str, ...] | None = None
    decimal_char: str = "."
    group_char: str = ""
    bare_number: bool = True
    true_values: tuple[str, ...] = ("true", "True", "TRUE", "1")
    false_values: tuple[str, ...] = ("false", "False", "FALSE", "0")
    delimiter: str = ","
    item_type: FieldType = FieldType.STRING
    categories: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """``fields`` of this entity must exist as ``reference_fields`` of ``reference_entity``.

    An empty ``reference_entity`` means this entity itself: in the file or in the sink. ``exempt``:
    values, as text, that need not exist; of a key of one field. ``alternatives``: other entities
    and their fields; one of all is enough.
    """

    fields: tuple[str, ...]
    reference_entity: str
    reference_fields: tuple[str, ...]
    exempt: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The records are nodes: the field ``parent`` holds the key of another one.

    A node without a parent, or with one of ``roots``, is at level 1; ``max_depth`` is the last.
    """

    parent: str
    roots: tuple[str, ...]
    max_depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A ``field`` of the key whose values part the records into kinds.

    ``owners``: kind -> the kind of what owns it: the record with the same values in those fields of
    the key that stand before ``field``. What is owned goes when its owner is deleted.
    """

    field: str
    owners: Mapping[str, str]

    def owned_by(self, kind: str) -> tuple[str, ...]:
        """The kinds of what a record of this kind owns."""
        return tuple(owned for owned, owner in self.owners.items() if owner == kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionColumn:
    """A column that says per record what to do; ``actions`` maps its cells to operations.

    The cell is compared after trimming, without case. A cell that is not listed is a finding; a
    missing cell means the job's operation.
    """

    name: str
    actions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A share of a record that is stored in another ``entity``.

    ``fields``: field of that entity -> field of the record. Those of its key are among them.
    """

    entity: Entity
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A kind of record.

    ``key``: the primary key's fields, never empty for a keyed entity; an entity without a key only
    takes inserts. ``is_open``: undeclared columns may be kept in one ordered JSON column.
    ``sink``: entry-point name, empty for the embedded one. ``digest``: SHA-256 of the descriptor.
    ``parts``: what of a record is stored where, in the order of writing; empty for records that are
    stored as they are. ``ascending``: sets of fields whose values, where a record has them, do not
    descend in this order.
    """

    name: str
    title: str = ""
    description: str = ""
    fields: tuple[Field, ...]
    key: tuple[str, ...] = ()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    action: ActionColumn | None = None
    is_open: bool = False
    sink: str = ""
    digest: str = ""
    parts: tuple[Part, ...] = ()
    tree: Tree | None = None
    partition: Partition | None = None
    feed: Feed | None = None
    ascending: tuple[tuple[str, ...], ...] = ()

    def field(self, name: str) -> Field:
        """The declared field of that name; ``KeyError`` where there is none."""
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(name)

    @property
    def secret_fields(self) -> frozenset[str]:
        """Names of the fields whose values leave the server in no form."""
        return frozenset(f.name for f in self.fields if f.secret)
