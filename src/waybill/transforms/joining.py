"""What comes in many small parts, written in few larger ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.transforms.tool import PIECE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from waybill.transforms.tool import Target


def write_joined(parts: Iterable[bytes], target: Target) -> None:
    """Write the parts, joined until there is a piece. Memory: a piece, or the longest part."""
    held: list[bytes] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size > PIECE_BYTES:
            target.write(b"".join(held))
            held, size = [], 0
    target.write(b"".join(held))
