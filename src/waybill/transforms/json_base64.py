"""The tools between JSON and Base64 (RFC 4648, section 4)."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Final

from waybill.transforms.byte_codes import DecodedBase64
from waybill.transforms.json_formatting import validate_json
from waybill.transforms.json_rewriting import COMPACT, rewrite

if TYPE_CHECKING:
    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Source, Target

_GROUP_BYTES: Final = 3


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
    """Base64 to JSON, one item a line; places of faults are those in the decoded text.

    Raises:
        Refused: as ``decode_base64`` or ``validate_json``.
    """
    validate_json(DecodedBase64(source), target, options, limits)
