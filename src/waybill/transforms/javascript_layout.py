"""How JavaScript is laid out: its own line breaks, and one after each statement."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from waybill.transforms.excess import deeper_than, too_large

if TYPE_CHECKING:
    from waybill.transforms.javascript_tokens import Script, Token

_LINE_BREAK: Final = re.compile("\r\n|[\n\r\u2028\u2029]")
_CLOSERS: Final = {"(": ")", "[": "]", "{": "}"}
_BLOCKS: Final = frozenset(("statement_block", "class_body", "switch_body"))
_CASES: Final = frozenset(("switch_case", "switch_default"))
_OPERATORS: Final = {
    "variable_declarator": {"="},
    "assignment_expression": {"="},
    "assignment_pattern": {"="},
    "object_assignment_pattern": {"="},
    "field_definition": {"="},
    "ternary_expression": {"?", ":"},
    "arrow_function": {"=>"},
}
_SIGNS: Final = frozenset(("binary_expression", "augmented_assignment_expression"))
_WITH_COLON: Final = _CASES | {"pair", "pair_pattern", "labeled_statement"}
_BEFORE_PARENTHESIS: Final = frozenset(("if", "for", "while", "switch", "catch", "with"))
_AFTER_BLOCK: Final = frozenset(("else", "catch", "finally", "while"))
_BEGIN_ANEW: Final = frozenset(("(", "[", "{", ",", ";", ""))
_NO_SPACE_BEFORE: Final = frozenset((",", ";", ")", "]"))
_NO_SPACE_AFTER: Final = frozenset(("(", "["))
_SPACE_AFTER: Final = frozenset((",", ";"))


@dataclass(frozen=True, slots=True)
class _Bracket:
    """A bracket, or the colon of a case; ``indent``: of the line where it opens."""

    closes_with: str
    indent: int
    is_block: bool


class Layout:
    """Takes tokens; lines are indented by the brackets that are open where they begin.

    ``_before``: the last token; ``_last``: the kind of the last one that is no comment.
    """

    def __init__(self, script: Script, tab_space: int, most_depth: int) -> None:
        self._script = script
        self._space = tab_space
        self._most_depth = most_depth
        self._parts: list[str] = []
        self._open: list[_Bracket] = []
        self._indent = 0
        self._before: Token | None = None
        self._last = ""

    def take(self, token: Token) -> None:
        """Add a token.

        Raises:
            Refused: ``PAYLOAD_TOO_LARGE``: the brackets are nested too deep.
        """
        del self._open[len(self._open) - token.ended_cases :]
        closed = self._closed(token)
        if self._before is not None:
            self._separate(self._before, token, closed)
        self._parts.append(token.text)
        if token.kind in _CLOSERS:
            self._begin(token)
        elif token.kind == ":" and token.parent in _CASES:
            self._open.append(_Bracket("", self._indent, is_block=True))
        self._before = token
        if not token.is_comment:
            self._last = token.kind

    def finished(self) -> str:
        """All of it."""
        return "".join(self._parts)

    def _closed(self, token: Token) -> _Bracket | None:
        """The bracket that a token closes."""
        if self._open and self._open[-1].closes_with == token.kind:
            return self._open.pop()
        return None

    def _begin(self, token: Token) -> None:
        if len(self._open) >= self._most_depth:
            place = self._script.place_at(token.offset)
            raise too_large(deeper_than(self._most_depth), place)
        is_block = token.parent in _BLOCKS
        self._open.append(_Bracket(_CLOSERS[token.kind], self._indent, is_block=is_block))

    def _separate(self, before: Token, token: Token, closed: _Bracket | None) -> None:
        """Write what stands between two tokens."""
        breaks = min(len(_LINE_BREAK.findall(token.gap)), 2) if token.gap else 0
        if not breaks and _must_break(before, token, closed):
            breaks = 1
        if not breaks:
            self._parts.append(_space(before, token))
            return
        if before.kind in _CLOSERS or closed is not None:
            breaks = 1
        self._indent = self._indent_of(token, closed)
        self._parts.append("\n" * breaks + " " * (self._space * self._indent))

    def _indent_of(self, token: Token, closed: _Bracket | None) -> int:
        """How deep a line is that begins with a token; one that goes on is a level deeper."""
        if closed is not None:
            return closed.indent
        indent = self._open[-1].indent + 1 if self._open else 0
        is_anew = token.begins or token.is_comment or token.kind in _AFTER_BLOCK
        return indent + (not is_anew and self._last not in _BEGIN_ANEW)


def _must_break(before: Token, token: Token, closed: _Bracket | None) -> bool:
    """Whether a line break is added: after a line comment, around what a block holds."""
    if before.is_comment:
        return not before.text.startswith("/*")
    if token.is_comment or token.kind == ";":
        return False
    is_block = before.kind == "{" and before.parent in _BLOCKS
    if closed is not None:
        return closed.is_block and not is_block
    return is_block or token.begins


def _space(before: Token, token: Token) -> str:
    """What stands between two tokens of a line: what did, and more where it is usual."""
    if token.kind in _NO_SPACE_BEFORE or before.kind in _NO_SPACE_AFTER:
        return " " if token.is_comment and token.gap else ""
    if token.gap or before.kind in _SPACE_AFTER or token.is_comment or before.is_comment:
        return " "
    if _is_operator(before) or _is_operator(token):
        return " "
    if token.kind == "{" and token.parent in _BLOCKS:
        return " "
    is_colon = before.kind == ":" and before.parent in _WITH_COLON
    is_word = token.kind == "(" and before.kind in _BEFORE_PARENTHESIS
    return " " if is_colon or is_word or (before.kind == "}" and token.kind in _AFTER_BLOCK) else ""


def _is_operator(token: Token) -> bool:
    if token.parent in _SIGNS:
        return token.kind == token.text
    return token.kind in _OPERATORS.get(token.parent, ())
