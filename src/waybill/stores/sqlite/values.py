"""Values as this database holds them: times as microseconds UTC, structures as JSON text."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.errors import RequestInvalid
from waybill.model.options import ImportOptions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

NEWEST: Final = 2**63 - 1
"""Above every sequence: where a listing of newest jobs begins."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_CURSOR_PREFIX: Final = "jobs:"


def to_microseconds(moment: datetime) -> int:
    """Microseconds since 1970, UTC, of an aware time."""
    return (moment - _EPOCH) // _MICROSECOND


def to_microseconds_or_none(moment: datetime | None) -> int | None:
    """The same, ``None`` for ``None``."""
    return None if moment is None else to_microseconds(moment)


def to_moment(microseconds: int) -> datetime:
    """The aware time of so many microseconds since 1970, UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def to_moment_or_none(microseconds: int | None) -> datetime | None:
    """The same, ``None`` for ``None``."""
    return None if microseconds is None else to_moment(microseconds)


def to_json(value: object) -> str:
    """``value`` as JSON text."""
    return msgspec.json.encode(value).decode()


def to_json_or_none(value: Mapping[str, object] | Collection[str]) -> str | None:
    """``value`` as JSON text, ``None`` where it is empty; a collection becomes a sorted array."""
    if not value:
        return None
    return to_json(value if hasattr(value, "keys") else sorted(value))


@lru_cache(maxsize=1024)
def to_options(text: str) -> ImportOptions:
    """The options of a job; the same object for the same text."""
    return msgspec.json.decode(text, type=ImportOptions)


def to_facts(text: str) -> dict[str, object]:
    """A JSON object."""
    return {} if text == "{}" else msgspec.json.decode(text, type=dict[str, object])


def to_warnings(text: str) -> tuple[Mapping[str, object], ...]:
    """A JSON array of objects."""
    if text == "[]":
        return ()
    return msgspec.json.decode(text, type=tuple[dict[str, object], ...])


def to_cursor(sequence: int) -> str:
    """An opaque text for where a listing goes on."""
    return urlsafe_b64encode(f"{_CURSOR_PREFIX}{sequence}".encode()).decode().rstrip("=")


def from_cursor(cursor: str) -> int:
    """The sequence in a cursor; ``NEWEST`` for an empty one.

    Raises:
        RequestInvalid: the cursor is not one of ours.
    """
    if not cursor:
        return NEWEST
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    digits = text.removeprefix(_CURSOR_PREFIX)
    if text == digits or not digits.isdecimal() or to_cursor(int(digits[:19])) != cursor:
        raise RequestInvalid(
            "the cursor is not one that this server gave; begin again without it",
            code="CURSOR_INVALID",
            parameter="cursor",
        )
    return int(digits)
