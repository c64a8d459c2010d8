"""The kinds of record that Trax knows: their words, their entities, their identifiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from waybill.model.options import AbsentMembers, MissingColumns

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class TraxKind:
    """A kind of record. ``word``: in the status, and in paths. ``entity``: where it is stored.

    ``absent``: what becomes of a field that a record lacks. ``missing_columns``: of one that no
    record has.
    """

    word: str
    entity: str
    identifier: str
    absent: AbsentMembers = AbsentMembers.KEEP
    missing_columns: MissingColumns = MissingColumns.REJECT


STORE: Final = TraxKind(word="store", entity="trax_store", identifier="store_number")
ROUTE: Final = TraxKind(word="route", entity="trax_route", identifier="external_route_id")
USER: Final = TraxKind(
    word="user",
    entity="trax_user",
    identifier="username",
    absent=AbsentMembers.CLEAR,
    missing_columns=MissingColumns.CLEAR,
)
LOGIN: Final = TraxKind(word="user", entity="trax_login", identifier="login_name")

KINDS: Final[Mapping[str, TraxKind]] = {
    "store": STORE,
    "stores": STORE,
    "route": ROUTE,
    "routes": ROUTE,
    "user": USER,
    "users": USER,
}
"""By the words that clients send; users are of version 6 until their file says otherwise."""

BY_ENTITY: Final[Mapping[str, TraxKind]] = {
    kind.entity: kind for kind in (STORE, ROUTE, USER, LOGIN)
}
_FIRST_WITH_USERNAMES: Final = 6


def default_delimiter(kind: TraxKind, version: str) -> str:
    """What parts cells where nothing else is said: those of users since version 6 a semicolon."""
    has_usernames = kind is USER and int(version[1:]) >= _FIRST_WITH_USERNAMES
    return ";" if has_usernames else ","


def user_kind(version: str, columns: tuple[str, ...]) -> TraxKind:
    """Which users a file has: its own columns decide, else the version of the path."""
    names = {name.strip().casefold().replace(" ", "_") for name in columns}
    for kind in (USER, LOGIN):
        if kind.identifier in names:
            return kind
    return USER if int(version[1:]) >= _FIRST_WITH_USERNAMES else LOGIN
