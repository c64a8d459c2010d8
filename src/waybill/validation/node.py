"""A place in a descriptor: typed reading that refuses with the JSON Pointer of the place."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from waybill.errors import SchemaInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One JSON object of a descriptor and its JSON Pointer (RFC 6901)."""

    value: Mapping[str, object]
    pointer: str = ""

    def refusal(self, key: str, reason: str, *, code: str | None = None) -> SchemaInvalid:
        """The error for what stands under ``key``; an empty key means this object itself."""
        return refusal(f"{self.pointer}/{escape(key)}" if key else self.pointer, reason, code=code)

    def only(self, known: Iterable[str]) -> None:
        """Refuse keys that are not ``known``; namespaced ones (``a:b``) pass."""
        names = tuple(known)
        for key in self.value:
            if key not in names and ":" not in key:
                raise self.refusal(key, f"unknown key {key!r}{did_you_mean(key, names)}")

    def text(self, key: str, default: str = "") -> str:
        """The text under ``key``."""
        value = self.value.get(key, default)
        if not isinstance(value, str):
            raise self.refusal(key, "must be text")
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """The boolean under ``key``."""
        value = self.value.get(key, default)
        if not isinstance(value, bool):
            raise self.refusal(key, "must be true or false")
        return value

    def count(self, key: str) -> int | None:
        """The whole number from 0 under ``key``, ``None`` where there is none."""
        value = self.value.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.refusal(key, "must be a whole number, 0 or more")
        return value

    def items(self, key: str) -> Sequence[object] | None:
        """The array under ``key``, ``None`` where there is none."""
        value = self.value.get(key)
        if value is None and key not in self.value:
            return None
        if not isinstance(value, list | tuple):
            raise self.refusal(key, "must be an array")
        return value

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """The array of different texts under ``key``."""
        items = self.items(key)
        if items is None:
            return default
        for index, item in enumerate(items):
            if not isinstance(item, str):
                raise self.refusal(key, f"item {index} must be text")
        texts = tuple(str(item) for item in items)
        if len(set(texts)) != len(texts):
            raise self.refusal(key, "holds a value twice")
        return texts

    def child(self, key: str) -> Node:
        """The object under ``key``; an empty one where there is none."""
        return as_node(self.value.get(key, {}), f"{self.pointer}/{escape(key)}")


def as_node(value: object, pointer: str) -> Node:
    """``value`` as an object at ``pointer``; refused where it is none."""
    if not isinstance(value, Mapping):
        raise refusal(pointer, "must be an object")
    return Node(value={str(key): each for key, each in value.items()}, pointer=pointer)


def refusal(pointer: str, reason: str, *, code: str | None = None) -> SchemaInvalid:
    """The error that a descriptor is refused, with place and reason."""
    place = f"at {pointer}: " if pointer else ""
    return SchemaInvalid(f"{place}{reason}", pointer=pointer, code=code)


def escape(key: str) -> str:
    """A key as one token of a JSON Pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the nearest of the known names, else nothing."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
