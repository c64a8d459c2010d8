"""Names in SQL: the one place that quotes them, and the one that keeps them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.errors import SchemaInvalid

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def quote(name: str) -> str:
    """The name as a SQL identifier, whatever it holds.

    Raises:
        SchemaInvalid: it holds a NUL or half a letter (a lone surrogate); no identifier can.
    """
    try:
        is_storable = b"\0" not in name.encode()
    except UnicodeEncodeError:
        is_storable = False
    if not is_storable:
        raise SchemaInvalid(f"the name {name!r} holds a character that cannot be stored")
    return '"' + name.replace('"', '""') + '"'


def quote_all(names: Iterable[str]) -> str:
    """The names as SQL identifiers, joined by commas."""
    return ", ".join(map(quote, names))


def free_name(wanted: str, taken: Collection[str]) -> str:
    """``wanted``, changed where SQLite, which is blind to case, would confuse it with another.

    ``taken``: names in use, folded by ``fold``.
    """
    base = f"_{wanted}" if fold(wanted).startswith("sqlite_") else wanted
    number, candidate = 1, base
    while fold(candidate) in taken:
        number += 1
        candidate = f"{base}_{number}"
    return candidate


def fold(name: str) -> str:
    """The form in which two names are equal for SQLite."""
    return name.lower()
