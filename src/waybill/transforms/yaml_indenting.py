"""Lines of YAML at the columns where they belong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import yaml

from waybill.transforms.yaml_events import LINE_ENDS, end_of, start_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.transforms.yaml_events import Mark, YamlEvents

_ENTRY: Final = re.compile(r"([-?:])[ \t]+(?=[^\s#])")
_MARKER: Final = re.compile(r"(?:---|\.\.\.)(?:\s|$)")
_HEADER: Final = re.compile(r"(?:[&!]\S*[ \t]+)*[|>](?:[-+]?([1-9])|)")
_BEHIND_DASH: Final = 2


@dataclass(frozen=True, slots=True)
class _Level:
    """Where the entries of a list or mapping stand, and where they are to stand."""

    old: int
    new: int
    is_list: bool


class Indenter:
    """Indents the lines of a stream anew; what follows the indentation stays, but after a dash.

    Lines are of three kinds. In block style the columns alone tell what belongs where, so lists and
    mappings are followed by them. Lines that go on with a scalar or flow style are told by the
    parser's events; there indentation means nothing, but in block scalars, where the difference to
    the first line does.

    ``_held``: the last line; ``_shift``: how far its end has moved.
    ``_deepest_comment``: a comment after a block scalar that is as deep as its text would be text.
    """

    def __init__(self, read: YamlEvents, tab_space: int) -> None:
        self._read = read
        self._space = tab_space
        self._levels: list[_Level] = []
        self._flow_depth = 0
        self._flow_column = 0
        self._deepest_comment: int | None = None
        self._is_after_blank = False
        self._held = ""
        self._shift = 0

    def lines(self) -> Iterator[str]:
        """The lines, each with what ends it.

        Raises:
            Refused: See ``YamlEvents.events``.
        """
        for event in self._read.events():
            last = start_of(event).line
            if last >= self._read.first_line:
                for line in self._read.take_lines(last + 1):
                    placed = self._in_flow(line) if self._flow_depth else self._own(line)
                    yield from self._hold(placed)
            if isinstance(event, yaml.ScalarEvent):
                yield from self._scalar(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._begin(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._flow_depth = max(self._flow_depth - 1, 0)
        yield self._held

    def _hold(self, line: str) -> Iterator[str]:
        """Give the line before, for the next event may still change this one."""
        if line:
            if self._held:
                yield self._held
            self._held = line

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        if event.flow_style and not self._flow_depth:
            column, parent = self._content(start_of(event))
            is_root = parent is None and not self._levels[1:]
            self._flow_column = column - (self._space if is_root else 0)
        if event.flow_style:
            self._flow_depth += 1

    def _scalar(self, event: yaml.ScalarEvent) -> Iterator[str]:
        first, last = start_of(event), end_of(event)
        if event.style in {"|", ">"}:
            yield from self._block_scalar(first, last.line + (last.column > 0))
        elif last.line > first.line:
            column = self._flow_column + self._space * self._flow_depth
            if not self._flow_depth:
                column, _ = self._content(first)
            for line in self._read.take_lines(last.line + 1):
                yield from self._hold(_placed(line.lstrip(" \t"), column))

    def _block_scalar(self, start: Mark, end: int) -> Iterator[str]:
        """The header's line is held; its digit, where there is one, becomes the new depth."""
        column, parent = self._content(start)
        header = _HEADER.match(self._held, start.column + self._shift)
        while header is None:
            for line in self._read.take_lines(self._read.first_line + 1):
                yield from self._hold(_placed(line.lstrip(" \t"), column))
            header = _HEADER.match(self._held, column)
        lines = list(self._read.take_lines(end))
        old = _block_indentation(lines)
        if header[1]:
            old = int(header[1]) + (parent.old if parent is not None else 0)
            digit = column - (parent.new if parent is not None else 0)
            self._held = f"{self._held[: header.start(1)]}{digit}{self._held[header.end(1) :]}"
        for line in lines:
            text, ending = _split(line)
            yield from self._hold(_placed(text[old:] + ending, column))
        self._deepest_comment = parent.new if parent is not None else 0

    def _content(self, start: Mark) -> tuple[int, _Level | None]:
        """The column for lines that go on with a value that starts there, and what holds it."""
        if not self._levels:
            return self._space, None
        top, parents = self._levels[-1], self._levels[:-1]
        if start.column != top.old:
            return top.new + self._space, top
        return (top.new, parents[-1]) if parents else (self._space, None)

    def _in_flow(self, line: str) -> str:
        body = line.lstrip(" \t")
        closers = len(body) - len(body.lstrip("]}"))
        depth = max(self._flow_depth - closers, 0)
        return _placed(body, self._flow_column + depth * self._space)

    def _own(self, line: str) -> str:
        """A line of block style, a comment, a marker, or nothing where it is blank."""
        text, ending = _split(line)
        body = text.lstrip(" \t")
        if not body:
            self._is_after_blank = bool(self._held)
            return ""
        before = "\n" if self._is_after_blank else ""
        self._is_after_blank = False
        old = len(text) - len(body)
        if body[0] == "#":
            body = " " * self._comment_column(old) + body
        elif _MARKER.match(text) or text[0] == "%":
            self._levels.clear()
            self._deepest_comment = None
        else:
            self._deepest_comment = None
            body = self._entry(body, old)
            if _MARKER.match(body):  # it is text, and is to stay that
                body = f" {body}"
        self._shift = len(before) + len(body) - len(text)
        stripped = body.rstrip(" \t")
        return before + (body if stripped.endswith("\\") else stripped) + (ending or "\n")

    def _entry(self, body: str, old: int) -> str:
        """A line that begins with an entry: indented, with one space after each dash."""
        new = self._column(old, is_list=_is_dash(body))
        line = " " * new
        while (found := _ENTRY.match(body)) is not None:
            line += found[1] + " "
            body = body[found.end() :]
            old, new = old + found.end(), new + _BEHIND_DASH
            self._levels.append(_Level(old, new, _is_dash(body)))
        return line + body

    def _column(self, old: int, *, is_list: bool) -> int:
        """Where an entry belongs that stood at a column."""
        levels = self._levels
        while levels and (levels[-1].old > old or (self._ends_list(old) and not is_list)):
            levels.pop()
        if levels and levels[-1].old == old and levels[-1].is_list >= is_list:
            return levels[-1].new
        new = self._below(levels[-1]) if levels else 0
        levels.append(_Level(old, new, is_list))
        return new

    def _ends_list(self, old: int) -> bool:
        """Whether a list stands there that stands at the column of its key."""
        both = self._levels[-2:]
        return len(both) > 1 and both[1].is_list and both[0].old == both[1].old == old

    def _below(self, level: _Level) -> int:
        return level.new + (_BEHIND_DASH if level.is_list else self._space)

    def _comment_column(self, old: int) -> int:
        """Where a comment belongs: with what stands at its column or before."""
        column = 0
        for level in reversed(self._levels):
            if level.old <= old:
                is_below = level is self._levels[-1] and level.old < old
                column = self._below(level) if is_below else level.new
                break
        return column if self._deepest_comment is None else min(column, self._deepest_comment)


def _is_dash(body: str) -> bool:
    return body[0] == "-" and not body[1:2].strip()


def _split(line: str) -> tuple[str, str]:
    """A line and what ends it, LF for any break but Unicode's separators."""
    text = line.rstrip(LINE_ENDS)
    ending = line[len(text) :]
    return text, "\n" if ending in {"\r", "\r\n"} else ending


def _placed(line: str, column: int) -> str:
    """A line without its indentation, at a column; nothing stays nothing."""
    text, ending = _split(line)
    return (" " * column if text else "") + text + ending


def _block_indentation(lines: list[str]) -> int:
    """At which column the text of a block scalar begins, where its header does not tell."""
    deepest = 0
    for line in lines:
        text = line.rstrip(LINE_ENDS)
        blanks = len(text) - len(text.lstrip(" "))
        if blanks < len(text):
            return max(deepest, blanks)
        deepest = max(deepest, blanks)
    return deepest
