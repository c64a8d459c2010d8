"""Merge keys of YAML mappings (https://yaml.org/type/merge.html)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from waybill.transforms.excess import deeper_than
from waybill.transforms.yaml_expanding import Expansion, Said, is_merge, tag_of

if TYPE_CHECKING:
    from collections.abc import Container

    from waybill.transforms.yaml_events import YamlEvents

Key = tuple[str, str]
"""Tag and text: what makes two keys the same."""


@dataclass(frozen=True, slots=True)
class _Entry:
    key: Said
    value: list[Said]


class Merging:
    """Replaces merge keys by the entries that they stand for; own entries go before them."""

    def __init__(self, expansion: Expansion, read: YamlEvents, most_depth: int) -> None:
        self._expansion = expansion
        self._read = read
        self._most_depth = most_depth

    def merge(self, seen: Container[Key]) -> None:
        """Put back the rest of a mapping, whose merge key was the last event, without merge keys.

        ``seen``: the keys that the mapping has had.

        Raises:
            Refused: ``INVALID_YAML``: what is to be merged is no mapping. ``PAYLOAD_TOO_LARGE``: a
                limit was met.
        """
        value = self._expansion.take(0)
        *rest, end = self._expansion.take(1)
        merged = self._merged(value, 0)
        own: list[_Entry] = []
        for entry in _entries(rest):
            if is_merge(entry.key.event):
                merged.update(self._merged(entry.value, 0))
            else:
                own.append(entry)
        own_keys = {self.key(entry.key) for entry in own}
        kept = [entry for key, entry in merged.items() if key not in own_keys and key not in seen]
        events = [said for entry in (*kept, *own) for said in (entry.key, *entry.value)]
        self._expansion.put_back([*events, end])

    def key(self, said: Said) -> Key:
        """What a key is told by.

        Raises:
            Refused: ``INVALID_YAML``: it is no scalar.
        """
        if not isinstance(said.event, yaml.ScalarEvent):
            raise self._read.refuse(said.mark)
        return tag_of(said.event), said.event.value

    def _merged(self, value: list[Said], depth: int) -> dict[Key, _Entry]:
        """The entries of one mapping or of a list of them, of which the first go before."""
        first = value[0]
        if isinstance(first.event, yaml.MappingStartEvent):
            return self._flat(value, depth)
        if not isinstance(first.event, yaml.SequenceStartEvent):
            raise self._read.refuse(first.mark)
        entries: dict[Key, _Entry] = {}
        for mapping in reversed(_values(value[1:-1])):
            if not isinstance(mapping[0].event, yaml.MappingStartEvent):
                raise self._read.refuse(mapping[0].mark)
            entries.update(self._flat(mapping, depth))
        return entries

    def _flat(self, mapping: list[Said], depth: int) -> dict[Key, _Entry]:
        """The entries of a mapping, of which some may be merged themselves."""
        if depth > self._most_depth:
            raise self._read.too_much(mapping[0].mark, deeper_than(self._most_depth))
        merged: dict[Key, _Entry] = {}
        own: dict[Key, _Entry] = {}
        for entry in _entries(mapping[1:-1]):
            if is_merge(entry.key.event):
                merged.update(self._merged(entry.value, depth + 1))
            else:
                own[self.key(entry.key)] = entry
        return {**merged, **own}


def _entries(events: list[Said]) -> list[_Entry]:
    """What stands between the ends of a mapping."""
    values = _values(events)
    pairs = zip(values[::2], values[1::2], strict=True)
    return [_Entry(key[0], value) for key, value in pairs]


def _values(events: list[Said]) -> list[list[Said]]:
    """The values that follow one another, each with all its events."""
    values: list[list[Said]] = []
    depth = 0
    for said in events:
        if not depth:
            values.append([])
        values[-1].append(said)
        depth += said.step
    return values
