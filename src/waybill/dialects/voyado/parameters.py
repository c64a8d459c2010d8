"""The query of an import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from waybill.errors import RequestInvalid
from waybill.model.durations import parse_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME_CHARACTERS: Final = 200
LONGEST_WAIT_SECONDS: Final = 300.0
_FLAGS: Final = {"true": True, "1": True, "": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportQuery:
    """What a client asks beside the file; ``wait_seconds``: ``None`` for the server's default."""

    name: str | None
    is_forced: bool
    wait_seconds: float | None


def read_query(pairs: Sequence[tuple[str, str]]) -> ImportQuery:
    """The query of a request; parameters that nobody knows are ignored, of others the last counts.

    Raises:
        RequestInvalid: one is not what it should be.
    """
    given = dict(pairs)
    name = given.get("name") or None
    if name is not None and (len(name) > NAME_CHARACTERS or not name.isprintable()):
        raise RequestInvalid(f"name must be at most {NAME_CHARACTERS} printable characters.")
    is_forced = _FLAGS.get(given.get("force", "false").lower())
    if is_forced is None:
        raise RequestInvalid("force must be true or false.")
    wait = given.get("blockingTimeout")
    seconds = None if wait is None else parse_duration(wait)
    if wait is not None and seconds is None:
        raise RequestInvalid("blockingTimeout must be an ISO 8601 duration such as PT1M.")
    return ImportQuery(
        name=name,
        is_forced=is_forced,
        wait_seconds=None if seconds is None else min(seconds, LONGEST_WAIT_SECONDS),
    )
