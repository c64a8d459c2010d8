"""A text from some place on: as much of it as is looked at, and where that lies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from waybill.validation.record_index import find_line_ends

if TYPE_CHECKING:
    from waybill.formats.text_stream import TextStream
    from waybill.ports.reader import ReadPosition

_READ_BYTES: Final = 64 * 1024


class TextWindow:
    """What lies ahead in a stream; ``position`` is where it begins.

    Memory: about as much as was looked at.
    """

    def __init__(self, stream: TextStream, start: ReadPosition) -> None:
        self._stream = stream
        self._held = stream.skip(start.byte)
        self._at = 0
        self._ended = False
        self.position = start

    @property
    def input_bytes(self) -> int:
        """Bytes of the stored file consumed so far."""
        return self._stream.input_bytes

    def look(self, size: int) -> bytes:
        """The next ``size`` bytes; fewer only where the text ends."""
        self._hold(size)
        return self._held[self._at : self._at + size]

    def is_rest(self, size: int) -> bool:
        """Whether the text ends within the next ``size`` bytes."""
        self._hold(size + 1)
        return self._ahead <= size

    def pass_over(self, size: int) -> None:
        """Go on behind the next ``size`` bytes, which do not end between CR and LF."""
        passed = self._held[self._at : self._at + size]
        lines = find_line_ends(passed).size if passed else 0
        self.go_to(
            replace(self.position, byte=self.position.byte + size, line=self.position.line + lines)
        )

    def pass_space(self, space: bytes) -> None:
        """Go on behind all bytes that are one of ``space``."""
        look = 1
        while ahead := self.look(look):
            size = len(ahead) - len(ahead.lstrip(space))
            is_torn = size == len(ahead) and ahead.endswith(b"\r") and not self.is_rest(size)
            self.pass_over(size - is_torn)
            if size < len(ahead):
                return
            look = _READ_BYTES

    def go_to(self, place: ReadPosition) -> None:
        """Go on from a place that lies ahead."""
        size = place.byte - self.position.byte
        if size <= self._ahead:
            self._at += size
        else:
            self._held, self._at = self._stream.skip(size - self._ahead), 0
        self.position = place

    @property
    def _ahead(self) -> int:
        return len(self._held) - self._at

    def _hold(self, size: int) -> None:
        """Read on until so many bytes lie ahead, or all."""
        if self._ahead >= size or self._ended:
            return
        parts, held = [self._held[self._at :]], self._ahead
        while held < size and not self._ended:
            part = self._stream.read(max(size - held, _READ_BYTES))
            self._ended = not part
            parts.append(part)
            held += len(part)
        self._held, self._at = b"".join(parts), 0
