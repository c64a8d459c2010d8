"""JSON for tools that make something else of it: compact parts, each of which ends with an item."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from waybill.transforms.excess import too_large
from waybill.transforms.json_rewriting import COMPACT, Part, rewrite
from waybill.transforms.json_text import invalid_json
from waybill.transforms.tool import PIECE_BYTES
from waybill.validation.json_structure import BRACKET_KIND, CLOSE_BRACE, OPEN_BRACE, find_structure
from waybill.validation.record_index import as_array

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from waybill.model.limits import Limits
    from waybill.transforms.places import Place
    from waybill.transforms.tool import Refused, Source

MOST_ITEM_BYTES: Final = 8 * PIECE_BYTES
"""Of what must be held together: a text, or a row of a table."""

_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[^ \t\r\n"]++')
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE: Final = re.compile(
    rb"""\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}
         |(u[dD][89a-fA-F])
         |.)""",
    re.VERBOSE,
)


def read_items(source: Source, limits: Limits) -> Iterator[Part]:
    """The parts of a document, compact, joined until an item ends.

    Raises:
        Refused: as ``rewrite``; ``INVALID_JSON`` at an escape that is half a pair of surrogates,
            which no other format can hold; ``PAYLOAD_TOO_LARGE`` where a text is too long.
    """
    held: list[Part] = []
    for part in rewrite(source, COMPACT, limits):
        held.append(part)
        size = sum(len(each.text) + len(each.source) for each in held)
        if part.is_whole:
            whole = _joined(held)
            _require_characters(whole)
            yield whole
            held = []
        elif size > 2 * MOST_ITEM_BYTES:
            raise too_long("text", held[0].place)


def runs_to_write(
    tokens: Sequence[str], marks: bytes, beside: int
) -> Iterator[tuple[Sequence[str], bytes]]:
    """What ``split_marks`` gave, in runs that are some pieces long once they are written.

    ``beside``: the most characters that are written with a token: indentation and names of others.
    """
    count = max(1, PIECE_BYTES // (max(map(len, tokens)) + beside))
    for first in range(0, len(tokens), count):
        yield tokens[first : first + count], marks[first : first + count]


def split_marks(text: bytes) -> tuple[list[str], bytes]:
    """What stands before each mark of a compact part, and the marks; the last one is a comma.

    A mark is a comma, a colon or a bracket, but for those of empty containers, which are values.
    """
    structure = find_structure(text)
    places, kinds = structure.places, structure.marks
    is_empty = np.flatnonzero(
        (np.diff(places) == 1)
        & ((kinds[:-1] | BRACKET_KIND) == OPEN_BRACE)
        & ((kinds[1:] | BRACKET_KIND) == CLOSE_BRACE)
    )
    if is_empty.size:
        in_empty = np.concatenate((is_empty, is_empty + 1))
        places, kinds = np.delete(places, in_empty), np.delete(kinds, in_empty)
    array = as_array(text).copy()
    array[places] = 0  # a byte that is not in JSON
    return array.tobytes().decode().split("\0"), kinds.tobytes() + b","


def refused_at(part: Part, offset: int, message: str = "JSON validation failed.") -> Refused:
    """``INVALID_JSON`` at the place that a byte of the compact text has in the source."""
    tokens = _TOKEN.finditer(part.source)
    token = next(tokens)
    while offset >= len(token[0]):
        offset -= len(token[0])
        token = next(tokens)
    return invalid_json(part.place.after(part.source[: token.start() + offset]), message)


def too_long(what: str, place: Place | None = None) -> Refused:
    """``PAYLOAD_TOO_LARGE`` for what must be held together."""
    return too_large(f"A {what} of the content is larger than {MOST_ITEM_BYTES} bytes.", place)


def _joined(parts: list[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    return Part(
        text=b"".join(part.text for part in parts),
        source=b"".join(part.source for part in parts),
        place=parts[0].place,
        is_whole=True,
    )


def _require_characters(part: Part) -> None:
    if _SURROGATE.search(part.text) is None:
        return
    for escape in _ESCAPE.finditer(part.text):
        if escape[1] is not None:
            raise refused_at(part, escape.start())
