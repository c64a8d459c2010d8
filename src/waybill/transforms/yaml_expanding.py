"""The events of one YAML document with its aliases and merge keys replaced by what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import yaml
from yaml.resolver import Resolver

from waybill.transforms.tool import PIECE_BYTES
from waybill.transforms.yaml_events import start_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from waybill.transforms.yaml_events import Mark, YamlEvents

_MOST_RECORDED: Final = 100_000
_MOST_EXPANDED: Final = 1_000_000
_MOST_RECORDED_CHARACTERS: Final = 16 * PIECE_BYTES
_MOST_EXPANDED_CHARACTERS: Final = 64 * PIECE_BYTES
_TOO_MUCH_RECORDED: Final = (
    f"What anchors name, or what is merged, has more than {_MOST_RECORDED} parts or "
    f"{_MOST_RECORDED_CHARACTERS} characters."
)
_TOO_MUCH_EXPANDED: Final = (
    f"Aliases stand for more than {_MOST_EXPANDED} parts or {_MOST_EXPANDED_CHARACTERS} characters."
)
_NULL: Final = "tag:yaml.org,2002:null"
_MERGE: Final = "tag:yaml.org,2002:merge"
_TEXT: Final = "tag:yaml.org,2002:str"
_LONG: Final = 1024
"""No number is as long; a text of so many characters is a text."""

_RESOLVE: Final[Callable[..., object]] = Resolver().resolve


class Said(NamedTuple):
    """An event, and where it stands: that of the alias, where it came by one."""

    event: yaml.Event
    mark: Mark

    @property
    def step(self) -> int:
        """By how much the event changes the depth."""
        return _step(self.event)


_Recorded = list["yaml.Event | _Reference"]


@dataclass(frozen=True, slots=True)
class _Reference:
    """An alias inside of what is recorded: what it meant there."""

    events: _Recorded


class Expansion:
    """Events one by one, some of them put back.

    What an anchor names is recorded, at most 100,000 events and 16 MiB of text; aliases stand for
    at most 1,000,000 events and 64 MiB of text together.
    """

    def __init__(self, read: YamlEvents) -> None:
        self._read = read
        self._events = read.events()
        self._anchors: dict[str, _Recorded] = {}
        self._recordings: list[tuple[str, _Recorded, int]] = []
        self._recorded = self._recorded_characters = 0
        self._expanded = self._expanded_characters = 0
        self._depth = 0
        self._sources: list[Iterator[Said]] = [self._from_stream()]

    def next(self) -> Said:
        """The next event; there is one until the stream's end was given.

        Raises:
            Refused: ``INVALID_YAML``; ``PAYLOAD_TOO_LARGE``: a limit was met.
        """
        while (said := next(self._sources[-1], None)) is None:
            self._sources.pop()
        return said

    def put_back(self, events: list[Said]) -> None:
        """Give these events before any other."""
        self._sources.append(iter(events))

    def take(self, depth: int) -> list[Said]:
        """Events up to the one that ends so many collections, of the next one's value where 0."""
        events: list[Said] = []
        while not events or depth > 0:
            said = self.next()
            depth += said.step
            events.append(said)
            if len(events) > _MOST_RECORDED:
                raise self._read.too_much(said.mark, _TOO_MUCH_RECORDED)
        return events

    def _from_stream(self) -> Iterator[Said]:
        for event in self._events:
            if isinstance(event, yaml.AliasEvent):
                recorded = self._anchors.get(str(event.anchor))
                if recorded is None:
                    raise self._read.refuse(start_of(event))
                self._record(_Reference(recorded), event)
                yield from self._replay(recorded, start_of(event))
                continue
            self._follow(event)
            mark = start_of(event)
            yield Said(event, mark)
            if mark.line > self._read.first_line:
                self._read.pass_lines(mark.line)

    def _follow(self, event: yaml.Event) -> None:
        """Record what an anchor names."""
        anchor: str | None = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors.pop(anchor, None)
            self._recordings.append((anchor, [], self._depth))
        self._depth += _step(event)
        if not self._recordings:
            return
        self._record(event, event)
        while self._recordings and self._recordings[-1][2] == self._depth:
            anchor, recorded, _ = self._recordings.pop()
            self._anchors[anchor] = recorded

    def _record(self, item: yaml.Event | _Reference, event: yaml.Event) -> None:
        for _, recorded, _ in self._recordings:
            recorded.append(item)
            self._recorded += 1
            self._recorded_characters += len(getattr(event, "value", ""))
        is_much = self._recorded_characters > _MOST_RECORDED_CHARACTERS
        if is_much or self._recorded > _MOST_RECORDED:
            raise self._read.too_much(start_of(event), _TOO_MUCH_RECORDED)

    def _replay(self, recorded: _Recorded, mark: Mark) -> Iterator[Said]:
        """What was recorded; a chain of references is followed without recursion."""
        pending = [iter(recorded)]
        while pending:
            item = next(pending[-1], None)
            self._expanded += 1
            if item is None:
                pending.pop()
            elif isinstance(item, _Reference):
                pending.append(iter(item.events))
            else:
                self._expanded_characters += len(getattr(item, "value", ""))
                yield Said(item, mark)
            is_much = self._expanded_characters > _MOST_EXPANDED_CHARACTERS
            if is_much or self._expanded > _MOST_EXPANDED:
                raise self._read.too_much(mark, _TOO_MUCH_EXPANDED)


def _step(event: yaml.Event) -> int:
    """By how much an event changes the depth."""
    begins = isinstance(event, yaml.CollectionStartEvent)
    return begins - isinstance(event, yaml.CollectionEndEvent)


def tag_of(event: yaml.ScalarEvent) -> str:
    """The tag of a scalar, found from its text where it says none."""
    if event.tag is not None and event.tag != "!":
        return str(event.tag)
    if event.tag == "!" or not event.implicit[0]:
        return _TEXT
    return _tag_of_text(event.value) if len(event.value) < _LONG else _TEXT


@lru_cache(maxsize=4096)
def _tag_of_text(text: str) -> str:
    return str(_RESOLVE(yaml.ScalarNode, text, (True, False)))


def is_null(event: yaml.ScalarEvent) -> bool:
    """Whether a scalar says that there is nothing."""
    return tag_of(event) == _NULL if len(event.value) <= len("null") else event.tag == _NULL


def is_merge(event: yaml.Event) -> bool:
    """Whether a key stands for the entries of other mappings."""
    return isinstance(event, yaml.ScalarEvent) and event.value == "<<" and tag_of(event) == _MERGE
