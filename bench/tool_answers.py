"""Tools that are answered at once: how long a kilobyte takes a caller who has a connection."""

from __future__ import annotations

import http.client
import time
from statistics import median
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from measure import Server

CALLS: Final = 200
WARM_UP: Final = 30
OK: Final = 200
SECONDS_BETWEEN: Final = 0.01
"""Idle means idle: what an answer leaves to be done is done before the next call."""

KILOBYTES: Final = {
    "base64-encoder": b"hello world, " * 79,
    "csv-to-json": b"id,name\n" + b"1,somebody\n" * 92,
    "css-formatter": b"a:hover,b{color:red;margin:0 1px}\n" * 30,
    "html-formatter": b"<div><p>x  y</p></div>" * 46,
    "javascript-formatter": b"""\
/* Which handler answers a path. */
export function register(routes, path, handler) {
  if (routes.has(path)) {
    throw new Error(`there is a handler for ${path} already`);
  }
  routes.set(path, handler); // the first one wins
}
"""
    * 4,
    "json-formatter": b"[" + b'{"name":"somebody","n":1},' * 39 + b"{}]",
    "xml-formatter": b"<a>" + b"<b x='1'>t</b>" * 72 + b"</a>",
    "yaml-formatter": b"services:\n" + b"  - name: warehouse-3\n    port: 8080\n" * 26,
}
"""A kilobyte for a tool of each family."""


def answer_milliseconds(server: Server, tool: str) -> float:
    """The median time from the first byte sent to the last one read."""
    headers = {"x-api-key": server.credentials["apidatatools"]["api_key"]}
    return _milliseconds(server, "POST", f"/{tool}-api", KILOBYTES[tool], headers)


def bare_milliseconds(server: Server) -> float:
    """The same of an answer that needs no work: what the machine, server and caller take."""
    return _milliseconds(server, "GET", "/healthz/live", b"", {})


def _milliseconds(
    server: Server, method: str, path: str, body: bytes, headers: dict[str, str]
) -> float:
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=60)
    seconds: list[float] = []
    for _ in range(WARM_UP + CALLS):
        began = time.perf_counter()
        connection.request(method, path, body=body or None, headers=headers)
        answer = connection.getresponse()
        answer.read()
        seconds.append(time.perf_counter() - began)
        assert answer.status == OK, path
        time.sleep(SECONDS_BETWEEN)
    connection.close()
    return median(seconds[WARM_UP:]) * 1000
