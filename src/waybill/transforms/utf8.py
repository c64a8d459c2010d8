"""The content of a source as UTF-8: checked, and cut between characters."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final

from waybill.transforms.tool import PIECE_BYTES, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.transforms.tool import Source

BOM: Final = codecs.BOM_UTF8


def text_pieces(source: Source) -> Iterator[bytes]:
    """The content in pieces of whole characters, none empty, without a byte order mark.

    All that stands before a wrong byte is given first, so that what is wrong there is found
    first, however the source cuts its bytes. Memory: two pieces.

    Raises:
        Refused: ``INVALID_ENCODING`` at the first byte that is not UTF-8; ``EMPTY_INPUT`` where
            there is no content.
    """
    is_first, is_empty = True, True
    for piece in _valid_pieces(source):
        text = piece.removeprefix(BOM) if is_first else piece
        is_first = False
        if text:
            is_empty = False
            yield text
    if is_empty:
        raise empty_input()


def empty_input() -> Refused:
    """The refusal of a source that has no content."""
    return Refused("The request body is empty.", code="EMPTY_INPUT")


def _valid_pieces(source: Source) -> Iterator[bytes]:
    held = b""
    while read := source.read(PIECE_BYTES):
        data = held + read
        size, is_valid = _whole_characters(data)
        if size:
            yield data[:size]
        if not is_valid:
            raise not_utf8()
        held = data[size:]
    if held:
        raise not_utf8()


def _whole_characters(data: bytes) -> tuple[int, bool]:
    """How many bytes are whole characters, and whether the rest may begin a further one."""
    if data.isascii():
        return len(data), True
    try:
        return codecs.utf_8_decode(data, "strict", False)[1], True  # noqa: FBT003 - takes no names
    except UnicodeDecodeError as error:
        return error.start, False


def not_utf8() -> Refused:
    """The refusal of a content in another encoding."""
    return Refused("The content is not valid UTF-8.", code="INVALID_ENCODING")
