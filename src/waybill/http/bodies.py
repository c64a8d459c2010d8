"""What becomes of a request's body before its handler runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from multipart import parse_content_disposition, parse_options_header

from waybill.dialect import Body, BodyKind, Route, StoredFile
from waybill.errors import BodyInvalid, MediaTypeUnsupported, RequestInvalid
from waybill.http.body_stream import BodyStream, has_body
from waybill.http.multipart_body import MultipartReader, clean_file_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive

    from waybill.http.spool import Spool, Spools
    from waybill.model.job import InputFile
    from waybill.model.limits import Limits

MULTIPART: Final = "multipart/form-data"
URLENCODED: Final = "application/x-www-form-urlencoded"
GZIP_MAGIC: Final = b"\x1f\x8b"
_BARE_BOUNDARY: Final = re.compile(r";\s*boundary=([!-:<-~]{1,70})(?:\s*;|\s*$)", re.IGNORECASE)
"""Every printable character but the semicolon. Source: RFC 2046, 5.1.1, is stricter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bodies:
    """Reads bodies as routes declare them."""

    limits: Limits
    spools: Spools
    timeout_seconds: float

    async def read(
        self,
        route: Route,
        headers: Mapping[str, str],
        receive: Receive,
        most_bytes: int | None = None,
    ) -> Body:
        """The body of a request; an upload is durable when this returns, unless it need not be.

        Nothing stays behind when it raises.

        Raises:
            RequestInvalid: a body where none is taken.
            BodyInvalid: broken framing.
            BodyTooSlow: the client stands still.
            MediaTypeUnsupported: not a media type or content encoding of this route.
            LimitExceeded: too large.
            StorageFull: it cannot be stored.
            ClientGone: the connection ended first.
        """
        match route.body:
            case BodyKind.NONE:
                _refuse_body(headers)
                return Body()
            case BodyKind.SMALL:
                return Body(raw=await self._stream(receive, headers, small=True).read_whole())
            case BodyKind.FORM:
                return await self._read_form(route, headers, receive)
            case BodyKind.UPLOAD:
                stream = self._stream(receive, headers, small=False, most_bytes=most_bytes)
                return await self._read_upload(route, headers, stream)
            case BodyKind.CONTENT:
                stream = self._stream(receive, headers, small=False, most_bytes=most_bytes)
                return await self._read_content(headers, stream)

    async def _read_form(self, route: Route, headers: Mapping[str, str], receive: Receive) -> Body:
        media_type, options = parse_options_header(headers.get("content-type", ""))
        _check_media(route, media_type)
        encoding = _content_encoding(headers)
        if encoding != "identity":
            raise _encoding_unsupported(encoding)
        stream = self._stream(receive, headers, small=True)
        if media_type == MULTIPART:
            boundary = options.get("boundary") or _bare_boundary(headers)
            return await self._read_multipart(route, stream, boundary, spools=None)
        raw = await stream.read_whole()
        if media_type == URLENCODED:
            return Body(raw=raw, fields=_form_fields(raw, self.limits.multipart_parts))
        return Body(raw=raw)

    async def _read_upload(
        self, route: Route, headers: Mapping[str, str], stream: BodyStream
    ) -> Body:
        media_type, options = parse_options_header(headers.get("content-type", ""))
        _check_media(route, media_type)
        encoding = _content_encoding(headers)
        if media_type != MULTIPART:
            first = await stream.next_piece()
            _check_gzip(first, encoding)
            file = await self._read_raw(stream, self.spools.open(), headers, first)
            return Body(files=(StoredFile(part="", file=file, charset=options.get("charset", "")),))
        if encoding != "identity":
            raise _encoding_unsupported(encoding)
        boundary = options.get("boundary") or _bare_boundary(headers)
        return await self._read_multipart(route, stream, boundary, spools=self.spools)

    async def _read_content(self, headers: Mapping[str, str], stream: BodyStream) -> Body:
        encoding = _content_encoding(headers)
        if encoding != "identity":
            raise _encoding_unsupported(encoding)
        head = bytearray()
        while len(head) <= self.limits.small_body_bytes:
            if not (piece := await stream.next_piece()):
                return Body(raw=bytes(head))
            head += piece
        spool = self.spools.open(durable=False)
        file = await self._read_raw(stream, spool, headers, bytes(head))
        return Body(files=(StoredFile(part="", file=file),))

    async def _read_multipart(
        self, route: Route, stream: BodyStream, boundary: str, *, spools: Spools | None
    ) -> Body:
        if not boundary:
            raise BodyInvalid(
                "The Content-Type names no boundary; let the HTTP library set this header."
            )
        reader = MultipartReader(stream, boundary, self.limits, spools, route)
        body: Body | None = None
        try:
            body = await reader.read()
        finally:
            if body is None:
                await reader.discard()
                await self._drop(reader.stored)
        return body

    async def _read_raw(
        self, stream: BodyStream, spool: Spool, headers: Mapping[str, str], first: bytes
    ) -> InputFile:
        media_type, _ = parse_options_header(headers.get("content-type", ""))
        stored = False
        try:
            await spool.write(first)
            while piece := await stream.next_piece():
                await spool.write(piece)
            file = await spool.commit(name=_file_name(headers), media_type=media_type)
            stored = True
        finally:
            if not stored:
                await spool.discard()
        return file

    async def _drop(self, files: list[StoredFile]) -> None:
        for stored in files:
            await self.spools.drop(stored.file)

    def _stream(
        self,
        receive: Receive,
        headers: Mapping[str, str],
        *,
        small: bool,
        most_bytes: int | None = None,
    ) -> BodyStream:
        limit = "small_body_bytes" if small else "request_body_bytes"
        allowed = getattr(self.limits, limit)
        return BodyStream(
            receive,
            headers,
            allowed_bytes=allowed if most_bytes is None else min(allowed, most_bytes),
            limit_name=limit,
            timeout_seconds=self.timeout_seconds,
        )


def _form_fields(raw: bytes, allowed: int) -> Mapping[str, str]:
    """The fields of a urlencoded form, each at most once."""
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=allowed,
        )
    except ValueError as error:
        raise BodyInvalid(
            f"The body is not a UTF-8 form of at most {allowed} fields.", code="FORM_INVALID"
        ) from error
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in fields if names.count(name) > 1)
        raise BodyInvalid(f"The field {twice!r} came twice.", code="DUPLICATE_PART")
    return fields


def _bare_boundary(headers: Mapping[str, str]) -> str:
    """A boundary that should stand in quotes and does not, such as one in square brackets."""
    found = _BARE_BOUNDARY.search(headers.get("content-type", ""))
    return found[1] if found else ""


def _refuse_body(headers: Mapping[str, str]) -> None:
    if has_body(headers):
        raise RequestInvalid("This request takes no body.", code="BODY_NOT_EXPECTED")


def _check_media(route: Route, media_type: str) -> None:
    taken = route.request_media
    if media_type in taken or "*/*" in taken:
        return
    raise MediaTypeUnsupported(
        f"The body's Content-Type is {media_type or 'missing'}; "
        f"this takes {', '.join(sorted(filter(None, taken)))}."
    )


def _content_encoding(headers: Mapping[str, str]) -> str:
    encoding = headers.get("content-encoding", "identity").strip().lower() or "identity"
    if encoding not in {"identity", "gzip", "x-gzip"}:
        raise _encoding_unsupported(encoding)
    return encoding


def _encoding_unsupported(encoding: str) -> MediaTypeUnsupported:
    return MediaTypeUnsupported(
        f"The content encoding {encoding!r} is not taken here; send gzip files as they are.",
        code="UNSUPPORTED_ENCODING",
    )


def _check_gzip(first: bytes, encoding: str) -> None:
    if encoding != "identity" and not GZIP_MAGIC.startswith(first[:2]):
        raise BodyInvalid("The body is not gzip, as declared.", code="CONTENT_ENCODING_INVALID")


def _file_name(headers: Mapping[str, str]) -> str:
    disposition = headers.get("content-disposition")
    if not disposition:
        return ""
    _, _, name = parse_content_disposition(disposition)
    return clean_file_name(name or "")
