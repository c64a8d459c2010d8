"""CSV lines for people: formulas neutralised, missing and empty cells kept apart.

RFC 4180 with line feeds, UTF-8 without BOM. A missing cell is nothing, an empty text is ``""``.
Text cells carry the reversible escape of ``validation/formula.py``; numbers do not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from waybill.validation.formula import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BUFFER_CHARACTERS: Final = 256 * 1024
"""About how much text is gathered before it is handed on."""

_PLAIN = re.compile(r"[A-Za-z0-9][^\",;\t|\r\n]*").fullmatch
_NEEDS_QUOTES = re.compile(r"[\",;\t|\r\n]").search


def text_cell(text: str | None) -> str:
    """One cell of CSV: escaped, quoted where it must be.

    Cells with any delimiter that the reader may guess are quoted, so that a header is never
    split at the wrong one.
    """
    if text is None:
        return ""
    if _PLAIN(text):
        return text
    return quoted(escape(text))


def quoted(text: str) -> str:
    """The text as one cell, in quotes where it must be; nothing is escaped."""
    if text and not _NEEDS_QUOTES(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def line(cells: Sequence[str]) -> str:
    """A line of finished cells; a lone missing cell is quoted, for a blank line is no record."""
    return (",".join(cells) or '""') + "\n"


def gather(lines: Iterable[str]) -> Iterator[bytes]:
    """The lines as pieces of UTF-8, each of about ``BUFFER_CHARACTERS``."""
    waiting: list[str] = []
    size = 0
    for text in lines:
        waiting.append(text)
        size += len(text)
        if size >= BUFFER_CHARACTERS:
            yield "".join(waiting).encode()
            waiting.clear()
            size = 0
    if waiting:
        yield "".join(waiting).encode()
