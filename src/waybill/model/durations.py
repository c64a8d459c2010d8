"""Durations of ISO 8601, as far as hours, minutes and seconds go."""

from __future__ import annotations

import re
from typing import Final

_DURATION: Final = re.compile(
    r"PT(?=[0-9])(?:([0-9]{1,40})H)?(?:([0-9]{1,40})M)?(?:([0-9]{1,40}(?:\.[0-9]{1,9})?)S)?"
)


def parse_duration(text: str) -> float | None:
    """The seconds of a text such as ``PT1M30S``; ``None`` where it is none."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds
