"""CSS to the same CSS, laid out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from waybill.transforms.excess import deeper_than, too_large
from waybill.transforms.places import Place
from waybill.transforms.source_text import read_whole
from waybill.transforms.tool import Refused

if TYPE_CHECKING:
    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Source, Target

MOST_BYTES: Final = 5 * 1024 * 1024
"""The formatter holds all of its input."""

_TOKEN: Final = re.compile(
    r"""(?P<space>[ \t\r\n\f]+)
      | (?P<comment>/\*(?s:.*?)\*/)
      | (?P<string>"(?:[^"\\\r\n\f]|\\(?:\r\n|(?s:.)))*+"|'(?:[^'\\\r\n\f]|\\(?:\r\n|(?s:.)))*+')
      | (?P<url>url\([ \t\r\n\f]*+(?!["'])(?:[^"'()\\\s]|\\(?s:.))*+[ \t\r\n\f]*+\))
      | (?P<open>[({\[]) | (?P<close>[)}\]]) | (?P<end>;) | (?P<comma>,) | (?P<colon>:)
      | (?P<combinator>[>+~])
      | (?P<word>(?:[^ \t\r\n\f/"'(){}\[\];,:>+~\\uU]|\\(?s:.)|/(?!\*)|[uU](?!rl\())++|[uU])
      | (?P<unended>(?s:.))""",
    re.VERBOSE | re.IGNORECASE,
)
_STRING_END: Final = re.compile(r"""(?:[^\\\r\n\f]|\\(?:\r\n|(?s:.)|\Z))*""")
_CLOSERS: Final = {"(": ")", "[": "]", "{": "}"}
_Token = tuple[str, str]


def format_css(source: Source, target: Target, options: Options, limits: Limits) -> None:
    """Write one declaration and one selector a line; no level is one line.

    Comments stay, as do strings, addresses and the values of custom properties. What is checked is
    what can be told without knowing any property: that comments and strings end, and that brackets
    match, no deeper than ``limits.nesting_depth``.

    Raises:
        Refused: ``INVALID_CSS``, ``INVALID_ENCODING``, ``EMPTY_INPUT`` or ``PAYLOAD_TOO_LARGE``.
    """
    text = read_whole(source)
    layout = _Layout(options.tab_space)
    for token in _tokens(text, limits.nesting_depth):
        layout.take(*token)
    target.write((layout.finished() + "\n").encode())


def _tokens(text: str, most_depth: int) -> list[_Token]:
    """The tokens, each with its kind."""
    tokens: list[_Token] = []
    closers: list[str] = []
    for found in _TOKEN.finditer(text):
        kind, written = str(found.lastgroup), found[0]
        if kind == "unended":
            raise _refuse(text, _unended_at(text, found.start()))
        if kind == "open":
            if len(closers) >= most_depth:
                place = Place().after_text(text[: found.start()])
                raise too_large(deeper_than(most_depth), place)
            closers.append(_CLOSERS[written])
        elif kind == "close" and (not closers or closers.pop() != written):
            raise _refuse(text, found.start())
        tokens.append((kind, written))
    if closers:
        raise _refuse(text, len(text))
    return tokens


def _unended_at(text: str, start: int) -> int:
    """Where the end of a string or comment is missing."""
    if text[start] in "\"'" and (end := _STRING_END.match(text, start)) is not None:
        return end.end()
    return len(text)


def _refuse(text: str, offset: int) -> Refused:
    place = Place().after_text(text[:offset])
    message = "CSS validation failed."
    return Refused(message, code="INVALID_CSS", line=place.line, column=place.column)


class _Layout:
    """Tokens up to what ends them: a declaration, or what stands before a block."""

    def __init__(self, tab_space: int) -> None:
        self._space = tab_space
        self._lines: list[str] = []
        self._statement: list[_Token] = []
        self._brackets = 0
        self._blocks = 0
        self._is_custom = False

    def take(self, kind: str, written: str) -> None:
        """Add a token."""
        if kind == "comment" and not self._statement:
            self._add(written)
        elif self._brackets or (kind == "open" and (written != "{" or self._is_custom)):
            self._brackets += {"open": 1, "close": -1}.get(kind, 0)
            self._statement.append((kind if kind == "space" else "word", written))
        elif kind == "open":
            self._begin_block()
        elif kind == "close":
            self._end_block()
        elif kind == "end":
            self._end_statement(";")
        elif self._statement or kind != "space":
            self._statement.append((kind, written))
            self._is_custom = self._is_custom or (kind == "colon" and self._begins_custom())

    def finished(self) -> str:
        """All of it."""
        if self._statement:
            self._end_statement("")
        return ("\n" if self._space else " ").join(self._lines)

    def _begins_custom(self) -> bool:
        return self._statement[0][1].startswith("--")

    def _begin_block(self) -> None:
        text = self._selector()
        if self._lines and not self._blocks and self._space and self._lines[-1].endswith("}"):
            self._lines.append("")
        self._add(f"{text} {{" if text else "{")
        self._blocks += 1
        self._clear()

    def _end_block(self) -> None:
        if self._statement:
            self._end_statement(";")
        self._blocks -= 1
        if self._lines[-1].endswith("{"):
            self._lines[-1] += "}"
        else:
            self._add("}")

    def _end_statement(self, end: str) -> None:
        text = self._declaration()
        if text or not self._blocks:
            self._add(text + end)
        self._clear()

    def _declaration(self) -> str:
        """A declaration, or a rule without a block such as ``@import``."""
        kinds = [kind for kind, _ in self._statement]
        if "colon" not in kinds or self._statement[0][1].startswith("@"):
            return self._joined(self._statement)
        colon = kinds.index("colon")
        name = self._joined(self._statement[:colon])
        if self._is_custom:
            value = "".join(written for _, written in self._statement[colon + 1 :]).strip()
        else:
            value = self._joined(self._statement[colon + 1 :], after_comma=" ")
        return f"{name}: {value}"

    def _selector(self) -> str:
        """What stands before a block: selectors a line each, or a rule such as ``@media``."""
        if not self._statement or self._statement[0][1].startswith("@"):
            return self._joined(self._statement)
        after_comma = "\n" + self._indent() if self._space else " "
        return self._joined(self._statement, after_comma, around=" ")

    def _joined(self, tokens: list[_Token], after_comma: str = "", around: str = "") -> str:
        """Tokens with one space where there was any, and as asked for at commas and combinators."""
        parts: list[str] = []
        wanted = ""
        for kind, written in tokens:
            if kind == "space":
                wanted = wanted or " "
                continue
            if kind == "comma" and after_comma:
                wanted = ""
            elif kind == "combinator" and around:
                wanted = around
            parts += (wanted if parts else "", written)
            wanted = ""
            if kind == "comma":
                wanted = after_comma
            elif kind == "combinator":
                wanted = around
        return "".join(parts)

    def _indent(self) -> str:
        return " " * (self._space * self._blocks)

    def _add(self, text: str) -> None:
        self._lines.append(self._indent() + text)

    def _clear(self) -> None:
        self._statement = []
        self._is_custom = False
