"""YAML to XML."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import yaml

from waybill.transforms.excess import deeper_than
from waybill.transforms.xml_writing import XmlWriter, xml_name
from waybill.transforms.yaml_events import YamlEvents
from waybill.transforms.yaml_expanding import Expansion, Said, is_merge, is_null
from waybill.transforms.yaml_merging import Key, Merging

if TYPE_CHECKING:
    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Source, Target

_ITEM: Final = "item"
_TEXT: Final = "#text"
_MOST_KEYS: Final = 1_000_000
_CACHED_NAMES: Final = 4096
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_FORBIDDEN_ESCAPE: Final = re.compile(
    r"(?<!\\)(?:\\\\)*(\\(?:[0abefv]"
    r"|(?:x|u00|U000000)(?:0[0-8bcefBCEF]|1[0-9a-fA-F])|(?:u|U0000)[fF]{3}[efEF]))"
)


def yaml_to_xml(source: Source, target: Target, options: Options, limits: Limits) -> None:
    """Write one document as an element named ``root_name``; no level is one line and a declaration.

    Keys become elements, scalars their text as it is written, null an empty element. The items of a
    list repeat its element; where they have none (in the document, in another list) they are
    ``item``; so an empty list is no element. ``@name`` becomes an attribute, ``#text`` text, as
    ``xml_to_yaml`` writes them. In names ``_`` stands for each character that XML forbids there.
    Aliases and merge keys are replaced by what they mean. It streams; of what is open it holds the
    keys (1,000,000), of what has anchors the events (100,000).

    Raises:
        Refused: ``INVALID_YAML``: a second document, too; a key twice, or that is no scalar; an
            attribute twice, that is no scalar, or that comes more than a piece (``PIECE_BYTES``)
            after its element's start; a character that XML forbids; or a limit was met.
            ``INVALID_ENCODING`` or ``EMPTY_INPUT``.
    """
    read = YamlEvents(source, limits)
    _Document(read, XmlWriter(target, options), limits.nesting_depth).convert(options.root_name)


class _Document:
    """One document on its way to XML; recursion is as deep as ``most_depth``."""

    def __init__(self, read: YamlEvents, writer: XmlWriter, most_depth: int) -> None:
        self._read = read
        self._writer = writer
        self._most_depth = most_depth
        self._expansion = Expansion(read)
        self._merging = Merging(self._expansion, read, most_depth)
        self._names = lru_cache(maxsize=_CACHED_NAMES)(xml_name)
        self._keys = 0

    def convert(self, root_name: str) -> None:
        """Write the document; a second one is refused."""
        while not isinstance(self._expansion.next().event, yaml.DocumentStartEvent):
            pass
        self._item(self._expansion.next(), self._names(root_name))
        while not isinstance((said := self._expansion.next()).event, yaml.StreamEndEvent):
            if isinstance(said.event, yaml.DocumentStartEvent):
                raise self._read.refuse(said.mark)
        self._writer.finish()

    def _item(self, said: Said, name: str) -> None:
        """A value that is an element itself, whatever it is."""
        if not isinstance(said.event, yaml.SequenceStartEvent):
            self._value(said, name)
            return
        self._begin(said, name)
        self._items(_ITEM)
        self._writer.end()

    def _value(self, said: Said, name: str) -> None:
        """A value as the element of its key, one that is a list as several."""
        if isinstance(said.event, yaml.ScalarEvent):
            self._writer.leaf(name, self._text(said))
        elif isinstance(said.event, yaml.SequenceStartEvent):
            self._items(name)
        else:
            self._begin(said, name)
            self._mapping()
            self._writer.end()

    def _items(self, name: str) -> None:
        while not isinstance((said := self._expansion.next()).event, yaml.SequenceEndEvent):
            self._item(said, name)

    def _begin(self, said: Said, name: str) -> None:
        if self._writer.depth > self._most_depth:
            raise self._read.too_much(said.mark, deeper_than(self._most_depth))
        self._writer.begin(name)

    def _mapping(self) -> None:
        keys: set[Key] = set()
        attributes: set[str] = set()
        while not isinstance((said := self._expansion.next()).event, yaml.MappingEndEvent):
            if is_merge(said.event):
                self._merging.merge(keys)
                continue
            key = self._merging.key(said)
            if key in keys:
                raise self._read.refuse(said.mark)
            if self._keys >= _MOST_KEYS:
                message = f"Open mappings have more than {_MOST_KEYS} keys."
                raise self._read.too_much(said.mark, message)
            keys.add(key)
            self._keys += 1
            self._entry(said, key[1], attributes)
        self._keys -= len(keys)

    def _entry(self, said: Said, key: str, attributes: set[str]) -> None:
        value = self._expansion.next()
        if key == _TEXT:
            self._writer.text(self._text(value))
        elif key.startswith("@") and len(key) > 1:
            name, text = self._names(key[1:]), self._text(value)
            if name in attributes or not self._writer.attribute(name, text):
                raise self._read.refuse(said.mark)
            attributes.add(name)
        else:
            self._value(value, self._names(key))

    def _text(self, said: Said) -> str:
        """The text of a scalar, none of null."""
        event = said.event
        if not isinstance(event, yaml.ScalarEvent):
            raise self._read.refuse(said.mark)
        if _FORBIDDEN.search(event.value):
            raise self._read.refuse(said.mark, _FORBIDDEN_ESCAPE)
        return "" if is_null(event) else str(event.value)
