"""The tool that writes JSON as XML 1.0."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from waybill.transforms import xml_writing
from waybill.transforms.json_items import read_items, refused_at, runs_to_write, split_marks
from waybill.validation.json_structure import COLON, COMMA, OPEN_BRACE, OPEN_BRACKET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.model.limits import Limits
    from waybill.transforms.json_rewriting import Part
    from waybill.transforms.tool import Options, Source, Target

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>'
_LIST_ITEM: Final = "item"
_MOST_NAMES: Final = 4096
"""Kept, so that each is made once; of any number more."""

_MOST_KEPT_CHARACTERS: Final = 1024
"""Of a name that is kept."""

_CARE: Final = re.compile(r"[\\&<>]")
_MARKUP: Final = re.compile(r"[&<>\r]")
_ESCAPED: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_PERHAPS_FORBIDDEN: Final = re.compile(rb"\\(?:u00[01]|u[fF]{3}[efEF]|[bf])|\xef\xbf[\xbe\xbf]")
_ALLOWED: Final = re.compile(
    rb"""(?:[^\\\xef]++
         |\xef(?!\xbf[\xbe\xbf])
         |\\(?!u00[01]|u[fF]{3}[efEF]|[bf]).
         |\\u00(?:09|0[aA]|0[dD]))*+""",
    re.VERBOSE,
)
_OPENING: Final = frozenset({OPEN_BRACE, OPEN_BRACKET})
_EMPTY: Final = frozenset({"null", "{}", "[]"})


def json_to_xml(source: Source, target: Target, options: Options, limits: Limits) -> None:
    """Write each member as an element; ``tab_space`` 0 is one line behind the declaration.

    The items of a list repeat its element; where they have none (in the document, or in another
    list) they are ``item``. So an empty list is no element, and in a list an empty one. Null, an
    empty text and ``{}`` are empty elements. In names ``_`` stands for each character that a name
    cannot have (the colon, too) and before one that cannot be its first. Memory: a few pieces, or
    the longest text.

    Raises:
        Refused: as ``read_items``; ``INVALID_JSON`` at a character that XML 1.0 cannot hold.
    """
    writer = _XmlWriter(options, limits.nesting_depth)
    target.write(writer.begin().encode())
    for part in read_items(source, limits):
        tokens, marks = split_marks(part.text)
        _require_allowed(part, tokens, marks)
        for some, some_marks in runs_to_write(tokens, marks, writer.most_beside):
            target.write(writer.written(some, some_marks).encode())
    target.write(b"\n")


def xml_name(text: str) -> str:
    """The name most like a text, without a prefix."""
    return xml_writing.xml_name(text.replace(":", "_"))


class _Open(NamedTuple):
    """A container that is open.

    ``item``: name of its items, where they have none. ``line``: what begins each. ``closing``: what
    ends it.
    """

    item: str
    line: str
    closing: str


class _XmlWriter:
    """``_key``: the name of the next value, where that is known."""

    def __init__(self, options: Options, most_depth: int) -> None:
        self._indent = options.tab_space
        self._longest_line = len("\n") + self._indent * most_depth
        self._key = ""
        self._names: dict[str, str] = {}
        self._open = [_Open(xml_name(options.root_name), "\n" if options.tab_space else "", "")]

    @property
    def most_beside(self) -> int:
        """How long the indentation and the names of open lists can make a value."""
        return 2 * (self._longest_line + max(len(opened.item) for opened in self._open))

    def begin(self) -> str:
        """What stands before the first element."""
        return _DECLARATION + ("" if self._indent else "\n")

    def written(self, tokens: Sequence[str], marks: bytes) -> str:
        """What some of a part is as XML."""
        out: list[str] = []
        append, element = out.append, self._element
        key, top = self._key, self._open[-1]
        for token, mark in zip(tokens, marks, strict=True):
            if mark == COLON:
                key = token
                continue
            if token:
                append(element(key, token, top))
                key = ""
            if mark == COMMA:
                continue
            if mark in _OPENING:
                out.append(self._opened(key, top, is_list=mark == OPEN_BRACKET))
                key = ""
            else:
                out.append(self._open.pop().closing)
            top = self._open[-1]
        self._key = key
        return "".join(out)

    def _element(self, key: str, value: str, top: _Open) -> str:
        """A value that holds no other."""
        name = (self._names.get(key) or self._name(key)) if key else top.item
        content = value
        if value[0] == '"':
            content = value[1:-1] if _CARE.search(value) is None else _content(value)
        elif value in _EMPTY:
            content = ""
        if content:
            return f"{top.line}<{name}>{content}</{name}>"
        return "" if key and value == "[]" else f"{top.line}<{name}/>"

    def _opened(self, key: str, around: _Open, *, is_list: bool) -> str:
        """Open a container; what begins it."""
        name = self._name(key) if key else around.item
        if key and is_list:
            self._open.append(_Open(name, around.line, ""))
            return ""
        inner = around.line + " " * self._indent
        self._open.append(_Open(_LIST_ITEM, inner, f"{around.line}</{name}>"))
        return f"{around.line}<{name}>"

    def _name(self, key: str) -> str:
        name = self._names.get(key)
        if name is None:
            name = xml_name(json.loads(key))
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            if len(key) <= _MOST_KEPT_CHARACTERS:
                self._names[key] = name
        return name


def _content(value: str) -> str:
    """What a string is as the text of an element."""
    return _MARKUP.sub(lambda found: _ESCAPED[found[0]], json.loads(value))


def _require_allowed(part: Part, tokens: Sequence[str], marks: bytes) -> None:
    """All characters of values may stand in XML; in names they are replaced."""
    if _PERHAPS_FORBIDDEN.search(part.text) is None:
        return
    offset = 0
    for token, mark in zip(tokens, marks, strict=True):
        text = token.encode()
        found = _ALLOWED.match(text) if mark != COLON else None
        if found is not None and found.end() < len(text):
            raise refused_at(part, offset + found.end())
        offset += len(text) + 1
