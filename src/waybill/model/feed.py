"""A feed: an XML file of operations on records of several kinds."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping  # noqa: TC003 - decoded by this annotation
from dataclasses import dataclass
from typing import Any, Final

import msgspec

OPERATION: Final = "operation"
OWNER: Final = "owner"
KIND: Final = "kind"
KEY: Final = "key"
ATTRIBUTES: Final = "attributes"
COLUMNS: Final = (OPERATION, OWNER, KIND, KEY, ATTRIBUTES)
"""The columns that a feed has as a table; all but the first are fields of its entity.

``owner``: the key of the record that owns it, else its own. ``attributes``: a JSON object.
"""

CLEAR: Final = "clear"
OPERATIONS: Final = (CLEAR, "remove", "add", "update")
"""What a feed may ask for, in the order in which it is carried out."""

PARENT: Final = "@parent"
"""The member of ``attributes`` with the key of the element that a nested one stands in."""

ELEMENT: Final = "#element"
"""The member of a value that is kept as XML, for it has elements or attributes of its own."""

TEXT: Final = ""
"""The member of ``attributes`` that is the text of an element which has nothing else."""

KEY_CHARACTERS: Final = 255
NAME_CHARACTERS: Final = 100
VALUE_CHARACTERS: Final = 2_000_000
DEEPEST: Final = 16
"""Levels of elements in a record."""

MOST_CHANGES: Final = 1_000
"""How often another operation may follow in one feed; each of them begins a chunk."""


_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BLANKS: Final = " \t\r\n"


def key_fault(key: str) -> str | None:
    """What is wrong with a key, in words; ``None`` where nothing is."""
    if not key:
        return "is empty"
    if len(key) > KEY_CHARACTERS:
        return f"has more than {KEY_CHARACTERS} characters"
    return "has control characters" if _CONTROL.search(key) else None


def key_within(kind: str, attributes: Mapping[str, Any]) -> str:
    """The key of a record of which nothing is known: a child of it, else all that it holds.

    A digest, where that is too much, or no text.
    """
    for name in (f"{kind}_key", "key"):
        if isinstance(attributes.get(name), str):
            return str(attributes[name]).strip(_BLANKS)
    text = str(attributes.get(TEXT, "")).strip(_BLANKS)
    if list(attributes) == [TEXT] and key_fault(text) is None:
        return text
    return f"sha256:{hashlib.sha256(msgspec.json.encode(attributes)).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedElement:
    """An element that is a record. ``key``: the name of its child that holds the key.

    ``inside``: the element that owns it: it stands in that one, or has its key, too. ``nests``: it
    may stand in another one of its kind, whose key is kept as its parent.
    """

    key: str
    inside: str = ""
    nests: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What the records of a feed are.

    ``elements``: by name; none: every element is a record, its kind its name, its key a child that
    is named so with ``_key``, or ``key``, or else all it holds. ``wrappers``: element -> the only
    element that may stand in it. ``reserved``: names that no attribute has.
    """

    elements: Mapping[str, FeedElement]
    wrappers: Mapping[str, str]
    reserved: frozenset[str] = frozenset()

    def kinds_cleared(self, name: str) -> tuple[str, ...]:
        """What goes where ``clear`` names an element or a wrapper; nothing for any other name."""
        if not self.elements:
            return (name,)
        kind = self.wrappers.get(name, name)
        if kind not in self.elements:
            return ()
        owned = (each for each, element in self.elements.items() if element.inside == kind)
        return (kind, *owned)
