"""The unpacked bytes as UTF-8 text without BOM; all byte offsets of Waybill count in it."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from waybill.formats.byte_stream import ByteStream
    from waybill.formats.encoding import Encoding

_MARK: Final = "\udcff"
_PIECE_BYTES: Final = 1024 * 1024


class TextStream(Protocol):
    """UTF-8 text, read forward once."""

    @property
    def input_bytes(self) -> int:
        """Bytes of the stored file consumed so far."""

    def read(self, size: int) -> bytes:
        """At least one byte and about ``size``, perhaps more; empty at the end."""

    def skip(self, size: int) -> bytes:
        """Pass over ``size`` bytes; gives what was read beyond them."""

    def close(self) -> None:
        """Close the file; safe to repeat."""


def open_text(source: ByteStream, encoding: Encoding) -> TextStream:
    """The text of the bytes; closes ``source`` when closed."""
    source.skip(encoding.bom_bytes)
    return Utf8Text(source) if encoding.is_utf8 else TranscodedText(source, encoding.name)


class Utf8Text:
    """Bytes that are UTF-8 already; invalid ones are left for the parser to find."""

    def __init__(self, source: ByteStream) -> None:
        self._source = source

    @property
    def input_bytes(self) -> int:
        """See ``TextStream.input_bytes``."""
        return self._source.input_bytes

    def read(self, size: int) -> bytes:
        """See ``TextStream.read``."""
        return self._source.read(size)

    def skip(self, size: int) -> bytes:
        """See ``TextStream.skip``."""
        self._source.skip(size)
        return b""

    def close(self) -> None:
        """See ``TextStream.close``."""
        self._source.close()


class TranscodedText:
    """Text decoded and encoded anew, piece by piece.

    Bytes that the encoding does not know become three bytes that no UTF-8 holds, so that their
    record is rejected like any other with invalid bytes.
    """

    def __init__(self, source: ByteStream, encoding: str) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder(encoding)(_MARKING)
        self._ended = False

    @property
    def input_bytes(self) -> int:
        """See ``TextStream.input_bytes``."""
        return self._source.input_bytes

    def read(self, size: int) -> bytes:
        """See ``TextStream.read``."""
        while not self._ended:
            piece = self._source.read(min(size, _PIECE_BYTES))
            self._ended = not piece
            text = self._decoder.decode(piece, final=self._ended)
            if text:
                return text.encode("utf-8", "surrogatepass")
        return b""

    def skip(self, size: int) -> bytes:
        """See ``TextStream.skip``."""
        while size > 0 and (text := self.read(_PIECE_BYTES)):
            if len(text) > size:
                return text[size:]
            size -= len(text)
        return b""

    def close(self) -> None:
        """See ``TextStream.close``."""
        self._source.close()


def _mark_invalid(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _MARK, error.end


_MARKING: Final = "waybill.mark_invalid"
codecs.register_error(_MARKING, _mark_invalid)
