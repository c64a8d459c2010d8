"""XML to the same XML, indented."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Final

from waybill.transforms.xml_text import END, LEAF, ODD_START, OTHER, XmlMarkup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Source, Target

_SPACES: Final = re.compile(r"""("[^"]*"|'[^']*')|\s+(/?>)|\s*(=)\s*|\s+""")
_KEEPS_SPACE: Final = re.compile(r"""\sxml:space\s*=\s*["']preserve["']""")


def format_xml(source: Source, target: Target, options: Options, limits: Limits) -> None:
    """Check a document and write it with one element a line; no level is one line.

    Only white space changes, and only where nothing else stands: between the children of an element
    that holds elements, comments and processing instructions alone, and inside of start tags. An
    element that has text, too, or ``xml:space="preserve"``, is left as it is with all that it
    holds. It streams: an element whose first text comes more than a piece (``PIECE_BYTES``) after
    its start is left as it is from about that text on. References, CDATA sections and attributes
    stay as written, as does the declaration.

    Raises:
        Refused: ``INVALID_XML``, ``INVALID_ENCODING`` or ``EMPTY_INPUT``.
    """
    markup = XmlMarkup(source, limits)
    layout = _Layout(markup, options.tab_space, limits.nesting_depth)
    last = 0
    for window in markup.windows():
        layout.take(window)
        target.write(layout.give(last))
        last = layout.size
    target.write(layout.give(last) + b"\n")


class _Layout:
    """Pieces of markup, the white space that is to stand before each, and what stood there.

    ``_starts``: where the elements that are open begin in these lists, below 0 when given already.
    ``_verbatim``: depth of the outermost element that is left as it is, or 0.
    """

    def __init__(self, markup: XmlMarkup, tab_space: int, most_depth: int) -> None:
        self._markup = markup
        self._indents = [
            "\n" + " " * (depth * tab_space) if tab_space else "" for depth in range(most_depth + 1)
        ]
        self._gaps: list[str] = []
        self._written: list[str] = []
        self._pieces: list[str] = []
        self._starts: list[int] = []
        self._verbatim = 0
        self._is_begun = False

    @property
    def size(self) -> int:
        """How many pieces are held."""
        return len(self._pieces)

    def take(self, matches: Iterator[re.Match[str]]) -> None:
        """Add pieces of markup, each with the text before it."""
        markup, starts, indents = self._markup, self._starts, self._indents
        gaps, written, pieces = self._gaps, self._written, self._pieces
        unchecked, most_depth = markup.unchecked_characters, len(indents) - 1
        for match in matches:
            text, piece, kind = match[1], match[0], match.lastindex
            if len(piece) > unchecked:
                markup.check_size(match)
            if text:
                piece = piece[len(text) :]
                self._say(text, match)
            if kind == END:
                self._end(text, piece)
                continue
            gaps.append(text if self._verbatim else indents[len(starts)])
            written.append(text)
            pieces.append(piece)
            if kind == OTHER:
                self._take_other(piece)
            elif len(starts) == most_depth:
                markup.check_depth(match)
            elif kind != LEAF:
                self._begin(_neat(piece) if kind == ODD_START else piece)

    def give(self, count: int) -> bytes:
        """The first pieces with the white space before them, which are no longer held."""
        if count and not self._is_begun:
            self._is_begun = True
            self._gaps[0] = ""
        pairs = zip(self._gaps[:count], self._pieces[:count], strict=True)
        text = "".join(chain.from_iterable(pairs))
        for held in (self._gaps, self._written, self._pieces):
            del held[:count]
        self._starts[:] = [start - count for start in self._starts]
        return text.encode()

    def _say(self, text: str, match: re.Match[str]) -> None:
        if self._verbatim or text.isspace():
            return
        if not self._starts:
            raise self._markup.refuse_outside(match)
        self._leave_open_element()

    def _begin(self, tag: str) -> None:
        self._pieces[-1] = tag
        if tag.endswith("/>"):
            return
        self._starts.append(len(self._pieces) - 1)
        self._markup.open_tags.append(tag)
        if "xml:space" in tag and not self._verbatim and _KEEPS_SPACE.search(tag):
            self._verbatim = len(self._starts)

    def _end(self, text: str, tag: str) -> None:
        start = self._starts.pop()
        self._markup.open_tags.pop()
        gap = text if self._verbatim else self._indents[len(self._starts)]
        if not self._verbatim and self._has_no_element(start):
            self._leave_as_written(start)
            gap = text
        self._gaps.append(gap)
        self._written.append(text)
        self._pieces.append(tag)
        if self._verbatim > len(self._starts):
            self._verbatim = 0

    def _take_other(self, piece: str) -> None:
        """A CDATA section is text, whatever it holds."""
        if piece.startswith("<![") and not self._verbatim:
            self._leave_open_element()

    def _has_no_element(self, start: int) -> bool:
        """Whether the element that begins there has comments and instructions alone."""
        if start < 0:
            return False
        inside = range(start + 1, len(self._pieces))
        return all(self._pieces[index][1] in "!?" for index in inside)

    def _leave_open_element(self) -> None:
        """The innermost open element has text: neither it nor what it holds gets white space."""
        self._verbatim = len(self._starts)
        self._leave_as_written(self._starts[-1])

    def _leave_as_written(self, start: int) -> None:
        inside = max(start + 1, 0)
        self._gaps[inside:] = self._written[inside:]


def _neat(tag: str) -> str:
    """A start tag with one space before each attribute, none around ``=`` and before its end."""
    return _SPACES.sub(lambda found: found[1] or found[2] or found[3] or " ", tag)
