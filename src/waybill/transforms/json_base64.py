"""The tools between JSON and Base64 (RFC 4648, section 4)."""

from __future__ import annotations

import binascii
import re
from codecs import BOM_UTF8
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

from waybill.transforms.json_formatting import validate_json
from waybill.transforms.json_rewriting import COMPACT, rewrite
from waybill.transforms.places import Place
from waybill.transforms.tool import Refused

if TYPE_CHECKING:
    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Source, Target

_GROUP_BYTES: Final = 3
_GROUP_CHARACTERS: Final = 4
_LEAST_DIGITS: Final = 2
"""Of a group before it is padded."""

_WHITE_SPACE: Final = b" \t\r\n"
_SOLID: Final = re.compile(rb"[^ \t\r\n]")
_NO_DIGIT: Final = re.compile(rb"[^A-Za-z0-9+/]")


def json_to_base64(source: Source, target: Target, _options: Options, limits: Limits) -> None:
    """Encode the content as it is, but for a byte order mark, once it was found to be JSON.

    One line without a break at its end. Memory and errors: see ``rewrite``.
    """
    rest = b""
    for part in rewrite(source, COMPACT, limits):
        content = rest + part.source
        size = len(content) - len(content) % _GROUP_BYTES
        target.write(binascii.b2a_base64(content[:size], newline=False))
        rest = content[size:]
    target.write(binascii.b2a_base64(rest, newline=False))


def base64_to_json(source: Source, target: Target, options: Options, limits: Limits) -> None:
    """Decode, then write as ``validate_json`` does; places of faults are those in the decoded text.

    Raises:
        Refused: ``INVALID_BASE64`` at the character that cannot be right, or as ``validate_json``.
    """
    validate_json(cast("Source", _Decoded(source)), target, options, limits)


class _Decoded:
    """What Base64 text means, as a source; white space in it does not count.

    ``_held``: a group that has begun. ``_pads``: how many ``=`` are still to come,
    after the first one.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._place = Place()
        self._held = b""
        self._is_first = True
        self._pads: int | None = None

    def read(self, size: int) -> bytes:
        """Some bytes, none only at the end.

        Raises:
            Refused: ``INVALID_BASE64``.
        """
        while text := self._read(size):
            solid = text.translate(None, _WHITE_SPACE)
            wrong = self._first_wrong(solid)
            if wrong is not None:
                raise self._refused(text[: _offset_of(text, wrong)])
            solid = self._held + solid
            whole = len(solid) - len(solid) % _GROUP_CHARACTERS
            self._held = solid[whole:]
            self._place = self._place.after(text)
            if whole:
                return binascii.a2b_base64(solid[:whole])
        if self._held:
            raise self._refused(b"")
        return b""

    def _read(self, size: int) -> bytes:
        text = self._source.read(size)
        if not self._is_first:
            return text
        self._is_first = False
        while len(text) <= len(BOM_UTF8) and (more := self._source.read(size)):
            text += more
        return text.removeprefix(BOM_UTF8)

    def _first_wrong(self, solid: bytes) -> int | None:
        """The offset of the first character that cannot be right."""
        start = 0
        if self._pads is None:
            found = _NO_DIGIT.search(solid)
            if found is None:
                return None
            start = found.start()
            phase = (len(self._held) + start) % _GROUP_CHARACTERS
            self._pads = _GROUP_CHARACTERS - phase if phase >= _LEAST_DIGITS else 0
        run = len(solid) - start - len(solid[start:].lstrip(b"="))
        run = min(run, self._pads)
        self._pads -= run
        return start + run if start + run < len(solid) else None

    def _refused(self, before: bytes) -> Refused:
        place = self._place.after(before)
        return Refused(
            "Base64 decoding failed.", code="INVALID_BASE64", line=place.line, column=place.column
        )


def _offset_of(text: bytes, number: int) -> int:
    """Where the character stands that so many others, white space aside, stand before."""
    return next(islice(_SOLID.finditer(text), number, None)).start()
