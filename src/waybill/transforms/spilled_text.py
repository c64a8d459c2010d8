"""Text in pieces, the long ones in a file, that is indented only when it is written."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

from waybill.transforms.tool import PIECE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from waybill.transforms.tool import Target

_LEAST_CHARACTERS: Final = 4096


@dataclass(frozen=True, slots=True)
class Segment:
    """Text in the file; ``indent``: spaces to add after each of its line breaks."""

    offset: int
    size: int
    indent: int = 0


Piece = str | Segment


def indented(pieces: Iterable[Piece], spaces: int) -> list[Piece]:
    """The same text with more spaces after each line break."""
    after_break = "\n" + " " * spaces
    return [
        piece.replace("\n", after_break)
        if isinstance(piece, str)
        else replace(piece, indent=piece.indent + spaces)
        for piece in pieces
    ]


class SpillFile:
    """A file without a name for what memory should not hold; gone when the block ends."""

    def __init__(self) -> None:
        self._exits = ExitStack()
        self._size = 0

    def __enter__(self) -> Self:
        self._file = self._exits.enter_context(tempfile.TemporaryFile())
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def spilled(self, pieces: Iterable[Piece]) -> list[Piece]:
        """The same text with its long parts in the file."""
        kept: list[Piece] = []
        run: list[str] = []
        for piece in pieces:
            if isinstance(piece, str):
                run.append(piece)
            else:
                self._end_run(run, kept)
                kept.append(piece)
        self._end_run(run, kept)
        return kept

    def write(self, pieces: Iterable[Piece], target: Target) -> None:
        """Write a text with the spaces that its segments lack."""
        for piece in pieces:
            if isinstance(piece, str):
                target.write(piece.encode())
            else:
                self._copy(piece, target)

    def _end_run(self, run: list[str], kept: list[Piece]) -> None:
        text = "".join(run)
        run.clear()
        if len(text) >= _LEAST_CHARACTERS:
            encoded = text.encode()
            self._file.seek(self._size)
            self._file.write(encoded)
            kept.append(Segment(self._size, len(encoded)))
            self._size += len(encoded)
        elif text:
            kept.append(text)

    def _copy(self, segment: Segment, target: Target) -> None:
        after_break = b"\n" + b" " * segment.indent
        self._file.seek(segment.offset)
        left = segment.size
        while left:
            piece = self._file.read(min(left, PIECE_BYTES))
            target.write(piece.replace(b"\n", after_break))
            left -= len(piece)
