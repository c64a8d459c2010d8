"""XML to YAML."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from waybill.transforms.spilled_text import Piece, SpillFile, indented
from waybill.transforms.tool import PIECE_BYTES
from waybill.transforms.xml_text import (
    END,
    LEAF,
    ODD_START,
    OTHER,
    START,
    XmlMarkup,
    attributes,
    element_name,
    plain_text,
)
from waybill.transforms.yaml_text import KEY_CHARACTERS, quoted, scalar

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Source, Target

_HELD_CHARACTERS: Final = 8 * PIECE_BYTES
_MOST_NAMES: Final = 100_000
_CACHED_KEYS: Final = 4096
_OVERHEAD: Final = 64


def xml_to_yaml(source: Source, target: Target, options: Options, limits: Limits) -> None:
    """Write a document as a mapping from its root's name; no level is one line of flow style.

    An element of text alone is that text, always a string, ``''`` where it is empty. Any other is a
    mapping: its attributes as ``@name``, its text beside them as ``#text``, then its children by
    name in the order of first sight, a list where a name is repeated. Text between children counts
    where it is not blank. Comments and processing instructions are left out; prefixes stay parts of
    names. Memory is constant: what is long waits in a temporary file, for a name may be repeated at
    the very end. Elements that are open may have 100,000 different names of children together, and
    ``limits.xml_token_bytes`` of text beside children each.

    Raises:
        Refused: ``INVALID_XML``, ``INVALID_ENCODING`` or ``EMPTY_INPUT``.
    """
    markup = XmlMarkup(source, limits)
    layout = _Block(options.tab_space) if options.tab_space else _Flow()
    with SpillFile() as spill:
        document = _Document(markup, layout, spill, limits.xml_token_bytes)
        for window in markup.windows():
            document.take(window)
        spill.write([*document.finished(), "\n"], target)


_Value = str | list[Piece]


class _Values:
    """What one name stands for: one value, or the items of a list as they are laid out."""

    __slots__ = ("count", "pieces")

    def __init__(self, value: _Value) -> None:
        self.count = 1
        self.pieces: list[Piece] = [value] if isinstance(value, str) else value


class _Layout(Protocol):
    """How mappings, lists and scalars are written."""

    def scalar(self, text: str) -> str:
        """A text as a value or a key."""

    def item(self, value: _Value, *, is_first: bool) -> _Value:
        """A value as an item of a list."""

    def entry(self, key: str, values: _Values) -> _Value:
        """A key with what it stands for."""

    def mapping(self, entries: list[_Value]) -> _Value:
        """Entries as one value."""


class _Block:
    """One entry a line. A mapping's text begins with a line break, a scalar's never does."""

    def __init__(self, tab_space: int) -> None:
        self._indent = tab_space
        self._dash = "\n" + " " * tab_space + "- "
        self._in_item = "\n" + " " * len(self._dash[1:])

    def scalar(self, text: str) -> str:
        """See ``_Layout``."""
        return scalar(text)

    def item(self, value: _Value, *, is_first: bool) -> _Value:  # noqa: ARG002 - flow style's
        """See ``_Layout``."""
        if str(value[0])[0] != "\n":
            return _joined([self._dash, value])
        if isinstance(value, str):
            return self._dash + value.replace("\n", self._in_item)[len(self._dash) :]
        first, *rest = indented(value, len(self._dash) - 1)
        return [self._dash + str(first)[len(self._dash) :], *rest]

    def entry(self, key: str, values: _Values) -> _Value:
        """See ``_Layout``."""
        pieces = values.pieces
        if values.count > 1:
            return [f"\n{key}:", *pieces]
        first, *rest = pieces
        if str(first)[0] != "\n":
            return _joined([f"\n{key}: {first}", rest])
        return _joined([f"\n{key}:", indented(pieces, self._indent)])

    def mapping(self, entries: list[_Value]) -> _Value:
        """See ``_Layout``."""
        return _joined(entries)


class _Flow:
    """Everything on one line, which JSON reads, too."""

    def scalar(self, text: str) -> str:
        """See ``_Layout``."""
        return quoted(text)

    def item(self, value: _Value, *, is_first: bool) -> _Value:
        """See ``_Layout``."""
        return value if is_first else _joined([", ", value])

    def entry(self, key: str, values: _Values) -> _Value:
        """See ``_Layout``."""
        if values.count > 1:
            return _joined([f"{key}: [", values.pieces, "]"])
        return _joined([f"{key}: ", values.pieces])

    def mapping(self, entries: list[_Value]) -> _Value:
        """See ``_Layout``."""
        parts: list[_Value] = ["{"]
        for entry in entries:
            parts += (entry, ", ")
        parts[-1] = "}"
        return _joined(parts)


class _Element:
    """An element that is open.

    ``texts``: what it says between children, where that is not blank; ``run``: what it has said
    since the last child; ``text_size``: the characters of both.
    """

    __slots__ = ("attributes", "children", "name", "run", "text_size", "texts")

    def __init__(self, name: str, attributes: list[tuple[str, str]]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: dict[str, _Values] = {}
        self.texts: list[str] = []
        self.run: list[str] = []
        self.text_size = 0

    def end_run(self) -> None:
        """A child begins, or nothing follows the children."""
        text = "".join(self.run)
        self.run.clear()
        if text.isspace():
            self.text_size -= len(text)
        elif text:
            self.texts.append(text)


class _Document:
    """The elements that are open, above them the document itself."""

    def __init__(
        self, markup: XmlMarkup, layout: _Layout, spill: SpillFile, most_text: int
    ) -> None:
        self._markup = markup
        self._layout = layout
        self._spill = spill
        self._most_text = most_text
        self._open = [_Element("", [])]
        self._names = 0
        self._held = 0
        self._most_held = _HELD_CHARACTERS
        self._key = lru_cache(maxsize=_CACHED_KEYS)(layout.scalar)

    def take(self, matches: Iterator[re.Match[str]]) -> None:
        """Add pieces of markup, each with the text before it.

        Raises:
            Refused: ``INVALID_XML``; ``PAYLOAD_TOO_LARGE``: a limit was met.
        """
        unchecked = self._markup.unchecked_characters
        for match in matches:
            text, kind = match[1], match.lastindex
            if len(match[0]) > unchecked:
                self._markup.check_size(match)
            if text:
                if not self._markup.open_tags and not text.isspace():
                    raise self._markup.refuse_outside(match)
                self._say(plain_text(text), match)
            if kind == END:
                self._end(match)
            elif kind == OTHER:
                self._take_other(match)
            else:
                self._begin(match)

    def finished(self) -> list[Piece]:
        """The whole document as one value."""
        value = self._value(self._open[0])
        if isinstance(value, str):
            return [value.removeprefix("\n")]
        return [str(value[0]).removeprefix("\n"), *value[1:]]

    def _say(self, text: str, match: re.Match[str]) -> None:
        element = self._open[-1]
        element.run.append(text)
        element.text_size += len(text)
        if element.text_size > self._most_text:
            message = f"An element has more than {self._most_text} characters of text"
            raise self._markup.refuse(match.start(), f"{message} (limits.xml_token_bytes).")

    def _take_other(self, match: re.Match[str]) -> None:
        piece = match[OTHER]
        if piece.startswith("<!["):
            text = piece[len("<![CDATA[") : -len("]]>")]
            self._say(text.replace("\r\n", "\n").replace("\r", "\n"), match)

    def _begin(self, match: re.Match[str]) -> None:
        self._markup.check_depth(match)
        if self._open[-1].run:
            self._open[-1].end_run()
        tag, rest = match[START] or match[ODD_START], match[LEAF]
        if len(tag) > KEY_CHARACTERS:
            self._check_names(tag, match)
        text = None if rest is None else plain_text(rest[: rest.rindex("</")])
        if text is not None and "=" not in tag:
            self._add(tag[1:-1], self._layout.scalar(text), match)
            return
        element = _Element(element_name(tag), attributes(tag))
        if text is None and not tag.endswith("/>"):
            self._open.append(element)
            self._markup.open_tags.append(tag)
            return
        element.run.append(text or "")
        self._add(element.name, self._value(element), match)

    def _check_names(self, tag: str, match: re.Match[str]) -> None:
        """Refuse names that are longer than YAML's keys."""
        names = [element_name(tag), *(name for name, _ in attributes(tag))]
        if max(map(len, names)) > KEY_CHARACTERS:
            message = f"A name is longer than {KEY_CHARACTERS} characters."
            raise self._markup.refuse(match.end(1), message)

    def _end(self, match: re.Match[str]) -> None:
        element = self._open.pop()
        self._markup.open_tags.pop()
        self._names -= len(element.children)
        self._add(element.name, self._value(element), match)

    def _add(self, name: str, value: _Value, match: re.Match[str]) -> None:
        """An element has ended: it is a value of the one around it."""
        siblings = self._open[-1].children
        known = siblings.get(name)
        if known is None:
            siblings[name] = _Values(value)
            self._names += 1
            if self._names > _MOST_NAMES:
                message = f"Open elements hold more than {_MOST_NAMES} different names."
                raise self._markup.refuse(match.end(1), message)
        else:
            value = self._item(known, value)
        if isinstance(value, str):
            self._held += _OVERHEAD + len(value)
        else:
            self._held += sum(map(_held, value))
        if self._held > self._most_held:
            self._relieve()

    def _item(self, known: _Values, value: _Value) -> _Value:
        """Add a value to a list, which a second value makes."""
        layout = self._layout
        if known.count == 1:
            first = layout.item(_joined([known.pieces]), is_first=True)
            known.pieces = [first] if isinstance(first, str) else first
        known.count += 1
        value = layout.item(value, is_first=False)
        if isinstance(value, str):
            known.pieces.append(value)
        else:
            known.pieces += value
        return value

    def _value(self, element: _Element) -> _Value:
        layout = self._layout
        if element.children:
            element.end_run()
        text = "".join((*element.texts, *element.run))
        if not element.children and not element.attributes:
            return layout.scalar(text)
        entries = [
            layout.entry(self._key("@" + name), _Values(layout.scalar(value)))
            for name, value in element.attributes
        ]
        if text:
            entries.append(layout.entry(self._key("#text"), _Values(layout.scalar(text))))
        for name, values in element.children.items():
            entries.append(layout.entry(self._key(name), values))
        return layout.mapping(entries)

    def _relieve(self) -> None:
        """Put what is long into the file, but the first character, which tells what it is."""
        lists = [values for element in self._open for values in element.children.values()]
        self._held = sum(_held(piece) for values in lists for piece in values.pieces)
        if self._held < self._most_held // 2:
            return
        for values in lists:
            first, *rest = values.pieces
            values.pieces = [str(first)[0], *self._spill.spilled([str(first)[1:], *rest])]
        self._held = sum(_held(piece) for values in lists for piece in values.pieces)
        self._most_held = self._held + _HELD_CHARACTERS


def _held(piece: Piece) -> int:
    """About how many bytes a piece takes in memory."""
    return _OVERHEAD + (len(piece) if isinstance(piece, str) else 0)


def _joined(values: list[_Value]) -> _Value:
    """The values as one, a single string where none of them has a segment."""
    texts: list[str] = []
    pieces: list[Piece] = []
    for value in values:
        if isinstance(value, str):
            texts.append(value)
            continue
        for piece in value:
            if isinstance(piece, str):
                texts.append(piece)
            else:
                pieces += ("".join(texts), piece)
                texts.clear()
    text = "".join(texts)
    return [*pieces, text] if pieces else text
