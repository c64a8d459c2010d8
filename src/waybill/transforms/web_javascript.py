"""JavaScript to the same JavaScript, laid out or without what is not needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from waybill.transforms.javascript_layout import Layout
from waybill.transforms.javascript_tokens import Script, Token
from waybill.transforms.source_text import read_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Source, Target

MOST_BYTES: Final = 4 * 1024 * 1024
"""Formatter and minifier hold all of their input, and up to 300 times as much for its tree."""

_LINE_BREAK: Final = re.compile("[\n\r\u2028\u2029]")
_WORD_END: Final = re.compile(r"[\w$\\]\Z|[^\x00-\x7f]\Z")
_WORD_START: Final = re.compile(r"[\w$\\#@]|[^\x00-\x7f]")
_WOULD_JOIN: Final = re.compile(
    r"\+ \+|- -|/ [/*]|< !|- >|\d \.|\? [.?]|& &|\| \||\* \*|[<>=!*/%+&|^-] [<>=]"
)
_GOES_ON: Final = frozenset(
    ("?", "=", "=>", "==", "===", "!=", "!==", ">=", "<=", "||", "&&", "??")
)
_BEFORE: Final = _GOES_ON | {"{", "(", "[", ",", ";", ":", ".", "?.", "&", "|", "^", "%", "!", "~"}
_BEHIND: Final = _GOES_ON | {";", ",", ")", "]", "}", ":", ".", "?.", "|", "^", "%"}
_RESTRICTED: Final = frozenset(("return", "break", "continue", "throw", "yield", "async"))


def format_javascript(source: Source, target: Target, options: Options, limits: Limits) -> None:
    """Write one statement a line; no level is what ``minify_javascript`` makes.

    Tokens and comments stay, in their order. So do the line breaks between them, for a statement
    may end by one; more are added at the ends of statements and blocks alone. Brackets are nested
    no deeper than ``limits.nesting_depth``.

    Raises:
        Refused: ``INVALID_JAVASCRIPT``: the grammar (ECMAScript 2025, JSX) does not know it.
            ``INVALID_ENCODING`` or ``EMPTY_INPUT``.
    """
    script = Script(read_whole(source))
    if not options.tab_space:
        target.write("".join(_minified(script)).encode() + b"\n")
        return
    layout = Layout(script, options.tab_space, limits.nesting_depth)
    for token in script.tokens():
        layout.take(token)
    target.write(layout.finished().encode() + b"\n")


def minify_javascript(source: Source, target: Target, _options: Options, _limits: Limits) -> None:
    """Remove comments and white space; no name is changed.

    A line break stays, as one, where a statement might end by it. Comments that begin with ``!``
    stay; so does all inside of template strings and JSX.

    Raises:
        Refused: See ``format_javascript``.
    """
    target.write("".join(_minified(Script(read_whole(source)))).encode() + b"\n")


def _minified(script: Script) -> Iterator[str]:
    before: Token | None = None
    gap = ""
    for token in script.tokens():
        gap += token.gap
        if token.is_comment and not token.text.startswith(("/*!", "#!")):
            gap += "\n" if _LINE_BREAK.search(token.text) else " "
            if token.kind == "html_comment":
                gap += "\n"
            continue
        if before is not None:
            yield _between(before, gap, token)
        yield token.text
        before, gap = token, ""


def _between(before: Token, gap: str, token: Token) -> str:
    """What must stand between two tokens, of what did."""
    if _LINE_BREAK.search(gap) and not _is_one_statement(before, token):
        return "\n"
    if not gap:
        return ""
    is_word = _WORD_END.search(before.text) and _WORD_START.match(token.text)
    would_join = _WOULD_JOIN.search(f"{before.text[-1]} {token.text[0]}")
    return " " if is_word or would_join else ""


def _is_one_statement(before: Token, token: Token) -> bool:
    """Whether no statement can end between two tokens, whatever stands between them."""
    if before.is_comment or token.is_comment:
        return False
    if before.kind in _BEFORE:
        return True
    return token.kind in _BEHIND and before.kind not in _RESTRICTED
