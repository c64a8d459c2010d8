"""Refusals of content that is right, but larger than a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.transforms.tool import Refused

if TYPE_CHECKING:
    from waybill.transforms.places import Place


def too_large(message: str, place: Place | None = None) -> Refused:
    """``PAYLOAD_TOO_LARGE``; ``message`` names the limit, and its setting where it has one."""
    line, column = (place.line, place.column) if place is not None else (None, None)
    return Refused(message, code="PAYLOAD_TOO_LARGE", line=line, column=column)


def deeper_than(levels: int) -> str:
    """The message for content that is nested deeper."""
    return f"The content is nested deeper than {levels} levels (limits.nesting_depth)."
