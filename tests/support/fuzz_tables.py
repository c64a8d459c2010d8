"""What inputs of all formats are made of before they are damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.model.limits import MEBIBYTE, Limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

    Check = Callable[[Path], None]
    Case = tuple[bytes, Check]
    """An input, and what must hold of the file that it is saved as."""

LIMITS = Limits(inflated_bytes=64 * MEBIBYTE, xlsx_cells=1_000_000)
WORDS = (
    "",
    "a",
    "b c",
    " x ",
    'q"',
    "=1+1",
    "1.50",
    "007",
    "é€",
    "😀",
    "n\nl",
    "\u2028",
    "-0",
    "TRUE",
)


def table_of(random: Random) -> list[list[str]]:
    width = random.randint(1, 4)
    return [[random.choice(WORDS) for _ in range(width)] for _ in range(random.randint(1, 12))]
