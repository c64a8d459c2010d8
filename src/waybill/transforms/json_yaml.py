"""The tool that writes JSON as YAML 1.1 in block style."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from waybill.transforms.json_items import read_items, runs_to_write, split_marks
from waybill.validation.json_structure import COLON, COMMA, OPEN_BRACE, OPEN_BRACKET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Source, Target

_OPENING: Final = frozenset({OPEN_BRACE, OPEN_BRACKET})
_INDENT: Final = "  "
_MOST_NAMES: Final = 4096
"""Kept, so that each is made once; of any number more."""

_MOST_SIMPLE_KEY: Final = 1000
"""Characters; a longer name is written behind ``?``. YAML 1.1, section 7.4.2, allows 1024."""

_PLAIN: Final = re.compile(r"[^\W\d][\w./@+()-]*+(?:,? [\w./@+()][\w./@+()-]*+)*+")
_WORDS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_LONGEST_WORD: Final = max(map(len, _WORDS))
_WITH_EXPONENT: Final = re.compile(r"(-?[0-9]+)(\.[0-9]+)?([eE])([-+]?)([0-9]+)")
_SPECIAL: Final = re.compile(r"\\u[dD]|[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_TO_REWRITE: Final = re.compile(
    r"""\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})
        |\\.
        |([\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff])""",
    re.VERBOSE,
)


def json_to_yaml(source: Source, target: Target, _options: Options, limits: Limits) -> None:
    """Write one item a line, two spaces a level; texts that could be mistaken are quoted.

    Numbers are as they are written, but for those with an exponent: readers of YAML 1.1 take one
    without a point, or without a sign in it, for a text, so ``1e5`` is ``1.0e+5``. Memory: a few
    pieces, or the longest text.

    Raises:
        Refused: as ``read_items``.
    """
    writer = _YamlWriter()
    beside = len("\n") + len(_INDENT) * limits.nesting_depth
    write = target.write  # all that a target must have, so no ``writelines``
    for part in read_items(source, limits):
        for tokens, marks in runs_to_write(*split_marks(part.text), beside):
            write(writer.written(tokens, marks).encode())
    target.write(b"\n")


class _YamlWriter:
    """``_lines``: what begins an item of each open container, the document around them included.

    ``_first``: what begins the next item, where that is the first of its container. ``_key``: the
    name of the next value, where that is known.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._lines = [""]
        self._first: str | None = ""
        self._key = ""

    def written(self, tokens: Sequence[str], marks: bytes) -> str:
        """What some of a part is as YAML."""
        out: list[str] = []
        key = self._key
        for token, mark in zip(tokens, marks, strict=True):
            if mark == COLON:
                key = token
                continue
            if token:
                begin = self._begun(key)
                value = _text(token) if token[0] == '"' else _number(token)
                out.append(f"{begin} {value}" if begin else value)
                key = ""
            if mark == COMMA:
                continue
            if mark in _OPENING:
                out.append(self._opened(key))
                key = ""
            else:
                self._lines.pop()
        self._key = key
        return "".join(out)

    def _begun(self, key: str) -> str:
        """What stands before a value: its line, and its name or the dash of a list."""
        line = self._lines[-1]
        begin = line if self._first is None else self._first
        self._first = None
        if key:
            return begin + (self._names.get(key) or self._name(key, line))
        return f"{begin}-" if line else ""

    def _opened(self, key: str) -> str:
        """Open a container; what begins it. Its first item goes on the line of a list's dash."""
        begin, line = self._begun(key), self._lines[-1]
        if not key:
            self._first = " " if line else ""
        self._lines.append(line + _INDENT if line else "\n")
        return begin

    def _name(self, key: str, line: str) -> str:
        """A name and its colon."""
        name = _text(key)
        if len(name) > _MOST_SIMPLE_KEY:
            return f"? {name}{line}:"
        if len(self._names) >= _MOST_NAMES:
            self._names.clear()
        self._names[key] = f"{name}:"
        return f"{name}:"


def _number(value: str) -> str:
    """A number, or a word, as readers of YAML 1.1 and of 1.2 take it for the same."""
    if "e" not in value and "E" not in value:
        return value
    found = _WITH_EXPONENT.fullmatch(value)
    if found is None:
        return value
    whole, fraction, mark, sign, exponent = found.groups()
    return f"{whole}{fraction or '.0'}{mark}{sign or '+'}{exponent}"


def _text(value: str) -> str:
    """A JSON string as YAML: JSON's escapes are YAML's, but for pairs of surrogates."""
    body = value[1:-1]
    is_plain = _PLAIN.fullmatch(body) is not None
    if is_plain and (len(body) > _LONGEST_WORD or body.lower() not in _WORDS):
        return body
    if _SPECIAL.search(body) is None:
        return value
    return f'"{_TO_REWRITE.sub(_rewritten, body)}"'


def _rewritten(found: re.Match[str]) -> str:
    if found[1]:
        return bytes.fromhex(found[1] + found[2]).decode("utf-16-be")
    if found[3]:
        return f"\\u{ord(found[3]):04x}"
    return found[0]
