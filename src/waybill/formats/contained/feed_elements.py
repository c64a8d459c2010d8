"""An element of a feed as records: its own, and those of the elements in it that are some."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec
from lxml import etree

from waybill.formats.contained.feed_values import LANGUAGE, as_xml, value_of
from waybill.formats.contained.protocol import Fault
from waybill.formats.contained.xml_records import depth_of, local_name
from waybill.model.feed import (
    DEEPEST,
    ELEMENT,
    NAME_CHARACTERS,
    OPERATIONS,
    PARENT,
    TEXT,
    VALUE_CHARACTERS,
    key_fault,
    key_within,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from waybill.model.feed import Feed, FeedElement

    Element = Any

_NAME: Final = re.compile(rf"(?!(?i:xml))[A-Za-z][A-Za-z0-9_-]{{0,{NAME_CHARACTERS - 1}}}")
_BLANKS: Final = " \t\r\n"
UPDATE: Final = OPERATIONS.index("update")
REMOVE: Final = OPERATIONS.index("remove")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One record; ``attributes`` is JSON, ``None`` where only the key counts."""

    owner: str
    kind: str
    key: str
    attributes: str | None
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where an element stands: the keys of what owns it, and of what it is nested in.

    ``above``: of all that it is nested in, the nearest and the others.
    """

    owner: str = ""
    parent: str = ""
    above: frozenset[str] = frozenset()

    def check(self, key: str, name: str) -> None:
        """Let a key pass that nothing above has."""
        if key in self.above:
            raise _Refused("FEED_KEY_INVALID", name=name, reason="stands in itself")


class _Refused(Exception):
    """A record cannot be one; a code of the catalogue with parameters."""

    def __init__(self, code: str, **parameters: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.parameters = parameters


@dataclass(slots=True)
class RecordReader:
    """Makes rows of the elements of one operation; ``most_attributes``: of an XML element."""

    feed: Feed
    rank: int
    most_attributes: int

    def rows(self, element: Element) -> Iterator[Row | Fault]:
        """The record and those that stand in it, each a row, or the fault that it has."""
        kind = local_name(element)
        if not self.feed.elements:
            yield from self._any(element, kind)
        elif kind in self.feed.elements:
            yield from self._known(element, kind, _Place())
        else:
            yield self._fault(element, "", _Refused("FEED_ELEMENT_UNKNOWN"))

    def _any(self, element: Element, kind: str) -> Iterator[Row | Fault]:
        """A record of which nothing is known; what it holds can be its key.

        One that is more than elements in an element, or text, is kept as XML.
        """
        try:
            children = _by_name(element)
            if self._is_simple(element, children):
                attributes = self._attributes(element, children)
                key = key_within(kind, attributes)
            else:
                attributes = {ELEMENT: self._as_xml(element)}
                key = key_within(kind, _texts(children) | attributes)
            key = _checked(key, f"{kind}_key")
            attributes.pop(f"{kind}_key", None)
            yield self._row(element, kind, key, key, attributes)
        except _Refused as refused:
            yield self._fault(element, "", refused)

    def _is_simple(self, element: Element, children: Mapping[str, Sequence[Element]]) -> bool:
        """Whether an element has no attributes, and text or elements that can be members."""
        is_mixed = len(element) and has_text(element)
        names = [name for name in children if is_attribute_name(name)]
        is_named = len(names) == len(children) and self.feed.reserved.isdisjoint(names)
        return not element.attrib and not is_mixed and is_named

    def _as_xml(self, element: Element) -> str:
        if depth_of(element) > DEEPEST:
            raise _Refused("FEED_TOO_DEEP", allowed=DEEPEST)
        self._check_counts(element.iter(etree.Element))
        return as_xml(element)

    def _known(self, element: Element, kind: str, place: _Place) -> Iterator[Row | Fault]:
        known, children = self.feed.elements[kind], _by_name(element)
        key, inner = "", []
        try:
            key = _key(children.pop(known.key, ()), known.key)
            place.check(key, known.key)
            owner = self._owner(known, children, place) or key
            inner = self._inner(kind, children)
            attributes = {PARENT: place.parent} if place.parent else {}
            attributes |= self._attributes(element, children)
            yield self._row(element, kind, key, owner, attributes)
        except _Refused as refused:
            yield self._fault(element, key, refused)
        for child in inner:
            name = local_name(child)
            inside = _Place(owner=key)
            if name == kind:
                inside = _Place(parent=key, above=place.above | {key})
            yield from self._known(child, name, inside)

    def _row(
        self, element: Element, kind: str, key: str, owner: str, attributes: dict[str, Any]
    ) -> Row:
        return Row(
            owner=owner,
            kind=kind,
            key=key,
            attributes=None if self.rank == REMOVE else msgspec.json.encode(attributes).decode(),
            line=element.sourceline,
        )

    def _fault(self, element: Element, key: str, refused: _Refused) -> Fault:
        kind = local_name(element)
        return Fault(
            record=0,
            line=element.sourceline,
            code=refused.code,
            parameters={"element": kind, "key": f" {key!r}" if key else "", **refused.parameters},
            cells=(OPERATIONS[self.rank], None, kind, key or None, None),
        )

    def _owner(self, known: FeedElement, children: dict[str, list[Element]], place: _Place) -> str:
        """The key of what owns the record: of the element around it, or told by its own child."""
        if not known.inside:
            return ""
        name = self.feed.elements[known.inside].key
        told = children.pop(name, [])
        if not told and place.owner:
            return place.owner
        key = _key(told, name)
        if place.owner and key != place.owner:
            raise _Refused("FEED_KEY_INVALID", name=name, reason=f"is not {place.owner!r}")
        return key

    def _inner(self, kind: str, children: dict[str, list[Element]]) -> list[Element]:
        """Take out of ``children`` those that are records of their own, or wrap such."""
        inner: list[Element] = []
        for name in list(children):
            wrapped = self.feed.wrappers.get(name, name)
            if self._is_inner(wrapped, kind):
                found = children.pop(name)
                inner += found if wrapped == name else _wrapped(found, wrapped)
        return inner

    def _is_inner(self, name: str, kind: str) -> bool:
        element = self.feed.elements.get(name)
        if element is None:
            return False
        return element.inside == kind or (element.nests and name == kind)

    def _attributes(
        self, element: Element, children: Mapping[str, Sequence[Element]]
    ) -> dict[str, Any]:
        if not len(element) and not element.attrib:
            return {TEXT: element.text or ""}
        if has_text(element):
            reason = "has text beside its elements"
            raise _Refused("FEED_VALUE_REFUSED", name="the content", reason=reason)
        self._check_counts([element])
        given = {"locale" if name == LANGUAGE else name: v for name, v in element.attrib.items()}
        if len(given) < len(element.attrib):
            raise _Refused("FEED_NAME_REFUSED", name="locale", reason="is there in two ways")
        for name in (*given, *children):
            self._check_name(name)
        twice = given.keys() & children.keys()
        if twice:
            raise _Refused("FEED_NAME_REFUSED", name=min(twice), reason="is there in two ways")
        return given | {name: self._value(name, found) for name, found in children.items()}

    def _check_name(self, name: str) -> None:
        if not is_attribute_name(name):
            raise _Refused("FEED_NAME_REFUSED", name=name[:NAME_CHARACTERS], reason="is no name")
        if name in self.feed.reserved:
            raise _Refused("FEED_NAME_REFUSED", name=name, reason="is reserved")

    def _value(self, name: str, elements: Sequence[Element]) -> object:
        if any(len(each.text or "") > VALUE_CHARACTERS for each in elements):
            reason = f"has more than {VALUE_CHARACTERS} characters"
            raise _Refused("FEED_VALUE_REFUSED", name=name, reason=reason)
        for each in elements:
            if len(each) or each.attrib:
                if 1 + depth_of(each) > DEEPEST:
                    raise _Refused("FEED_TOO_DEEP", allowed=DEEPEST)
                self._check_counts(each.iter(etree.Element))
        return value_of(elements, is_update=self.rank == UPDATE)

    def _check_counts(self, elements: Iterable[Element]) -> None:
        """Let elements pass that have no more attributes than an element may have."""
        if any(len(each.attrib) > self.most_attributes for each in elements):
            reason = f"has more attributes than the limit xml_attributes of {self.most_attributes}"
            raise _Refused("FEED_VALUE_REFUSED", name="an element", reason=reason)


@lru_cache(maxsize=4_096)
def is_attribute_name(name: str) -> bool:
    """Whether an attribute may be called so, if the feed has not reserved it."""
    return _NAME.fullmatch(name) is not None


def has_text(element: Element) -> bool:
    """Whether text other than blanks stands in an element, beside those in it."""
    texts = (element.text, *(child.tail for child in element))
    return any(text and text.strip(_BLANKS) for text in texts)


def _by_name(element: Element) -> dict[str, list[Element]]:
    children: dict[str, list[Element]] = {}
    for child in element:
        children.setdefault(local_name(child), []).append(child)
    return children


def _texts(children: Mapping[str, Sequence[Element]]) -> dict[str, Any]:
    """The children that are nothing but one text each."""
    single = {name: found[0] for name, found in children.items() if len(found) == 1}
    return {name: each.text or "" for name, each in single.items() if not len(each)}


def _wrapped(wrappers: Sequence[Element], name: str) -> list[Element]:
    """What wrappers hold; nothing else may stand in them."""
    inner = [child for wrapper in wrappers for child in wrapper]
    others = [local_name(child) for child in inner if local_name(child) != name]
    if others or any(map(has_text, wrappers)):
        reason = f"holds {others[0] if others else 'text'!r} beside {name!r}"
        raise _Refused("FEED_VALUE_REFUSED", name=local_name(wrappers[0]), reason=reason)
    return inner


def _key(found: Sequence[Element], name: str) -> str:
    if len(found) != 1:
        reason = "is there more than once" if found else "is missing"
        raise _Refused("FEED_KEY_INVALID", name=name, reason=reason)
    if len(found[0]):
        raise _Refused("FEED_KEY_INVALID", name=name, reason="holds elements")
    return _checked(found[0].text or "", name)


def _checked(text: str, name: str) -> str:
    key = text.strip(_BLANKS)
    fault = key_fault(key)
    if fault is not None:
        raise _Refused("FEED_KEY_INVALID", name=name, reason=fault)
    return key
