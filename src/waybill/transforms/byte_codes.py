"""Base16, base32 and base64 after RFC 4648, sections 4, 6 and 8: both ways, piece by piece.

Decoding ignores white space and takes base16 and base32 in either case. The padding may be left
out, wholly or in part; bits that the last character has too many are ignored. Memory: some pieces.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from waybill.transforms.places import Place
from waybill.transforms.utf8 import empty_input, text_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Refused, Source, Target

_WHITE: Final = b" \t\n\r\v\f"
_UPPER: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS: Final = b"0123456789"
_ALPHABET_32: Final = _UPPER + b"234567"

_PAIRS_16: Final = np.frombuffer(b"".join(b"%02X" % byte for byte in range(256)), np.uint16)
_PAIRS_32: Final = np.frombuffer(
    b"".join(bytes((one, two)) for one in _ALPHABET_32 for two in _ALPHABET_32), np.uint16
)
"""Two characters by the ten bits that they stand for."""


def encode_base16(source: Source, target: Target, _options: Options, _limits: Limits) -> None:
    """Text to upper-case base16.

    Raises:
        Refused: as ``text_pieces``.
    """
    _encode(source, target, _BASE16)


def decode_base16(source: Source, target: Target, _options: Options, _limits: Limits) -> None:
    """Base16 to bytes.

    Raises:
        Refused: as ``text_pieces``; ``INVALID_BASE16``.
    """
    _decode(source, target, _BASE16)


def encode_base32(source: Source, target: Target, _options: Options, _limits: Limits) -> None:
    """Text to base32.

    Raises:
        Refused: as ``text_pieces``.
    """
    _encode(source, target, _BASE32)


def decode_base32(source: Source, target: Target, _options: Options, _limits: Limits) -> None:
    """Base32 to bytes.

    Raises:
        Refused: as ``text_pieces``; ``INVALID_BASE32``.
    """
    _decode(source, target, _BASE32)


def encode_base64(source: Source, target: Target, _options: Options, _limits: Limits) -> None:
    """Text to base64.

    Raises:
        Refused: as ``text_pieces``.
    """
    _encode(source, target, _BASE64)


def decode_base64(source: Source, target: Target, _options: Options, _limits: Limits) -> None:
    """Base64 to bytes.

    Raises:
        Refused: as ``text_pieces``; ``INVALID_BASE64``.
    """
    _decode(source, target, _BASE64)


def _to_base16(data: bytes) -> bytes:
    return _PAIRS_16[np.frombuffer(data, np.uint8)].tobytes()


def _to_base32(data: bytes) -> bytes:
    rows = np.frombuffer(data, np.uint8).reshape(-1, 5)
    one, two, three, four, five = rows.T.astype(np.uint16)
    bits = np.empty((len(rows), 4), np.uint16)
    bits[:, 0] = one << 2 | two >> 6
    bits[:, 1] = (two & 0x3F) << 4 | three >> 4
    bits[:, 2] = (three & 0x0F) << 6 | four >> 2
    bits[:, 3] = (four & 0x03) << 8 | five
    return _PAIRS_32[bits].tobytes()


_WRONG: Final = 0xFFFF
"""Instead of the bits of two characters that are not both base32."""


def _values_32() -> np.ndarray:
    """The ten bits of two characters, by their bytes as one number."""
    values = np.full(65_536, _WRONG, np.uint16)
    for alphabet in (_ALPHABET_32, _ALPHABET_32.lower()):
        for other in (_ALPHABET_32, _ALPHABET_32.lower()):
            pairs = b"".join(bytes((one, two)) for one in alphabet for two in other)
            values[np.frombuffer(pairs, np.uint16)] = np.arange(1024)
    return values


_VALUES_32: Final = _values_32()


def _from_base32(text: bytes) -> bytes:
    bits = _VALUES_32[np.frombuffer(text, np.uint16)].reshape(-1, 4)
    if bits.size and bits.max() == _WRONG:
        raise ValueError("not base32")
    one, two, three, four = bits.T
    rows = np.empty((len(bits), 5), np.uint8)
    rows[:, 0] = one >> 2
    rows[:, 1] = (one & 0x03) << 6 | two >> 4
    rows[:, 2] = (two & 0x0F) << 4 | three >> 6
    rows[:, 3] = (three & 0x3F) << 2 | four >> 8
    rows[:, 4] = four & 0xFF
    return rows.tobytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    """One code: ``group`` bytes are written as ``width`` characters.

    ``ends``: how many characters a last group may have without its padding. ``encode`` and
    ``decode`` take whole groups; the second raises ``ValueError`` for other characters.
    """

    name: str
    alphabet: bytes
    group: int
    width: int
    ends: tuple[int, ...]
    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes]


_BASE16: Final = _Code(
    name="Base16",
    alphabet=_DIGITS + b"ABCDEFabcdef",
    group=1,
    width=2,
    ends=(),
    encode=_to_base16,
    decode=binascii.unhexlify,
)
_BASE32: Final = _Code(
    name="Base32",
    alphabet=_ALPHABET_32 + _ALPHABET_32.lower(),
    group=5,
    width=8,
    ends=(2, 4, 5, 7),
    encode=_to_base32,
    decode=_from_base32,
)
_BASE64: Final = _Code(
    name="Base64",
    alphabet=_UPPER + _UPPER.lower() + _DIGITS + b"+/",
    group=3,
    width=4,
    ends=(2, 3),
    encode=lambda data: binascii.b2a_base64(data, newline=False),
    decode=lambda text: binascii.a2b_base64(text, strict_mode=True),
)


def _encode(source: Source, target: Target, code: _Code) -> None:
    held = b""
    for piece in text_pieces(source):
        data = held + piece
        size = len(data) - len(data) % code.group
        target.write(code.encode(data[:size]))
        held = data[size:]
    if held:
        characters = -(-len(held) * code.width // code.group)
        text = code.encode(held.ljust(code.group, b"\0"))[:characters]
        target.write(text.ljust(code.width, b"="))


def _decode(source: Source, target: Target, code: _Code) -> None:
    for data in _decoded(source, code):
        target.write(data)


def _decoded(source: Source, code: _Code) -> Iterator[bytes]:
    """The bytes that the text of a source means, in pieces.

    Raises:
        Refused: as ``text_pieces``; ``EMPTY_INPUT`` of white space alone; ``INVALID_...``.
    """
    decoder = _Decoder(code)
    is_blank = True
    for piece in text_pieces(source):
        is_blank = is_blank and not piece.strip(_WHITE)
        yield decoder.feed(piece)
    if is_blank:
        raise empty_input()
    yield decoder.end()


class DecodedBase64:
    """What Base64 text means, as a source; it raises as ``decode_base64``."""

    def __init__(self, source: Source) -> None:
        self._pieces = _decoded(source, _BASE64)
        self._held = b""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none only at the end."""
        while not self._held and (piece := next(self._pieces, None)) is not None:
            self._held = piece
        found, self._held = self._held[:size], self._held[size:]
        return found


class _Decoder:
    """Decodes pieces in order; it holds the characters of a group that is not whole yet."""

    def __init__(self, code: _Code) -> None:
        self._code = code
        self._place = Place()
        self._open = b""
        self._padding: int | None = None  # how much may still follow, once there was some

    def feed(self, piece: bytes) -> bytes:
        """The bytes of all groups that are whole now."""
        text = piece.translate(None, _WHITE)
        size = self._size_before_padding(text)
        data = self._take(text[:size], piece)
        surplus = self._pad(text[size:])
        if surplus >= 0:
            raise self._refused_at(size + surplus, piece)
        self._place = self._place.after(piece)
        return data

    def end(self) -> bytes:
        """The bytes of the last group."""
        characters = len(self._open)
        if not characters:
            return b""
        if characters not in self._code.ends:
            raise self._refused()
        group = self._open.ljust(self._code.width, self._code.alphabet[:1])
        return self._code.decode(group)[: characters * self._code.group // self._code.width]

    def _size_before_padding(self, text: bytes) -> int:
        if self._padding is not None:
            return 0
        size = text.find(b"=")
        return len(text) if size < 0 else size

    def _take(self, text: bytes, piece: bytes) -> bytes:
        held = len(self._open)
        group = self._open + text
        size = len(group) - len(group) % self._code.width
        self._open = group[size:]
        try:
            data = self._code.decode(group[:size])
        except ValueError:
            raise self._refused_at(self._first_wrong(group) - held, piece) from None
        if (wrong := self._first_wrong(self._open)) >= 0:
            raise self._refused_at(size + wrong - held, piece)
        return data

    def _first_wrong(self, text: bytes) -> int:
        """Where the first character is that the code does not know; -1 where none is."""
        others = text.translate(None, self._code.alphabet)
        return text.index(others[:1]) if others else -1

    def _pad(self, text: bytes) -> int:
        """Count the padding; where in the text something stands that is none, -1 if nothing."""
        if not text:
            return -1
        if self._padding is None:
            has_room = len(self._open) in self._code.ends
            self._padding = self._code.width - len(self._open) if has_room else 0
        after = text.lstrip(b"=")
        size = len(text) - len(after)
        if size > self._padding:
            return self._padding
        self._padding -= size
        return size if after else -1

    def _refused_at(self, index: int, piece: bytes) -> Refused:
        """The refusal of the character at ``index`` of the piece without its white space."""
        white = np.isin(np.frombuffer(piece, np.uint8), np.frombuffer(_WHITE, np.uint8))
        self._place = self._place.after(piece[: int(np.flatnonzero(~white)[index])])
        return self._refused()

    def _refused(self) -> Refused:
        name = self._code.name
        return self._place.refused(f"{name} decoding failed.", f"INVALID_{name.upper()}")
