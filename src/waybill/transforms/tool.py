"""What a file tool is: a function from one stream of bytes to another, and what it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from waybill.errors import ContentInvalid as Refused
from waybill.model.transform import ToolFacts
from waybill.model.transform import ToolOptions as Options

if TYPE_CHECKING:
    from waybill.model.limits import Limits

__all__ = ["PIECE_BYTES", "Action", "Options", "Refused", "Source", "Target", "Tool"]

PIECE_BYTES: Final = 1024 * 1024
"""What a tool reads at a time; its memory is a small multiple of it."""


class Source(Protocol):
    """Bytes to read."""

    def read(self, size: int, /) -> bytes:
        """At most so many; none only at the end."""


class Target(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> object:
        """Append."""


Action = Callable[[Source, Target, Options, "Limits"], None]
"""Reads the source to its end and writes the target; raises ``Refused``.

The source is raw bytes: UTF-8 (a byte order mark is dropped by the tool), of any size. What was
written before ``Refused`` is thrown away by the caller.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool(ToolFacts):
    """One file tool; ``is_contained``: a library parses what may be hostile, in a limited child.

    ``own_bytes``: content up to that size runs in this process all the same, for all code that
    reads it is our own. ``sample``: a small content to rehearse with.
    """

    action: Action
    is_contained: bool = False
    own_bytes: int = 0
    sample: bytes = b""
