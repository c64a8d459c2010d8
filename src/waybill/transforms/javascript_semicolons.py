"""Semicolons that the language puts in at line breaks, where tree-sitter's grammar does not."""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import tree_sitter_javascript
from tree_sitter import Language, Parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node, Tree

LANGUAGE: Final = Language(tree_sitter_javascript.language())
_MOST_ROUNDS: Final = 4
_NAMELESS: Final = frozenset(("class", "function_expression", "generator_function"))
_DEFAULT: Final = re.compile(rb"default\s*+(?=class|function|async)")
_IS_DEFAULT: Final = re.compile(rb"default\s*+\Z")
_GAP: Final = re.compile(
    rb"(?:\s++|\xe2\x80[\xa8\xa9]|\xc2\xa0|\xef\xbb\xbf|(?://|<!--)[^\n\r]*+"
    rb"|/\*(?s:.*?)(?:\*/|\Z))++"
)
_LINE_BREAK: Final = re.compile(rb"[\n\r]|\xe2\x80[\xa8\xa9]")
_COMMENT: Final = re.compile(rb"/\*(?s:.*?)\*/")
_SIGNS: Final = frozenset(b"`([/+-*<.")
_AROUND: Final = 1000


class Completed:
    """A script as the grammar takes it; ``offsets``: where semicolons were added to ``content``.

    By the standard a statement ends at a line break before what cannot be a part of it; the grammar
    looks at the next sign alone. So ``a => {}`` and ``/x/g`` in the next line are a division to it,
    and ``var a`` with ``(b)`` in the next is a fault. A semicolon is added where it is sure (an
    arrow function's block ends an expression), and near faults, which it has to mend. Wrong or not,
    it moves no token: there is a line break, and what is written leaves it there.

    Source: ECMA-262, 12.10 (automatic semicolon insertion).
    """

    def __init__(self, content: bytes) -> None:
        self._parser = Parser(LANGUAGE)
        self.content = content
        self.offsets: list[int] = []
        self.tree: Tree = self._parser.parse(content)
        for _ in range(_MOST_ROUNDS):
            places = sorted(set(self._places()))
            if not places:
                break
            self._add(places)

    def original(self, offset: int) -> int:
        """Where a byte of ``content`` was before semicolons were added."""
        return offset - bisect_left(self.offsets, offset)

    def is_added(self, offset: int) -> bool:
        """Whether the byte is one of the semicolons."""
        index = bisect_left(self.offsets, offset)
        return self.offsets[index : index + 1] == [offset]

    def _add(self, places: list[int]) -> None:
        before = [place + bisect_left(places, place) for place in places]
        kept = [offset + bisect_left(places, offset + 1) for offset in self.offsets]
        cuts = pairwise([0, *places, len(self.content)])
        self.content = b";".join(self.content[start:end] for start, end in cuts)
        self.offsets = sorted([*before, *kept])
        self.tree = self._parser.parse(self.content)

    def _places(self) -> Iterator[int]:
        """Before which bytes semicolons are to be added."""
        if not self._may_lack():
            return
        done = 0
        nodes = list(self._nodes())
        for node in sorted(nodes, key=lambda each: each.end_byte):
            if node.end_byte < done or not self._ends(node):
                continue
            gap = _GAP.match(self.content, node.end_byte)
            done = node.end_byte if gap is None else gap.end()
            if self._is_sign(done) and (node.type in _NAMELESS or _is_broken(gap)):
                yield done
        for start, end in _regions([node for node in nodes if node.is_error or node.is_missing]):
            for gap in _GAP.finditer(self.content, start, end):
                if self._may_end(gap):
                    yield gap.end()

    def _may_lack(self) -> bool:
        """Whether to look for places at all; few scripts have such line breaks."""
        if self.tree.root_node.has_error or _DEFAULT.search(self.content):
            return True
        return any(
            self.content[gap.start() - 1 : gap.start()] == b"}"
            and self._is_sign(gap.end())
            and _is_broken(gap)
            for gap in _GAP.finditer(self.content)
        )

    def _nodes(self) -> Iterator[Node]:
        """Faults, and what may end a statement."""
        cursor = self.tree.walk()
        while (node := cursor.node) is not None:
            is_end = node.type == "arrow_function" or node.type in _NAMELESS
            if node.is_error or node.is_missing or (node.is_named and is_end):
                yield node
            if cursor.goto_first_child():
                continue
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return

    def _ends(self, node: Node) -> bool:
        """Whether a statement that ends with a node goes on with no sign."""
        if node.type == "arrow_function":
            body = node.child_by_field_name("body")
            return body is not None and body.type == "statement_block"
        before = self.content[max(node.start_byte - _AROUND, 0) : node.start_byte]
        return node.type in _NAMELESS and _IS_DEFAULT.search(before) is not None

    def _may_end(self, gap: re.Match[bytes]) -> bool:
        """Whether a statement may end there that the grammar has not ended."""
        if not _is_broken(gap) or self.content[gap.end() : gap.end() + 1] in {b"", b";"}:
            return False
        is_in_comment = not _LINE_BREAK.search(_COMMENT.sub(b"", gap[0]))
        return is_in_comment or self._is_sign(gap.end())

    def _is_sign(self, offset: int) -> bool:
        """Whether the grammar would go on there with the statement before."""
        return offset < len(self.content) and self.content[offset] in _SIGNS


def _regions(faults: list[Node]) -> Iterator[tuple[int, int]]:
    """The faults and what is around them, those that overlap as one."""
    begun = ended = -1
    for node in sorted(faults, key=lambda each: each.start_byte):
        start = max(node.start_byte - _AROUND, 0)
        if begun < 0 or start > ended:
            if begun >= 0:
                yield begun, ended
            begun = start
        ended = max(ended, node.end_byte + _AROUND)
    if begun >= 0:
        yield begun, ended


def _is_broken(gap: re.Match[bytes] | None) -> bool:
    return gap is not None and _LINE_BREAK.search(gap[0]) is not None
