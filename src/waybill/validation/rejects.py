"""The master list of rejections: one compact JSON line per rejected record, in input order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from waybill.model.finding import Rejection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Rejection)


def encode_rejection(rejection: Rejection) -> bytes:
    """One line of the master list, its newline included."""
    return _ENCODER.encode(rejection) + b"\n"


def decode_rejection(line: bytes) -> Rejection:
    """The rejection of one line."""
    return _DECODER.decode(line)


def iterate_rejections(chunks: Iterable[bytes]) -> Iterator[Rejection]:
    """The rejections of a master list that arrives in pieces cut anywhere; holds one line more."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (_DECODER.decode(line) for line in lines if line)
    if rest:
        yield _DECODER.decode(rest)
