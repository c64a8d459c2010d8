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
        """The statements that insert rows with these fields.

        ``keep_existing``: they pass over a key that is there already.
        """
        columns = tuple(self.layout.columns[field] for field in fields)
        return _build(self.name, columns, self.layout.merged, keep_existing=keep_existing)

    def update(self, fields: Sequence[str], *, has_mask: bool, patches: bool) -> str:
        """The statement that updates a record by a row with these fields.

        Values: the record's ``_id``, then those of the row, then, with ``has_mask``, a byte for
        each field: 1 where it counts. It gives the ``_id`` back where a value changed, and changes
        nothing else. ``patches``: the row is an update, not an upsert.
        """
        columns = tuple(self.layout.columns[field] for field in fields)
        merged = self.layout.patched if patches else self.layout.merged
        return _update(self.name, columns, merged, has_mask=has_mask)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """The statements that insert into one table the rows of files with certain fields.

    ``insert_many`` takes ``rows_per_insert`` rows at once. Values of a row: job, key, hash, record
    number, then the fields.
    """

    insert_one: str
    insert_many: str
    rows_per_insert: int


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
    )


@lru_cache(maxsize=256)
def _update(table: str, columns: tuple[str, ...], merged: frozenset[str], *, has_mask: bool) -> str:
    """The key is left as it is: setting it, even to itself, would write its index anew."""
    first = len(_STAMPS) + 2
    values = [
        _merge(f"coalesce({quote(column)}, '{{}}')", f"?{place}")
        if column in merged
        else f"?{place}"
        for place, column in enumerate(columns, start=first)
    ]
    if has_mask:  # of bytes, not text: there each place is found at once
        mask = f"?{first + len(columns)}"
        values = [
            f"CASE substr({mask}, {place}, 1) WHEN x'01' THEN {value} ELSE {quote(column)} END"
            for place, (value, column) in enumerate(zip(values, columns, strict=True), start=1)
        ]
    sets = "".join(f", {quote(column)} = {v}" for column, v in zip(columns, values, strict=True))
    return (
        f"UPDATE {table} SET _job = ?2, _hash = ?4, _record = ?5{sets} "  # noqa: S608 - quoted names
        f"WHERE _id = ?1 AND ({quote_all(columns)}) IS NOT ({', '.join(values)}) RETURNING _id"
    )


def _merge(stored: str, given: str) -> str:
    """SQL: the stored object with the members of the given one, without those that are null."""
    return f"json_patch({stored}, {given})"
