"""What a client prefers: to wait (``Prefer``, RFC 7240), a media type (``Accept``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from waybill.errors import RequestInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WAIT: Final = re.compile(r'wait\s*=\s*"?(\d{1,6})"?', re.IGNORECASE | re.ASCII)
RANGE: Final = re.compile(r"^\s*([^;\s]+)\s*(?:;.*?\bq\s*=\s*([0-9.]+))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """How long to wait for the end of a job; ``applied`` is the header that says so."""

    wait_seconds: float = 0.0
    applied: str = ""


NO_PREFERENCE: Final = Preference()


def read_prefer(headers: Mapping[str, str], longest_seconds: int) -> Preference:
    """The preference of a request; ``respond-async`` alone means not to wait at all.

    With both, the wait counts and the answer is asynchronous after it (RFC 7240, section 4.3).
    """
    prefer = headers.get("prefer")
    if prefer is None:
        return NO_PREFERENCE
    tokens = [token.strip() for token in prefer.split(",")]
    for token in tokens:
        match = WAIT.fullmatch(token)
        if match:
            seconds = min(int(match.group(1)), longest_seconds)
            return Preference(wait_seconds=seconds, applied=f"wait={seconds}")
    if any(token.lower() == "respond-async" for token in tokens):
        return Preference(applied="respond-async")
    return NO_PREFERENCE


def choose_media(headers: Mapping[str, str], offered: Sequence[str]) -> str:
    """The offered media type that ``Accept`` likes best; the first one where it says nothing.

    Raises:
        RequestInvalid: it takes none of them.
    """
    accept = headers.get("accept", "").strip()
    if not accept:
        return offered[0]
    ranges = [_media_range(item) for item in accept.split(",") if item.strip()]
    liked = [(_quality(media, ranges), -index) for index, media in enumerate(offered)]
    quality, index = max(liked)
    if quality <= 0:
        raise RequestInvalid(
            f"This comes as {', '.join(offered)} only.", code="NOT_ACCEPTABLE", parameter="Accept"
        )
    return offered[-index]


def _media_range(item: str) -> tuple[str, float]:
    match = RANGE.match(item)
    if match is None:
        return item.strip().lower(), 0.0
    try:
        return match.group(1).lower(), float(match.group(2) or 1)
    except ValueError:
        return match.group(1).lower(), 0.0


def _quality(media: str, ranges: Sequence[tuple[str, float]]) -> float:
    wide = media.partition("/")[0] + "/*"
    for name in (media, wide, "*/*"):  # the most exact range decides, whatever its weight
        for wanted, quality in ranges:
            if wanted == name:
                return quality
    return 0.0
