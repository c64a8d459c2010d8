"""XML from names and texts, indented as it is made."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from waybill.transforms.tool import PIECE_BYTES

if TYPE_CHECKING:
    from waybill.transforms.tool import Options, Target

_START: Final = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_INSIDE: Final = rf"{_START}\-.0-9\u00b7\u0300-\u036f\u203f\u2040"
_WRONG_CHARACTER: Final = re.compile(f"[^{_INSIDE}]")
_GOOD_START: Final = re.compile(f"[{_START}]")
_WITH_PREFIX: Final = re.compile(f"[{_START}][{_INSIDE}]*:[{_START}][{_INSIDE}]*")
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]")
_SPECIAL: Final = re.compile(r"[&<>\r]")
_SPECIAL_IN_QUOTES: Final = re.compile(r'[&<>"\t\n\r]')
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>'


def xml_name(text: str) -> str:
    """The name most like a text: ``_`` for each wrong character, and before a wrong first one.

    A colon is right between a prefix and a name, whether or not the prefix stands for a namespace.
    Characters are right that the fifth edition of XML 1.0 allows and the fourth too, for the parser
    of ``XmlMarkup`` knows no later one: what is written can be read again.
    """
    name = text if _WITH_PREFIX.fullmatch(text) else _WRONG_CHARACTER.sub("_", text)
    if not name.isascii():
        name = _BEYOND_ASCII.sub(lambda found: found[0] if _is_read(f"a{found[0]}") else "_", name)
    is_right = _GOOD_START.match(name) and (name[0].isascii() or _is_read(name[0]))
    return name if is_right else f"_{name}"


@lru_cache(maxsize=4096)
def _is_read(name: str) -> bool:
    """Whether the parser takes a name."""
    try:
        expat.ParserCreate("utf-8").Parse(f"<{name}/>".encode(), True)  # noqa: FBT003 - by position alone
    except expat.ExpatError:
        return False
    return True


class XmlWriter:
    """Writes elements as they come; holds about ``PIECE_BYTES`` of them.

    For so long an element that begins may still get attributes, and the white space in it is taken
    back where text turns up beside its children.
    """

    def __init__(self, target: Target, options: Options) -> None:
        self._target = target
        self._space = options.tab_space
        self._gaps = [""]
        self._pieces = [_DECLARATION]
        self._size = 0
        self._starts: list[int] = []
        self._names: list[str] = []
        self._with_text = 0

    @property
    def depth(self) -> int:
        """How many elements are open."""
        return len(self._names)

    def begin(self, name: str) -> None:
        """Begin an element."""
        self._add(f"<{name}>", self._gap())
        self._starts.append(len(self._pieces) - 1)
        self._names.append(name)

    def attribute(self, name: str, text: str) -> bool:
        """Give the innermost open element an attribute, unless its start is written already."""
        start = self._starts[-1]
        if start < 0:
            return False
        quoted = _SPECIAL_IN_QUOTES.sub(_escape, text)
        self._pieces[start] = f'{self._pieces[start][:-1]} {name}="{quoted}">'
        self._size += len(quoted)
        return True

    def text(self, text: str) -> None:
        """Say something in the innermost open element, which gets no white space any more."""
        if not self._with_text:
            self._with_text = self.depth
            inside = max(self._starts[-1] + 1, 0)
            self._gaps[inside:] = [""] * (len(self._gaps) - inside)
        if text:
            self._add(_SPECIAL.sub(_escape, text), "")

    def leaf(self, name: str, text: str) -> None:
        """A whole element that holds text alone."""
        said = _SPECIAL.sub(_escape, text)
        self._add(f"<{name}>{said}</{name}>" if text else f"<{name}/>", self._gap())

    def end(self) -> None:
        """End the innermost open element."""
        start, name = self._starts.pop(), self._names.pop()
        if start == len(self._pieces) - 1:
            self._pieces[start] = f"{self._pieces[start][:-1]}/>"
        else:
            self._add(f"</{name}>", self._gap() if self._space else "")
        if self._with_text > self.depth:
            self._with_text = 0

    def finish(self) -> None:
        """Write what is still held."""
        self._give()
        self._target.write(b"\n")

    def _gap(self) -> str:
        if self._with_text:
            return ""
        if not self._space:
            return "" if self.depth else "\n"
        return "\n" + " " * (self._space * self.depth)

    def _add(self, piece: str, gap: str) -> None:
        if self._size > PIECE_BYTES:
            self._give()
        self._gaps.append(gap)
        self._pieces.append(piece)
        self._size += len(piece) + len(gap)

    def _give(self) -> None:
        text = "".join(chain.from_iterable(zip(self._gaps, self._pieces, strict=True)))
        self._target.write(text.encode())
        self._starts = [start - len(self._pieces) for start in self._starts]
        self._gaps, self._pieces, self._size = [], [], 0


def _escape(found: re.Match[str]) -> str:
    return _ENTITIES.get(found[0]) or f"&#{ord(found[0])};"
