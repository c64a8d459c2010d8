"""The formula escape: keeps a text cell from being run by a spreadsheet, and can be undone.

Rule (docs/reference/rejection-files.md): a text cell whose first character after spaces is one of
``= + - @`` (also full-width), TAB, CR, LF, NUL or ``'`` gets exactly one ``'`` in front; a cell
that reads as a plain number (``-5.00``) is left alone. Undoing removes one ``'`` only where the
rule would have put it, so that ``unescape(escape(text)) == text`` for every text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    TextColumn = pa.ChunkedArray[pa.StringScalar]

PREFIX: Final = "'"
"""What the escape puts in front."""

_SPACES: Final = r" \x{00A0}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}"
_TRIGGERS: Final = r"=+\-@\t\r\n\x{0000}\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}'"
_NUMBER: Final = r"-?[0-9]+(?:\.[0-9]+)?"

TRIGGER_PATTERN: Final = rf"^[{_SPACES}]*[{_TRIGGERS}]"
"""RE2: the cell begins with a trigger, after spaces."""

NUMBER_PATTERN: Final = rf"^{_NUMBER}$"
"""RE2: the whole cell is a plain number, which is never escaped."""

_ESCAPED_PATTERN: Final = rf"^'[{_SPACES}]*[{_TRIGGERS}]"
_ESCAPED_NUMBER_PATTERN: Final = rf"^'{_NUMBER}$"


def _for_python(pattern: str) -> str:
    # Python spells a code point otherwise, and its $ also matches before a last newline
    points = re.sub(r"\\x\{([0-9A-F]{4})\}", r"\\u\1", pattern)
    return re.sub(r"\$$", r"\\Z", points)


_TRIGGER: Final = re.compile(_for_python(TRIGGER_PATTERN))
_PLAIN_NUMBER: Final = re.compile(_for_python(NUMBER_PATTERN))


def needs_escape(text: str) -> bool:
    """Whether a spreadsheet might run the text, or mistake it for an escaped one."""
    return _TRIGGER.match(text) is not None and _PLAIN_NUMBER.match(text) is None


def escape(text: str) -> str:
    """The text as it stands in a file for people."""
    return PREFIX + text if needs_escape(text) else text


def unescape(text: str) -> str:
    """The text as it was before ``escape``; any other text unchanged."""
    return text[1:] if text.startswith(PREFIX) and needs_escape(text[1:]) else text


def escape_column(column: TextColumn) -> TextColumn:
    """``escape`` over a text column; nulls stay null."""
    return _where(
        column,
        TRIGGER_PATTERN,
        NUMBER_PATTERN,
        lambda cells: pc.utf8_replace_slice(cells, start=0, stop=0, replacement=PREFIX),
    )


def unescape_column(column: TextColumn) -> TextColumn:
    """``unescape`` over a text column; nulls stay null."""
    return _where(
        column,
        _ESCAPED_PATTERN,
        _ESCAPED_NUMBER_PATTERN,
        lambda cells: pc.utf8_slice_codeunits(cells, 1),
    )


def _where(
    column: TextColumn,
    wanted: str,
    unless: str,
    change: Callable[[TextColumn], TextColumn],
) -> TextColumn:
    """The column with ``change`` made to cells that match ``wanted`` and not ``unless``."""
    hits = pc.match_substring_regex(column, wanted)
    if not pc.any(hits).as_py():
        return column
    hits = pc.and_not(hits, pc.match_substring_regex(column, unless))
    changed: TextColumn = pc.if_else(hits, change(column), column)
    return changed
