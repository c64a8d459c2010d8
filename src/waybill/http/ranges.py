"""Parts of a file, as a client asks for them. Source: RFC 9110, 14."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from waybill.dialect import Response, ServedFile

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

MOST_RANGES: Final = 4
LONGEST_NUMBER: Final = 18
"""Digits; a longer number is beyond every file."""
_RANGES: Final = re.compile(r"bytes=([0-9 ,-]+)", re.IGNORECASE)
_RANGE: Final = re.compile(r" *([0-9]*)-([0-9]*) *")


class Span(NamedTuple):
    """From one byte up to, not including, another."""

    first: int
    stop: int


def with_ranges(response: Response, method: str, headers: Mapping[str, str]) -> Response:
    """The answer whose file is the bytes that were asked for; any other as it is."""
    file = response.body
    if not isinstance(file, ServedFile):
        return response
    tag = f'"{file.tag}"'
    own = {**response.headers, "accept-ranges": "bytes", "etag": tag}
    asked = headers.get("range", "")
    is_ranged = response.status == 200 and method == "GET" and asked  # noqa: PLR2004 - it says OK
    if not is_ranged or headers.get("if-range", tag) != tag:
        return _whole(response, file, own)
    spans = _read(asked, file.size_bytes)
    if spans is None:
        return _whole(response, file, own)
    if not spans:
        told = {"content-range": f"bytes */{file.size_bytes}", "content-length": "0"}
        return Response(status=416, headers=own | told)
    if len(spans) == 1:
        told = {"content-range": _place(spans[0], file), "content-length": _size(spans[0])}
        return replace(response, status=206, headers=own | told, body=_part(file, spans[0]))
    return _several(response, file, own, spans)


def _whole(response: Response, file: ServedFile, own: Mapping[str, str]) -> Response:
    length = {"content-length": str(file.size_bytes)}
    return replace(response, headers={**own, **length}, body=file.read(0))


def _read(asked: str, size: int) -> Sequence[Span] | None:
    """The spans that the file has; ``None`` for what is no such header, which is ignored.

    None at all where more are asked for than are given.
    """
    match = _RANGES.fullmatch(asked)
    if match is None:
        return None
    if match[1].count(",") >= MOST_RANGES:
        return ()
    spans = []
    for text in match[1].split(","):
        found = _RANGE.fullmatch(text)
        if found is None or found[0].strip() == "-":
            return None
        first, last = found.groups()
        if not first:  # so many at the end
            span = Span(max(size - _number(last), 0), size)
        else:
            span = Span(_number(first), min(_number(last) + 1, size) if last else size)
            if last and _number(last) < span.first:
                return None
        if span.first < span.stop:
            spans.append(span)
    return spans


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= LONGEST_NUMBER else 10**LONGEST_NUMBER


def _part(file: ServedFile, span: Span) -> Generator[bytes, None, None]:
    left = span.stop - span.first
    pieces = file.read(span.first)
    try:
        while left and (piece := next(pieces, b"")):
            yield piece[:left]
            left -= min(left, len(piece))
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()


def _several(
    response: Response, file: ServedFile, own: Mapping[str, str], spans: Sequence[Span]
) -> Response:
    """All spans in one body of several parts."""
    boundary = secrets.token_hex(16)
    media = own.get("content-type", "application/octet-stream")
    heads = [
        f"\r\n--{boundary}\r\nContent-Type: {media}\r\nContent-Range: {_place(span, file)}\r\n\r\n"
        for span in spans
    ]
    end = f"\r\n--{boundary}--\r\n".encode()
    size = sum(len(head) + span.stop - span.first for head, span in zip(heads, spans, strict=True))
    told = {
        "content-type": f"multipart/byteranges; boundary={boundary}",
        "content-length": str(size + len(end)),
    }

    def pieces() -> Iterator[bytes]:
        for head, span in zip(heads, spans, strict=True):
            yield from chain((head.encode(),), _part(file, span))
        yield end

    return replace(response, status=206, headers={**own, **told}, body=pieces())


def _place(span: Span, file: ServedFile) -> str:
    return f"bytes {span.first}-{span.stop - 1}/{file.size_bytes}"


def _size(span: Span) -> str:
    return str(span.stop - span.first)
