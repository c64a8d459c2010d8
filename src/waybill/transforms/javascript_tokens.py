"""The tokens of JavaScript, from tree-sitter's parser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from waybill.transforms.javascript_semicolons import Completed
from waybill.transforms.places import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from waybill.transforms.tool import Refused

_WHOLE: Final = frozenset(
    ("string", "template_string", "regex", "jsx_element", "jsx_self_closing_element")
)
_STATEMENT_LISTS: Final = frozenset(("program", "statement_block", "class_body", "switch_body"))
_CASES: Final = frozenset(("switch_case", "switch_default"))
_LISTS: Final = _STATEMENT_LISTS | _CASES
_COMMENTS: Final = frozenset(("comment", "html_comment", "hash_bang_line"))
_CLOSERS: Final = {"(": ")", "[": "]", "{": "}", "${": "}"}
_HTML_COMMENT: Final = b"<!--"
_QUOTES: Final = frozenset("'\"")


class Token(NamedTuple):
    """One token.

    ``kind``: the grammar's name of it, its text where it is a sign or a word of the language.
    ``parent``: the grammar's name of what it is a part of. ``gap``: the white space before it.
    ``begins``: a statement, or a member of a class, begins with it. ``ended_cases``: how many cases
    of a ``switch`` have ended before it. ``offset``: of its first byte.
    """

    kind: str
    text: str
    parent: str
    gap: str
    begins: bool
    ended_cases: int
    offset: int

    @property
    def is_comment(self) -> bool:
        """Whether it is a comment."""
        return self.kind in _COMMENTS


class Script:
    """A script that was parsed; no recursion, however deep it is nested."""

    def __init__(self, text: str) -> None:
        self._content = text.encode()
        self._completed = Completed(self._content)
        self._root = self._completed.tree.root_node

    def tokens(self) -> Iterator[Token]:
        """The tokens in their order.

        Raises:
            Refused: ``INVALID_JAVASCRIPT``: some of it is not what the grammar knows, or it is a
                comment in scripts and none in modules (``a <!-- b``).
        """
        original = self._completed.original
        if self._root.has_error:
            raise self.refuse(original(self._fault()))
        end = ended_cases = 0
        for node, parent, begins, ended in self._leaves():
            ended_cases += ended
            start, node_end = original(node.start_byte), original(node.end_byte)
            gap, text = self._content[end:start].decode(), self._content[start:node_end]
            if text and not self._completed.is_added(node.start_byte):
                if text == b"!" and self._content.startswith(_HTML_COMMENT, end - 1):
                    raise self.refuse(end - 1)
                end = node_end
                yield Token(node.type, text.decode(), parent, gap, begins, ended_cases, start)
                ended_cases = 0

    def refuse(self, offset: int) -> Refused:
        """What says that the character at a byte cannot be right."""
        return self.place_at(offset).refused("JavaScript validation failed.", "INVALID_JAVASCRIPT")

    def place_at(self, offset: int) -> Place:
        """The place of a byte."""
        return Place().after_text(self._content[:offset].decode(errors="ignore"))

    def _leaves(self) -> Iterator[tuple[Node, str, bool, int]]:
        """Nodes without children, each with its parent, whether it begins one, and ended cases."""
        cursor = self._root.walk()
        path: list[str] = [""]
        begins, ended = False, 0
        while (node := cursor.node) is not None:
            parent, kind = path[-1], node.type
            if parent in _LISTS and node.is_named:
                begins = parent not in _CASES or cursor.field_name != "value"
            if kind not in _WHOLE and cursor.goto_first_child():
                path.append(kind)
                continue
            yield node, parent, begins, ended
            begins, ended = False, 0
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return
                ended += path.pop() in _CASES

    def _fault(self) -> int:
        """The byte where it goes wrong: where brackets tell, that is sure, else about there."""
        node = self._first_error()
        end = len(self._completed.content.rstrip())
        first = node.children[0].type if node.children else ""
        if first in _QUOTES:
            return node.end_byte
        if first == "`" or self._completed.content.startswith(b"/*", node.start_byte):
            return len(self._completed.content)
        unmatched = self._unmatched_bracket()
        if unmatched is not None:
            return unmatched
        is_unended = node.end_byte >= end and len(node.children) > 1
        return len(self._completed.content) if is_unended else node.start_byte

    def _first_error(self) -> Node:
        node = self._root
        while not (node.is_error or node.is_missing):
            node = next(child for child in node.children if child.has_error or child.is_missing)
        return node

    def _unmatched_bracket(self) -> int | None:
        closers: list[str] = []
        for node, *_ in self._leaves():
            if node.is_missing:
                continue
            if node.type in _CLOSERS:
                closers.append(_CLOSERS[node.type])
            elif node.type in {")", "]", "}"} and (not closers or closers.pop() != node.type):
                return node.start_byte
        return len(self._completed.content) if closers else None
