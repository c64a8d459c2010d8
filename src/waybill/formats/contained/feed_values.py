"""Attributes of a record of a feed as members of a JSON object, and back.

Text is text; what occurs several times is an array; what has a language is an object of languages,
in which the empty name is text without one. An element with elements or other attributes of its own
is kept as XML under ``#element``. ``null`` stands for a value that goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from waybill.model.feed import ELEMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    Element = Any
    Text = str | None
    Value = Text | list[Any] | dict[str, Any]

LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
"""The attribute ``xml:lang`` as lxml writes it."""

_LANGUAGES: Final = frozenset({"locale", LANGUAGE})
_PLAIN: Final = ""


def value_of(elements: Iterable[Element], *, is_update: bool) -> Value:
    """The value of all elements of one name; ``is_update``: an empty one takes it away."""
    elements = list(elements)
    if len(elements) == 1 and not len(elements[0]) and not elements[0].attrib:
        return elements[0].text or (None if is_update else "")
    found: dict[str, list[Text]] = {}
    for element in elements:
        kind, text = _part(element)
        found.setdefault(kind, []).append(None if is_update and not text else text)
    parts = {kind: texts[0] if len(texts) == 1 else texts for kind, texts in found.items()}
    return parts[_PLAIN] if list(parts) == [_PLAIN] else parts


def _part(element: Element) -> tuple[str, str]:
    """Where in a value an element belongs, and its text."""
    names = set(element.attrib)
    if not len(element) and names <= _LANGUAGES:
        language = element.get("locale") or element.get(LANGUAGE) or _PLAIN
        return language, element.text or ""
    return ELEMENT, as_xml(element)


def as_xml(element: Element) -> str:
    """An element as it stands."""
    text: str = etree.tostring(element, encoding="unicode", with_tail=False)
    return text
