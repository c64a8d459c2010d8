"""A table that takes a chunk: the entity's own, or the one where a whole file is staged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from waybill.sinks.sqlite.names import quote, quote_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from waybill.sinks.sqlite.layout import Layout

_ROWS_PER_INSERT: Final = 10
_MOST_PARAMETERS: Final = 32_000
_STAMPS: Final = ("_job", "_key", "_hash", "_record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A table with the layout's columns, and the number of the job that writes."""

    db: apsw.Connection
    layout: Layout
    table: str
    job: int

    @property
    def name(self) -> str:
        """The table's name, quoted."""
        return quote(self.table)

    def statements(self, fields: Sequence[str], *, keep_existing: bool = False) -> Statements:
        """The statements that write rows with these fields.

        ``keep_existing``: inserts pass over a key that is there already.
        """
        columns = tuple(self.layout.columns[field] for field in fields)
        return _build(self.name, columns, self.layout.merged, keep_existing=keep_existing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """The statements over one table for files with certain fields.

    ``insert_many`` takes ``rows_per_insert`` rows at once. Values of a row: job, key, hash, record
    number, then the fields. ``update`` takes the record's ``_id`` before them, gives it back where
    a value changed, and changes nothing else.
    """

    insert_one: str
    insert_many: str
    rows_per_insert: int
    update: str


@lru_cache(maxsize=256)
def _build(
    table: str, columns: tuple[str, ...], merged: frozenset[str], *, keep_existing: bool
) -> Statements:
    width = len(_STAMPS) + len(columns)
    many = max(1, min(_ROWS_PER_INSERT, _MOST_PARAMETERS // width))
    ending = " ON CONFLICT (_key) DO NOTHING" if keep_existing else ""
    head = f"INSERT INTO {table} ({quote_all([*_STAMPS, *columns])}) VALUES "  # noqa: S608 - quoted names
    values = [_merge("'{}'", "?") if column in merged else "?" for column in columns]
    row = f"({', '.join(['?'] * len(_STAMPS) + values)})"
    return Statements(
        insert_one=head + row + ending,
        insert_many=head + ", ".join([row] * many) + ending,
        rows_per_insert=many,
        update=_update(table, columns, merged),
    )


def _update(table: str, columns: Sequence[str], merged: frozenset[str]) -> str:
    """The key is left as it is: setting it, even to itself, would write its index anew."""
    first = len(_STAMPS) + 2
    values = [
        _merge(f"coalesce({quote(column)}, '{{}}')", f"?{place}")
        if column in merged
        else f"?{place}"
        for place, column in enumerate(columns, start=first)
    ]
    sets = "".join(f", {quote(column)} = {v}" for column, v in zip(columns, values, strict=True))
    return (
        f"UPDATE {table} SET _job = ?2, _hash = ?4, _record = ?5{sets} "  # noqa: S608 - quoted names
        f"WHERE _id = ?1 AND ({quote_all(columns)}) IS NOT ({', '.join(values)}) RETURNING _id"
    )


def _merge(stored: str, given: str) -> str:
    """SQL: the stored object with the members of the given one, without those that are null."""
    return f"json_patch({stored}, {given})"
