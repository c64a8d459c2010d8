"""The XML of a sheet, cut where rows end, so that what looks at it holds little of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from waybill.formats.contained.sheet_rows import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROW_BYTES: Final = 64 * 1024 * 1024
"""A row that is not over after so many bytes of XML is refused."""

BLOCK_BYTES: Final = 1024 * 1024
"""About so much XML is looked at together."""

_ROW_END: Final = b"row>"
_IS_CLOSING: Final = re.compile(rb"</(?:[A-Za-z_][\w.-]*:)?\Z")
_PREFIX_BYTES: Final = 128


def blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The XML, cut behind ends of rows."""
    rest: list[bytes] = []
    held = 0
    for piece in pieces:
        end = _end_of_rows(piece)
        if not end or held + end < BLOCK_BYTES:
            rest.append(piece)
            held += len(piece)
            if held > ROW_BYTES:
                raise invalid(f"a row is longer than {ROW_BYTES} bytes")
            continue
        yield b"".join((*rest, piece[:end]))
        rest, held = [piece[end:]], len(piece) - end
    yield b"".join(rest)


def _end_of_rows(piece: bytes) -> int:
    """Where the last row that ends in the piece does; 0 where none does."""
    at = piece.rfind(_ROW_END)
    while at >= 0 and not _IS_CLOSING.search(piece, max(0, at - _PREFIX_BYTES), at):
        at = piece.rfind(_ROW_END, 0, at)  # text, such as "arrow>"
    return at + len(_ROW_END) if at >= 0 else 0
