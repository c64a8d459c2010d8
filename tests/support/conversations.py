"""Conversations over HTTP kept as text: what is sent, and what comes back, byte for byte.

A file is a comment, then exchanges. ``>>> POST /path`` begins a request, ``<<< 202`` its answer;
under each stand headers, a blank line and the body. Of an answer the headers that are named must
be as they are; the body is all of it. ``{{name}}`` is a value: known from the server's
credentials or an earlier answer, else taken from this one; ``{{*}}`` is anything. A request with
the line ``While: text`` is sent again as long as the answer holds that text. Lines of multipart
bodies end with CR and LF.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from waybill.testing.server import pause

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

SECONDS = 60
VALUE = re.compile(r"\{\{(.+?)\}\}")
ANYTHING = "*"


@dataclass(frozen=True)
class Message:
    """One side of an exchange; ``first``: its first line without the mark."""

    first: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Exchange:
    request: Message
    answer: Message


def read_conversation(path: Path) -> list[Exchange]:
    messages = list(_messages(path.read_text(encoding="utf-8")))
    assert messages, path
    assert len(messages) % 2 == 0, path
    return [Exchange(*pair) for pair in zip(messages[::2], messages[1::2], strict=True)]


def _messages(text: str) -> Iterator[Message]:
    for part in re.split(r"^(?=>>> |<<< )", text, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n\n")
        first, *lines = head.rstrip("\n").split("\n")
        headers = dict(line.split(": ", 1) for line in lines)
        yield Message(first=first[4:], headers=headers, body=body.rstrip("\n"))


def hold(conversation: list[Exchange], client: httpx.Client, known: dict[str, str]) -> None:
    """Send every request, and compare every answer."""
    for exchange in conversation:
        answer = _sent(exchange.request, client, known)
        _compare(exchange, answer, known)


def _sent(request: Message, client: httpx.Client, known: dict[str, str]) -> httpx.Response:
    method, path = _filled(request.first, known).split(" ")
    headers = {name: _filled(value, known) for name, value in request.headers.items()}
    repeated, body = headers.pop("While", None), _filled(request.body, known)
    if headers.get("Content-Type", "").startswith("multipart/"):
        body = body.replace("\n", "\r\n") + "\r\n"
    deadline = time.monotonic() + SECONDS
    while True:
        content = body.encode() if body else None
        answer = client.request(method, path, headers=headers, content=content)
        if repeated is None or repeated not in answer.text or time.monotonic() > deadline:
            return answer
        pause()


def _compare(exchange: Exchange, answer: httpx.Response, known: dict[str, str]) -> None:
    wanted, place = exchange.answer, exchange.request.first
    assert f"{answer.status_code}" == wanted.first, f"{place}: {answer.text}"
    for name, value in wanted.headers.items():
        _match(f"{place}: {name}", value, answer.headers.get(name, "(none)"), known)
    _match(place, wanted.body, answer.text.rstrip("\n"), known)


def _match(place: str, wanted: str, found: str, known: dict[str, str]) -> None:
    names: list[str] = []
    pattern = ""
    for at, part in enumerate(VALUE.split(wanted)):
        if at % 2 == 0:
            pattern += re.escape(part)
        elif part == ANYTHING:
            pattern += "(?:.*)"
        elif part in known:
            pattern += re.escape(known[part])
        elif part in names:
            pattern += f"\\{names.index(part) + 1}"
        else:
            names.append(part)
            pattern += '([^"\\s<>]+?)'
    match = re.fullmatch(pattern, found, re.DOTALL)
    assert match, f"{place}\nwanted: {wanted}\nfound:  {found}"
    known.update(zip(names, match.groups(), strict=True))


def _filled(text: str, known: dict[str, str]) -> str:
    return VALUE.sub(lambda found: known[found[1]], text)
