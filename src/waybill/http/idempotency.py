"""Idempotency-Key: what a key may look like, and what makes two requests the same."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from waybill.errors import RequestInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from waybill.dialect import Body
    from waybill.http.exchange import Exchange

HEADER: Final = "idempotency-key"
VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,255}")


def read_key(exchange: Exchange) -> str | None:
    """The key of a request, ``None`` where it has none.

    Raises:
        RequestInvalid: not 1 to 255 visible ASCII characters.
    """
    key = exchange.headers.get(HEADER)
    if key is None:
        return None
    if not VISIBLE.fullmatch(key):
        raise RequestInvalid(
            "Idempotency-Key must be 1 to 255 visible ASCII characters.",
            code="IDEMPOTENCY_KEY_INVALID",
            parameter="Idempotency-Key",
        )
    return key


def fingerprint(exchange: Exchange, body: Body) -> str:
    """SHA-256 over method, path, query, fields and files; the same for a request sent again.

    Order of query parameters and parts, file names and headers other than a charset do not matter.
    """
    digest = sha256()
    for text in _facts(exchange, body):
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8) + encoded)
    digest.update(body.raw)
    return digest.hexdigest()


def _facts(exchange: Exchange, body: Body) -> Iterable[str]:
    yield exchange.method
    yield exchange.path
    for section in (exchange.query, body.fields.items()):
        yield ""
        for name, value in sorted(section):
            yield from (name, value)
    yield ""
    for facts in sorted((file.part, file.file.sha256, file.charset) for file in body.files):
        yield from facts
