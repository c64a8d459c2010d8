"""Query parameters of the native API, read strictly."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from waybill.dialect import QueryParameter
from waybill.errors import RequestInvalid

if TYPE_CHECKING:
    from enum import StrEnum

    from waybill.dialect import Request
    from waybill.model.limits import Limits

E = TypeVar("E", bound="StrEnum")

DEFAULT_PAGE: Final = 1_000
CURSOR: Final = QueryParameter(name="cursor", description="The `next` of the page before.")
LIMIT: Final = QueryParameter(
    name="limit",
    description=f"How many at most; default {DEFAULT_PAGE}, the most are `page_records`.",
    schema={"type": "integer", "minimum": 1},
)
WAIT: Final = QueryParameter(
    name="wait",
    description="Answer once the job is over, or after so many seconds (at most `wait_seconds`).",
    schema={"type": "integer", "minimum": 0},
)


def text(request: Request, name: str) -> str | None:
    """One parameter, ``None`` where it is absent or empty."""
    for key, value in request.query:
        if key == name:
            return value or None
    return None


def whole_number(request: Request, name: str, *, default: int, smallest: int, largest: int) -> int:
    """A number between bounds.

    Raises:
        RequestInvalid: no such number.
    """
    given = text(request, name)
    if given is None:
        return default
    if given.isascii() and given.isdigit() and len(given) < 10:  # noqa: PLR2004 - fits any bound
        number = int(given)
        if smallest <= number <= largest:
            return number
    raise RequestInvalid(
        f"{name} must be a whole number from {smallest} to {largest}.", parameter=name
    )


def page(request: Request, limits: Limits) -> tuple[str, int]:
    """Cursor and limit of a list.

    Raises:
        RequestInvalid: the limit is out of range.
    """
    largest = limits.page_records
    limit = whole_number(
        request, "limit", default=min(DEFAULT_PAGE, largest), smallest=1, largest=largest
    )
    return text(request, "cursor") or "", limit


def members(request: Request, name: str, kind: type[E]) -> frozenset[E]:
    """A comma-separated set of words.

    Raises:
        RequestInvalid: a word is not one of the kind's.
    """
    given = text(request, name)
    if given is None:
        return frozenset()
    known = {member.value: member for member in kind}
    words = [word.strip() for word in given.split(",")]
    for word in words:
        if word not in known:
            raise RequestInvalid(f"{name} takes {', '.join(known)}.", parameter=name)
    return frozenset(known[word] for word in words)


def moment(request: Request, name: str) -> datetime | None:
    """A time in RFC 3339 with its offset, in UTC.

    Raises:
        RequestInvalid: not such a time.
    """
    given = text(request, name)
    if given is None:
        return None
    try:
        parsed = datetime.fromisoformat(given.replace(" ", "+"))
        moment = parsed.astimezone(UTC) if parsed.tzinfo is not None else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise RequestInvalid(f"{name} must be a time such as 2026-01-31T12:00:00Z.", parameter=name)
    return moment
