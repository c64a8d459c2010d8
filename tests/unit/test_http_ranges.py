"""Parts of a file, as RFC 9110 has them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from waybill.dialect import Response, ServedFile
from waybill.http.ranges import with_ranges

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)
READ: list[int] = []


def read(offset: int) -> Iterator[bytes]:
    for begin in range(offset, SIZE, 1000):
        READ.append(begin)
        yield CONTENT[begin : begin + 1000]


def ask(method: str = "GET", **headers: str) -> Response:
    file = ServedFile(size_bytes=SIZE, tag="t1", read=read)
    response = Response(status=200, headers={"content-type": "text/csv"}, body=file)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return with_ranges(response, method, given)


def content(response: Response) -> bytes:
    assert not isinstance(response.body, ServedFile)
    body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
    assert response.headers["content-length"] == str(len(body))
    return body


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"range": "lines=1-2"},
        {"range": "bytes=-"},
        {"range": "bytes=5-2"},
        {"range": "bytes=a-b"},
        {"range": "bytes=0-9", "if_range": '"another"'},
        {"method": "HEAD", "range": "bytes=0-9"},
    ],
)
def test_what_asks_for_no_part_gets_all(headers: dict[str, str]) -> None:
    response = ask(**headers)
    assert (response.status, response.headers["accept-ranges"]) == (200, "bytes")
    assert response.headers["etag"] == '"t1"'
    assert content(response) == CONTENT


@pytest.mark.parametrize(
    ("asked", "first", "stop"),
    [
        ("0-9", 0, 10),
        ("10-", 10, SIZE),
        ("-7", SIZE - 7, SIZE),
        ("-99999999", 0, SIZE),
        ("995-2004", 995, 2005),
        ("5-99999999", 5, SIZE),
        (f"{SIZE - 1}-", SIZE - 1, SIZE),
    ],
)
def test_a_part_is_given_to_the_byte(asked: str, first: int, stop: int) -> None:
    response = ask(range=f"bytes={asked}", if_range='"t1"')
    assert response.status == 206
    assert response.headers["content-range"] == f"bytes {first}-{stop - 1}/{SIZE}"
    assert content(response) == CONTENT[first:stop]


def test_only_what_is_asked_for_is_read() -> None:
    READ.clear()
    content(ask(range="bytes=5000-5001"))
    assert READ == [5000]


@pytest.mark.parametrize("asked", [f"{SIZE}-", "-0", "0-0,1-1,2-2,3-3,4-4"])
def test_parts_that_there_are_not_and_too_many_are_refused(asked: str) -> None:
    response = ask(range=f"bytes={asked}")
    assert (response.status, response.headers["content-range"]) == (416, f"bytes */{SIZE}")
    assert content(response) == b""


def test_several_parts_come_in_one_body() -> None:
    response = ask(range="bytes=0-1, 500-1500,-3, 99999999-")
    assert response.status == 206
    found = re.fullmatch(r"multipart/byteranges; boundary=(\w+)", response.headers["content-type"])
    assert found
    parts = content(response).split(f"\r\n--{found[1]}".encode())
    assert (parts[0], parts[-1]) == (b"", b"--\r\n")
    spans = [(0, 2), (500, 1501), (SIZE - 3, SIZE)]
    for part, (first, stop) in zip(parts[1:-1], spans, strict=True):
        head, _, body = part.partition(b"\r\n\r\n")
        assert f"Content-Range: bytes {first}-{stop - 1}/{SIZE}".encode() in head
        assert b"Content-Type: text/csv" in head
        assert body == CONTENT[first:stop]


def test_an_answer_without_a_file_is_left_alone() -> None:
    response = Response(status=200, body=b"x")
    assert with_ranges(response, "GET", {"range": "bytes=0-0"}) is response
