"""``GET .../export/{type}``: what is stored as a feed that imports again to the same state."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from waybill.dialect import Response, caller
from waybill.dialects.voyado.feed_writing import write_catalogue, write_plain
from waybill.dialects.voyado.kinds import find_type

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from waybill.dialect import Core, Request
    from waybill.dialects.voyado.feed_writing import Records
    from waybill.dialects.voyado.kinds import ImportType

XML: Final = {"content-type": "application/xml", "vary": "accept-encoding"}
_GZIP_WBITS: Final = 31
_EVERYTHING: Final[frozenset[str]] = frozenset()


def export(core: Core, request: Request) -> Response:
    """The records of a type as of one moment."""
    kind = find_type(request.path_params["type"])
    is_catalogue = kind is find_type("products")
    others = frozenset({"product", "variant"}) if is_catalogue else _EVERYTHING
    first = frozenset({"category"}) if is_catalogue else _EVERYTHING
    records = core.insights.scan(caller(request), kind.entity, (first, others))
    pieces = _pieces(records, kind, is_catalogue=is_catalogue)
    if "gzip" not in request.headers.get("accept-encoding", "").lower():
        return Response(status=200, headers=XML, body=pieces)
    headers = {**XML, "content-encoding": "gzip"}
    return Response(status=200, headers=headers, body=_zipped(pieces))


def _pieces(
    records: Records, kind: ImportType, *, is_catalogue: bool
) -> Generator[bytes, None, None]:
    try:
        texts: Iterable[str] = (
            write_catalogue(records) if is_catalogue else write_plain(records, kind.clears)
        )
        for text in texts:
            yield text.encode("utf-8", "replace")
    finally:
        records.close()


def _zipped(pieces: Generator[bytes, None, None]) -> Iterator[bytes]:
    packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP_WBITS)
    try:
        for piece in pieces:
            if packed := packer.compress(piece):
                yield packed
        yield packer.flush()
    finally:
        pieces.close()
