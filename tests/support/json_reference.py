"""A slow, plain reading of RFC 8259 that tells the first character that cannot be right."""

from __future__ import annotations

import json
import re

_ESCAPED = set('"\\/bfnrt')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NUMBER_BEGINS = re.compile(
    r"-?(?:(?:0|[1-9][0-9]*)(?:\.(?:[0-9]+(?:[eE](?:[+-]?[0-9]*)?)?)?|[eE][+-]?[0-9]*)?)?"
)


class Wrong(Exception):
    """``at``: the character."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


def first_wrong(text: str, most_depth: int) -> int | None:
    """Where a text stops to be JSON; ``None`` where it is."""
    try:
        end = _space(text, _value(text, _space(text, 0), most_depth))
    except Wrong as wrong:
        return wrong.at
    return None if end == len(text) else end


def line_and_column(text: str, at: int) -> tuple[int, int]:
    """Both from 1; LF, CRLF and CR end a line."""
    before = re.split(r"\r\n|\r|\n", text[:at])
    if text[at - 1 : at + 1] == "\r\n":  # between the two: still behind the CR
        return len(before), 1
    return len(before), len(before[-1]) + 1


def _space(text: str, at: int) -> int:
    while text[at : at + 1] in {" ", "\t", "\n", "\r"}:
        at += 1
    return at


def _value(text: str, at: int, depth: int) -> int:
    first = text[at : at + 1]
    if first == '"':
        return _string(text, at)
    if first and first in "[{":
        if depth == 0:
            raise Wrong(at)
        return _container(text, at, depth)
    if first and first in "-0123456789":
        return _number(text, at)
    return _word(text, at)


def _word(text: str, at: int) -> int:
    for word in ("true", "false", "null"):
        if text[at : at + 1] == word[0]:
            for step, letter in enumerate(word):
                if text[at + step : at + step + 1] != letter:
                    raise Wrong(at + step)
            return at + len(word)
    raise Wrong(at)


def _number(text: str, at: int) -> int:
    begun = _NUMBER_BEGINS.match(text, at)
    whole = _NUMBER.match(text, at)
    assert begun is not None
    if whole is None or whole.end() != begun.end():
        raise Wrong(begun.end())
    return whole.end()


def _string(text: str, at: int) -> int:
    at += 1
    while True:
        character = text[at : at + 1]
        if character == '"':
            return at + 1
        if not character or character < " ":
            raise Wrong(at)
        at += 1
        if character == "\\":
            at = _escape(text, at)


def _escape(text: str, at: int) -> int:
    kind = text[at : at + 1]
    if kind in _ESCAPED:
        return at + 1
    if kind != "u":
        raise Wrong(at)
    for step in range(1, 5):
        digit = text[at + step : at + step + 1]
        if not digit or digit not in "0123456789abcdefABCDEF":
            raise Wrong(at + step)
    return at + 5


def _container(text: str, at: int, depth: int) -> int:
    is_object = text[at] == "{"
    closing = "}" if is_object else "]"
    names: set[str] = set()
    at = _space(text, at + 1)
    if text[at : at + 1] == closing:
        return at + 1
    while True:
        if is_object:
            at = _name(text, at, names)
        at = _space(text, _value(text, at, depth - 1))
        mark = text[at : at + 1]
        if mark == closing:
            return at + 1
        if mark != ",":
            raise Wrong(at)
        at = _space(text, at + 1)


def _name(text: str, at: int, names: set[str]) -> int:
    if text[at : at + 1] != '"':
        raise Wrong(at)
    end = _string(text, at)
    name = json.loads(text[at:end])
    if name in names:
        raise Wrong(at)
    names.add(name)
    at = _space(text, end)
    if text[at : at + 1] != ":":
        raise Wrong(at)
    return _space(text, at + 1)
