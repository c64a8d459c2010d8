"""YAML to the same YAML, indented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import yaml

from waybill.transforms.joining import write_joined
from waybill.transforms.yaml_events import LINE_ENDS, YamlEvents, start_of
from waybill.transforms.yaml_indenting import Indenter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Source, Target

_NO_LIMIT: Final = -1


def format_yaml(source: Source, target: Target, options: Options, limits: Limits) -> None:
    """Check a stream of documents and indent it anew; no level is one line each.

    Words stay: comments, the order of keys, scalars and their quotes, anchors, aliases, tags and
    flow style. Indentation, the space after a dash and blank lines in a row change. Lists stand a
    level deeper than their key, what an item holds two characters deeper than its dash. One line
    has no place for comments. It streams; ``limits.field_bytes`` is the most text between two
    events, so of one scalar.

    Raises:
        Refused: ``INVALID_YAML`` (a tag that is not YAML's own, more than 1,000 aliases, an alias
            of nothing, too), ``INVALID_ENCODING`` or ``EMPTY_INPUT``.
    """
    read = YamlEvents(source, limits)
    if not options.tab_space:
        events, written = _in_flow_style(read), _Encoded(target)
        yaml.emit(events, written, yaml.CSafeDumper, width=_NO_LIMIT, allow_unicode=True)
        return
    lines = Indenter(read, options.tab_space).lines()
    write_joined((line.encode() for line in lines), target)


class _Encoded:
    """What the emitter writes its text to."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def write(self, text: str) -> None:
        """Write it as UTF-8."""
        self._target.write(text.encode())


def _in_flow_style(read: YamlEvents) -> Iterator[yaml.Event]:
    """The events in a form that takes one line a document."""
    for event in read.events():
        read.pass_lines(start_of(event).line)
        if isinstance(event, yaml.CollectionStartEvent):
            event.flow_style = True
        elif isinstance(event, yaml.ScalarEvent):
            _fit(event)
        yield event


def _fit(scalar: yaml.ScalarEvent) -> None:
    """Make a scalar one that stands on one line; flow style has no empty one without quotes."""
    if scalar.tag is None:
        if scalar.implicit[0] and not scalar.value:
            scalar.value = "null"
        scalar.implicit = (scalar.implicit[0], True)
    if any(end in scalar.value for end in LINE_ENDS):
        scalar.style = '"'
