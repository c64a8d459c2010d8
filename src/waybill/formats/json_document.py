"""A JSON document around the array of its records: the way to the array, and what stands behind.

Everything outside of the array is passed over, but must be valid JSON all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.formats.json_cutting import OPENING, ItemCutter, fault_in
from waybill.formats.json_judging import NOT_JSON, decode_raw, holds_bad_text
from waybill.formats.places import escape_token
from waybill.validation.codes import file_refused
from waybill.validation.json_structure import WHITE_SPACE
from waybill.validation.record_index import find_line_ends

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from waybill.errors import FileRefused
    from waybill.formats.slices import CutRules
    from waybill.formats.text_window import TextWindow
    from waybill.ports.reader import ReadPosition

_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR: Final = re.compile(rb'[^\s,\[\]{}"]+')
_CLOSING: Final = {opening: closing for closing, opening in OPENING.items()}
_OF_OBJECTS: Final = re.compile(rb"\[\s*\{")
_EMPTY: Final = re.compile(rb"\[\s*\]")
_NOUNS: Final = {b'"': "a string", b"{": "an object", b"t": "true", b"f": "false", b"n": "null"}
_FIRST_LOOK_BYTES: Final = 1024
_TOO_EARLY: Final = "the document ends too early"
_ITEMS: Final = 100_000
"""Most items that are looked at in a container around the array."""

_NAME_CHARACTERS: Final = 256
_NAMES_SHOWN: Final = 10
_NAME_SHOWN_CHARACTERS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayPlace:
    """Where the records are.

    ``pointer``: to their array. ``body``: behind its bracket. ``levels``: of each container around
    it, the outermost first, the closing bracket and the name of the item that leads on.
    ``is_chosen``: a path led there, so that further arrays do not matter.
    """

    pointer: str
    body: ReadPosition
    levels: Sequence[tuple[bytes, str]]
    is_chosen: bool


def find_array(window: TextWindow, rules: CutRules, path: str) -> ArrayPlace:
    """The array at a path, or the only one, of a document that the window begins with.

    ``path``: a JSON Pointer or the name of a member; empty means the document itself, or the first
    array among its members.

    Raises:
        FileRefused: ``RECORDS_NOT_FOUND``, or ``JSON_INVALID`` before the array.
    """
    walk = _Walk(window, rules)
    tokens = _tokens(path)
    if not path and walk.peek() == b"{":
        tokens = [walk.go_to_array()]
        levels = [(b"}", tokens[0])]
    else:
        levels = [(walk.go_to(token, path), token) for token in tokens]
    walk.enter_array(path)
    return ArrayPlace(
        pointer="".join(f"/{escape_token(token)}" for token in tokens),
        body=replace(window.position, record=0),
        levels=levels,
        is_chosen=bool(path),
    )


def find_member(window: TextWindow, rules: CutRules, names: Container[str]) -> str | None:
    """The member among ``names`` that holds the records of a document.

    It is the first that is an array of objects, or an empty array where there is nothing else;
    ``None`` where there is none, and the document so a record itself.

    Raises:
        FileRefused: ``JSON_INVALID`` before that is known.
    """
    return _Walk(window, rules).find_member(names)


def check_rest(window: TextWindow, rules: CutRules, place: ArrayPlace) -> None:
    """Look at what stands behind the array.

    Raises:
        FileRefused: it is no JSON, or holds another array that may be meant.
    """
    walk = _Walk(window, rules)
    for closing, token in reversed(place.levels):
        for name in walk.items(closing, is_resumed=True):
            if name == token and closing == b"}":
                raise walk.refused("JSON_INVALID", reason=f"the member {name!r} stands twice")
            if not place.is_chosen and walk.peek() == b"[":
                second = f"/{escape_token(name)}"
                raise walk.refused(
                    "RECORDS_AMBIGUOUS", first=_short(place.pointer), second=_short(second)
                )
            walk.skip()
    if walk.peek():
        raise walk.refused("JSON_INVALID", reason="the document ends before this")


def _tokens(path: str) -> list[str]:
    if not path.startswith("/"):
        return [path] if path else []
    return [token.replace("~1", "/").replace("~0", "~") for token in path[1:].split("/")]


class _Walk:
    """Goes through a document forward, value by value."""

    def __init__(self, window: TextWindow, rules: CutRules) -> None:
        self._window = window
        self._rules = rules

    def peek(self) -> bytes:
        """The next byte that is no white space; empty at the end."""
        self._window.pass_space(WHITE_SPACE)
        return self._window.look(1)

    def go_to(self, token: str, path: str) -> bytes:
        """Go on to the item of that name, or of that number; gives the bracket that ends its peers.

        Raises:
            FileRefused: ``RECORDS_NOT_FOUND``.
        """
        closing = _CLOSING.get(self.peek())
        if closing is None:
            raise self._not_found(path, f"{token!r} would have to be within {self._noun()}")
        self._expect(OPENING[closing])
        seen: list[str] = []
        for name in self.items(closing):
            if name == token:
                return closing
            seen.append(name)
            del seen[_NAMES_SHOWN + 1 :]
            self.skip()
        kind = "members" if closing == b"}" else "elements"
        raise self._not_found(path, f"there is no {_short(token)!r} among the {kind} {_list(seen)}")

    def go_to_array(self) -> str:
        """Go on to the first array among the members of an object; gives its name.

        Raises:
            FileRefused: ``RECORDS_NOT_FOUND``.
        """
        self._expect(b"{")
        seen: list[str] = []
        for name in self.items(b"}"):
            if self.peek() == b"[":
                if len(name) > _NAME_CHARACTERS:
                    raise self._not_found("", f"the name {_short(name)!r} is too long for one")
                return name
            seen.append(name)
            del seen[_NAMES_SHOWN + 1 :]
            self.skip()
        raise self._not_found("", f"none of its members {_list(seen)} is an array")

    def find_member(self, names: Container[str]) -> str | None:
        """See the function of that name."""
        self._expect(b"{")
        empty = None
        has_others = False
        for name in self.items(b"}"):
            head = self._window.look(_FIRST_LOOK_BYTES) if self.peek() == b"[" else b""
            if name in names and _OF_OBJECTS.match(head):
                return name
            if name in names and _EMPTY.match(head):
                empty = empty or name
            else:
                has_others = True
            self.skip()
        return None if has_others else empty

    def enter_array(self, path: str) -> None:
        """Go on behind the bracket that begins an array.

        Raises:
            FileRefused: ``RECORDS_NOT_FOUND``: it is none.
        """
        if self.peek() != b"[":
            raise self._not_found(path, f"there is {self._noun()}, which is no array")
        self._expect(b"[")

    def items(self, closing: bytes, *, is_resumed: bool = False) -> Iterator[str]:
        """The name or number of each item of a container; its value is to be read before the next.

        ``is_resumed``: begins behind an item.
        """
        if not is_resumed and self.peek() == closing:
            self._expect(closing)
            return
        number = 0
        while True:
            if not is_resumed:
                yield self._name() if closing == b"}" else str(number)
                number += 1
                if number > _ITEMS:
                    reason = f"more than {_ITEMS} items stand beside it"
                    raise self._not_found("", reason)
            is_resumed = False
            if self.peek() == closing:
                self._expect(closing)
                return
            self._expect(b",")

    def skip(self) -> None:
        """Go on behind a value.

        Raises:
            FileRefused: ``JSON_INVALID``.
        """
        closing = _CLOSING.get(self.peek())
        if closing is None:
            self._scalar()
            return
        self._expect(OPENING[closing])
        for piece in ItemCutter(self._window, self._rules, closing=closing).slices():
            text = OPENING[closing] + piece.without_end + closing
            self._check(text, replace(piece.start, byte=piece.start.byte - 1))

    def refused(self, code: str, *, offset: int = 0, **parameters: object) -> FileRefused:
        """The error that ends the job here."""
        self._window.pass_over(offset)
        place = self._window.position
        return file_refused(code, line=place.line, byte=place.byte, **parameters)

    def _scalar(self) -> None:
        start = self._window.position
        text = self._token(_STRING if self.peek() == b'"' else _SCALAR)
        self._check(text, start)

    def _name(self) -> str:
        """The name of a member; the window goes on behind its colon."""
        if self.peek() != b'"':
            raise self.refused("JSON_INVALID", reason="a member has no name in quotes")
        start = self._window.position
        text = self._token(_STRING)
        self._check(text, start)
        self._expect(b":")
        return msgspec.json.decode(text, type=str)

    def _token(self, form: re.Pattern[bytes]) -> bytes:
        """The bytes of that form which stand next; the window goes on behind them."""
        size = _FIRST_LOOK_BYTES
        while True:
            text = self._window.look(size)
            found = form.match(text)
            is_rest = self._window.is_rest(size)
            if found and (is_rest or found.end() < len(text)):
                self._window.pass_over(found.end())
                return found.group()
            if is_rest:
                offset, reason = fault_in(text) or (len(text), _TOO_EARLY)
                raise self.refused("JSON_INVALID", offset=offset, reason=reason)
            if size > self._rules.line_bytes:
                raise self.refused(
                    "RECORD_TOO_LONG", limit="line_bytes", allowed=self._rules.line_bytes
                )
            size *= 2

    def _expect(self, mark: bytes) -> None:
        found = self.peek()
        if found != mark:
            reason = f"expected {mark.decode()!r}" if found else _TOO_EARLY
            raise self.refused("JSON_INVALID", reason=reason)
        self._window.pass_over(1)

    def _check(self, text: bytes, start: ReadPosition) -> None:
        """Refuse what is no JSON; ``start``: where it stands."""
        try:
            decode_raw(text)
        except NOT_JSON:
            offset, reason = fault_in(text) or (len(text), _TOO_EARLY)
        else:
            if not holds_bad_text(text):
                return
            offset, reason = 0, "it holds bytes or escapes that are no characters"
        line = start.line + find_line_ends(text[:offset]).size
        raise file_refused("JSON_INVALID", line=line, byte=start.byte + offset, reason=reason)

    def _noun(self) -> str:
        found = self.peek()
        return _NOUNS.get(found, "a number") if found else "nothing"

    def _not_found(self, path: str, reason: str) -> FileRefused:
        shown = f"at {_short(path)!r}" if path else "in the document"
        return self.refused("RECORDS_NOT_FOUND", path=shown, reason=reason)


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(repr(_short(name)) for name in names[:_NAMES_SHOWN])
    if not names:
        return "(none)"
    return f"{shown}, ..." if len(names) > _NAMES_SHOWN else shown


def _short(name: str) -> str:
    if len(name) <= _NAME_SHOWN_CHARACTERS:
        return name
    return name[:_NAME_SHOWN_CHARACTERS] + "..."
