"""Percent-encoding after RFC 3986, section 2: both ways, piece by piece. A plus is a plus."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from waybill.transforms.places import Place
from waybill.transforms.utf8 import text_pieces

if TYPE_CHECKING:
    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Refused, Source, Target

_PERCENT: Final = 0x25
_UNRESERVED: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_RESERVED: Final = b":/?#[]@!$&'()*+,;="


def encode_url(source: Source, target: Target, options: Options, _limits: Limits) -> None:
    """Text to percent-encoded text, with upper-case digits.

    All but unreserved characters is encoded; reserved ones stay where ``url_safe`` is not asked
    for. Memory: some pieces. Raises as ``text_pieces``.
    """
    codes = _CODES if options.url_safe else _CODES_BUT_RESERVED
    for piece in text_pieces(source):
        padded = codes[np.frombuffer(piece, np.uint8)].tobytes()
        target.write(padded.translate(None, b"\0"))


def decode_url(source: Source, target: Target, _options: Options, _limits: Limits) -> None:
    """Percent-encoded text to text.

    Memory: some pieces.

    Raises:
        Refused: as ``text_pieces``; ``INVALID_URL_ENCODING`` at a percent sign without two digits
            and at encoded bytes that are not UTF-8.
    """
    decoder = _Decoder()
    for piece in text_pieces(source):
        text = decoder.feed(piece)
        target.write(text)
    decoder.end()


def _codes(kept: bytes) -> np.ndarray:
    """What each byte becomes: four bytes, of which those that are zero do not count."""
    written = (bytes((byte,)) if byte in kept else b"%%%02X" % byte for byte in range(256))
    return np.frombuffer(b"".join(code.ljust(4, b"\0") for code in written), np.uint32)


_CODES: Final = _codes(_UNRESERVED)
_CODES_BUT_RESERVED: Final = _codes(_UNRESERVED + _RESERVED)


def _digits() -> np.ndarray:
    values = np.full(256, -1, np.int8)
    for digits in (b"0123456789abcdef", b"0123456789ABCDEF"):
        values[np.frombuffer(digits, np.uint8)] = np.arange(16)
    return values


_DIGITS: Final = _digits()
"""The value of each hexadecimal digit, -1 of every other byte."""


class _Decoder:
    """Decodes pieces in order; it holds the text of a character that is not whole yet."""

    def __init__(self) -> None:
        self._place = Place()
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """All characters that are whole now."""
        text = self._held + piece
        cut = text.find(b"%", max(len(text) - 2, 0))
        decoded = _decode(text if cut < 0 else text[:cut])
        try:
            size = codecs.utf_8_decode(decoded.data, "strict", False)[1]  # noqa: FBT003 - no names
        except UnicodeDecodeError as error:
            raise self._refused_behind(text[: decoded.source_of(error.start)]) from None
        if decoded.is_broken:
            raise self._refused_behind(text[: decoded.size])
        whole = decoded.source_of(size)
        self._place = self._place.after(text[:whole])
        self._held = text[whole:]
        return decoded.data[:size]

    def end(self) -> None:
        """Check that nothing is left."""
        if self._held:
            raise self._refused_behind(b"")

    def _refused_behind(self, text: bytes) -> Refused:
        self._place = self._place.after(text)
        return self._place.refused("URL decoding failed.", "INVALID_URL_ENCODING")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decoded:
    """What the first ``size`` bytes of a text mean.

    ``signs``: offsets of their percent signs. ``is_broken``: a percent sign without digits
    follows them.
    """

    data: bytes
    size: int
    signs: np.ndarray
    is_broken: bool = False

    def source_of(self, size: int) -> int:
        """How much of the text the first bytes of ``data`` stand for."""
        places = self.signs - 2 * np.arange(self.signs.size)
        return size + 2 * int(places.searchsorted(size))


def _decode(text: bytes) -> _Decoded:
    """All of the text, or what stands before the first percent sign without digits."""
    if b"%" not in text:
        return _Decoded(data=text, size=len(text), signs=np.empty(0, np.int64))
    array = np.frombuffer(text + b"\0\0", np.uint8)
    signs = np.flatnonzero(array == _PERCENT)
    high, low = _DIGITS[array[signs + 1]], _DIGITS[array[signs + 2]]
    broken = np.flatnonzero((high < 0) | (low < 0))
    size = int(signs[broken[0]]) if broken.size else len(text)
    signs = signs[: signs.searchsorted(size)]
    data = array[:size].copy()
    data[signs] = (high[: signs.size] << 4 | low[: signs.size]).view(np.uint8)
    is_kept = np.ones(size, np.bool_)
    is_kept[signs + 1] = is_kept[signs + 2] = False
    return _Decoded(
        data=data[is_kept].tobytes(), size=size, signs=signs, is_broken=bool(broken.size)
    )
