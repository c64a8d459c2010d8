"""HTML to the same HTML, laid out or without what is not needed."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from waybill.transforms.places import Place
from waybill.transforms.source_text import read_whole
from waybill.transforms.tool import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Source, Target

MOST_BYTES: Final = 5 * 1024 * 1024
"""Formatter and minifier hold all of their input."""

_TOKEN: Final = re.compile(
    r"""(?P<comment><!--(?:>|->|(?s:.*?)--!?>))
      | (?P<markup><(?:!(?!--)|\?)[^>]*>|</(?![a-zA-Z])[^>]*>)
      | (?P<tag></?[a-zA-Z][^\s/>]*+(?:[^>"'=]++|=\s*+(?:"[^"]*+"|'[^']*+'|(?!["']))|["'])*+>)
      | (?P<text>(?:[^<]++|<(?![a-zA-Z!?/]))++)
      | (?P<unended>(?s:.))""",
    re.VERBOSE,
)
_NAME: Final = re.compile(r"</?([a-zA-Z][^ \t\n\f\r/>]*)")
_SPACES: Final = re.compile(r"[ \t\n\f\r]+")
_IN_TAG: Final = re.compile(
    r"""(=[ \t\n\f\r]*(?:"[^"]*"|'[^']*'|[^ \t\n\f\r"'>]+))
      | [ \t\n\f\r]+(>) | [ \t\n\f\r]+""",
    re.VERBOSE,
)
_IN_SCRIPT: Final = re.compile(
    r"(?P<nothing><!---*>) | (?P<opened><!--) | (?P<closed>-->)"
    r"| <(?P<slash>/?)script(?=[ \t\n\f\r/>])",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_KEPT_COMMENT: Final = re.compile(r"<!--(?:\[if|<!\[endif|!)")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VERBATIM: Final = _names("script style textarea title pre listing xmp iframe noembed noframes")
_VOID: Final = _names("area base br col embed hr img input link meta param source track wbr")
_BLOCK: Final = _names(
    "address article aside blockquote body caption center col colgroup dd details dir div"
    " dl dt fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 head header"
    " hgroup hr html legend li listing main menu nav ol optgroup option p pre search section"
    " summary table tbody td tfoot th thead tr ul xmp"
)
_UNSEEN: Final = _names("base dialog link meta noscript script style template title")
_OF_HEADS: Final = _names("base link meta script style title")
_HEADS: Final = frozenset({"html", "head"})
_ENDS_ITSELF: Final = {
    "li": {"li"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd"},
    "option": {"option"},
    "tr": {"tr", "td", "th"},
    "td": {"td", "th"},
    "th": {"td", "th"},
}
_PARAGRAPH: Final = {"p"}
_Token = tuple[str, str, str]


def format_html(source: Source, target: Target, options: Options, limits: Limits) -> None:
    """Write one block a line; no level is one line.

    White space is added and removed only where a browser shows none: around blocks such as ``div``
    and ``p`` and inside of tags; elsewhere a run becomes one space or line break. What ``pre``,
    ``textarea``, ``script``, ``style`` and the like hold stays as it is. Style sheets that let
    white space show, or that make blocks of other elements, are not looked at. Lines are indented
    ``limits.nesting_depth`` levels at most.

    Raises:
        Refused: ``INVALID_HTML``: a tag, a comment or one of those elements does not end, or a
            character is NUL; a browser takes all else. ``INVALID_ENCODING`` or ``EMPTY_INPUT``.
    """
    _write(_Layout(options.tab_space, limits.nesting_depth, keeps_comments=True), source, target)


def minify_html(source: Source, target: Target, _options: Options, limits: Limits) -> None:
    """Remove what a browser does not show: comments, and white space as ``format_html`` does.

    Comments that are conditions or begin with ``!`` stay. No tag, quote or attribute is removed.

    Raises:
        Refused: See ``format_html``.
    """
    _write(_Layout(0, limits.nesting_depth, keeps_comments=False), source, target)


def _write(layout: _Layout, source: Source, target: Target) -> None:
    for token in _tokens(read_whole(source)):
        layout.take(*token)
    target.write((layout.finished() + "\n").encode())


def _tokens(text: str) -> Iterator[_Token]:
    """Kind, as written, and a tag's name; ``verbatim`` is what such an element holds."""
    offset = 0
    end_of_nul = text.find("\0")
    while offset < len(text):
        found = _TOKEN.match(text, offset)
        kind = str(found.lastgroup) if found is not None else "unended"
        if found is None or kind == "unended":
            raise _refuse(text, len(text) if end_of_nul < 0 else end_of_nul)
        offset = found.end()
        written = found[0]
        if 0 <= end_of_nul < offset:
            raise _refuse(text, end_of_nul)
        name = _name(written) if kind == "tag" else ""
        yield kind, written, name
        if name in _VERBATIM and not written.startswith("</"):
            end = _end_of_verbatim(text, offset, name)
            if 0 <= end_of_nul < end:
                raise _refuse(text, end_of_nul)
            yield "verbatim", text[offset:end], name
            offset = end


def _end_of_verbatim(text: str, offset: int, name: str) -> int:
    if name == "script":
        return _end_of_script(text, offset)
    end_tag = rf"</{name}(?=[ \t\n\f\r/>])"
    found = re.compile(end_tag, re.IGNORECASE | re.ASCII).search(text, offset)
    if found is None:
        raise _refuse(text, len(text))
    return found.start()


def _end_of_script(text: str, offset: int) -> int:
    """Where a script ends: in its comments, as old pages have them, scripts may begin and end.

    Source: HTML Living Standard, 13.2.5.17 to 13.2.5.31 (script data states).
    """
    is_comment = is_script = False
    for found in _IN_SCRIPT.finditer(text, offset):
        kind = found.lastgroup
        if kind == "slash" and found["slash"] and not is_script:
            return found.start()
        if kind == "slash":
            is_script = is_comment and not found["slash"]
        elif kind == "opened":
            is_comment = True
        else:
            is_comment = is_script = False
    raise _refuse(text, len(text))


def _name(tag: str) -> str:
    found = _NAME.match(tag)
    return found[1].lower() if found is not None else ""


def _refuse(text: str, offset: int) -> Refused:
    place = Place().after_text(text[:offset])
    message = "HTML validation failed."
    return Refused(message, code="INVALID_HTML", line=place.line, column=place.column)


def _neat(tag: str) -> str:
    """A tag with one space before each attribute; one before a slash stays, for a value may end."""
    return _IN_TAG.sub(lambda found: found[1] or found[2] or " ", tag)


class _Layout:
    """Lines of blocks; ``_line`` is the one that inline content is added to.

    ``_wanted``: white space comes before what is added next. ``_is_unseen``: what was added last is
    nothing that a browser shows, so a line may end there where white space does. ``_is_shown``:
    the line holds something else, so it must not end but where white space is. ``_open``: blocks
    that are open, the innermost last; ``_begun``: how many lines there were with its start tag.
    """

    def __init__(self, tab_space: int, most_depth: int, *, keeps_comments: bool) -> None:
        self._space = tab_space
        self._most_depth = most_depth
        self._keeps_comments = keeps_comments
        self._lines: list[str] = []
        self._line: list[str] = []
        self._open: list[str] = []
        self._counts: Counter[str] = Counter()
        self._begun = 0
        self._wanted = False
        self._is_unseen = False
        self._is_shown = False
        self._is_own_line = False

    def take(self, kind: str, written: str, name: str) -> None:
        """Add a token."""
        if kind == "text":
            self._text(written)
        elif kind == "verbatim":
            self._line.append(written)
        elif kind in {"comment", "markup"}:
            if self._keeps_comments or kind == "markup" or _KEPT_COMMENT.match(written):
                self._inline(written, is_unseen=True)
                if kind == "markup" and not (self._open or self._is_shown):
                    self._break()
        elif written.startswith("</"):
            self._end(_neat(written), name)
        else:
            self._start(_neat(written), name)

    def finished(self) -> str:
        """All of it."""
        self._break()
        return ("\n" if self._space else "").join(self._lines)

    def _text(self, written: str) -> None:
        text = _SPACES.sub(" ", written)
        self._wanted = self._wanted or text[0] == " "
        if core := text.strip(" "):
            self._inline(core, is_unseen=False)
            self._wanted = text[-1] == " "

    def _inline(self, written: str, *, is_unseen: bool) -> None:
        if self._wanted and self._line:
            if self._space and (is_unseen or self._is_unseen):
                self._break()
            else:
                self._line.append(" ")
        self._wanted = False
        self._is_unseen = is_unseen
        self._is_shown = self._is_shown or not is_unseen
        self._line.append(written)

    def _start(self, tag: str, name: str) -> None:
        self._is_own_line = name in _BLOCK or (not self._is_shown and self._may_be_apart(name))
        if not self._is_own_line:
            self._inline(tag, is_unseen=name in _UNSEEN)
            self._is_shown = self._is_shown or name not in _OF_HEADS
            return
        self._break()
        self._end_implied(name)
        self._line.append(tag)
        if name in _VERBATIM:
            return
        self._break()
        if name not in _VOID:
            self._open.append(name)
            self._counts[name] += 1
            self._begun = len(self._lines)

    def _may_be_apart(self, name: str) -> bool:
        """Whether an element that shows nothing in its place has lines of its own."""
        is_in_head = not self._open or self._open[-1] in _HEADS
        if name == "noscript":
            return self._open[-1:] == ["head"]
        return name == "dialog" or (name in _OF_HEADS and is_in_head)

    def _end(self, tag: str, name: str) -> None:
        if name in _VERBATIM:
            self._line.append(tag)
            if self._is_own_line:
                self._break()
        elif self._counts[name]:
            self._end_block(tag, name)
        else:
            self._inline(tag, is_unseen=name in _UNSEEN)
            self._is_shown = True

    def _end_block(self, tag: str, name: str) -> None:
        """End a block, on the line of its start where it holds no other line."""
        if self._open[-1] == name and self._begun == len(self._lines):
            self._lines[-1] += "".join(self._line) + tag
            self._begin_line()
            self._close()
            return
        self._break()
        while self._close() != name:
            pass
        self._line.append(tag)
        self._break()

    def _end_implied(self, name: str) -> None:
        """End what may go without an end tag before such an element."""
        while self._open and self._open[-1] in _ENDS_ITSELF.get(name, _PARAGRAPH):
            self._close()

    def _close(self) -> str:
        """End the innermost block, and tell its name."""
        name = self._open.pop()
        self._counts[name] -= 1
        self._begun = 0
        return name

    def _break(self) -> None:
        """End the line."""
        if self._line:
            depth = min(len(self._open), self._most_depth)
            self._lines.append(" " * (self._space * depth) + "".join(self._line))
        self._begin_line()

    def _begin_line(self) -> None:
        self._line = []
        self._wanted = self._is_shown = False
