"""Lines and columns of a text that is read piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from waybill.transforms.tool import Refused

_LF: Final = 0x0A
_CR: Final = 0x0D


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a text, counted from 1 in characters; LF, CRLF and a lone CR end a line.

    ``follows_return``: a CR stands before it.
    """

    line: int = 1
    column: int = 1
    follows_return: bool = False

    def after(self, text: bytes) -> Place:
        """The place behind a text that begins here: whole characters of UTF-8."""
        last = max(text.rfind(b"\n"), text.rfind(b"\r"))
        breaks = line_breaks(text) if last >= 0 else 0
        return self._moved(
            breaks,
            _characters(text[last + 1 :]),
            begins_with_feed=text.startswith(b"\n"),
            ends_with_return=text.endswith(b"\r") if text else self.follows_return,
        )

    def after_text(self, text: str) -> Place:
        """The same of decoded text."""
        breaks = text.count("\n")
        if "\r" in text:
            breaks += text.count("\r") - text.count("\r\n")
        last = max(text.rfind("\n"), text.rfind("\r"))
        return self._moved(
            breaks,
            len(text) - last - 1,
            begins_with_feed=text.startswith("\n"),
            ends_with_return=text.endswith("\r") if text else self.follows_return,
        )

    def refused(self, message: str, code: str) -> Refused:
        """The refusal of what stands here."""
        return Refused(message, code=code, line=self.line, column=self.column)

    def _moved(
        self, breaks: int, characters: int, *, begins_with_feed: bool, ends_with_return: bool
    ) -> Place:
        """The place behind so many line breaks, and so many characters behind the last of them."""
        ended = breaks - (self.follows_return and begins_with_feed)
        column = 1 if breaks else self.column
        return Place(self.line + ended, column + characters, ends_with_return)


def line_breaks(text: bytes) -> int:
    """How many lines end in the text."""
    feeds = _count(text, _LF)
    if b"\r" not in text:
        return feeds
    return feeds + _count(text, _CR) - text.count(b"\r\n")


def _count(text: bytes, byte: int) -> int:
    """As ``bytes.count``, which is ten times slower where lines are short."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == byte))


def _characters(text: bytes) -> int:
    return len(text) if text.isascii() else len(text.decode())
