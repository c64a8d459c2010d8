"""Multipart uploads, parsed while they come; RFC 7578 forms only (security.md S31-S33)."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from multipart import (
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from waybill.dialect import Body, StoredFile
from waybill.errors import BodyInvalid, LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from waybill.dialect import Route
    from waybill.http.body_stream import BodyStream
    from waybill.http.spool import Spool, Spools
    from waybill.model.limits import Limits

SILENT_BYTES: Final = 64 * 1024
"""So many bytes may pass outside all parts: preamble and epilogue."""
NAME_CHARACTERS: Final = 255
PARAMETER: Final = re.compile(r';\s*([^=;"\s]+)\s*=\s*(?:"(?:\\.|[^"\\])*"|[^;]*)')
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(slots=True, kw_only=True)
class _Part:
    name: str
    file_name: str | None
    media_type: str
    charset: str
    text: bytearray = field(default_factory=bytearray)
    spool: Spool | None = None
    is_ignored: bool = False


class MultipartReader:
    """Reads one multipart body: text fields into memory, files to the blob store.

    ``spools``: ``None`` where no file is taken. ``stored`` holds the files that are durable so far;
    ``discard`` drops the unfinished one.
    """

    def __init__(
        self,
        stream: BodyStream,
        boundary: str,
        limits: Limits,
        spools: Spools | None,
        route: Route,
    ) -> None:
        self._stream = stream
        self._limits = limits
        self._spools = spools
        self._boundary = boundary
        self._route = route
        self._part: _Part | None = None
        self._parts = 0
        self._silent_bytes = 0
        self._fields: dict[str, str] = {}
        self.stored: list[StoredFile] = []

    async def read(self) -> Body:
        """All parts.

        Raises:
            BodyInvalid: no boundary, broken framing, a missing end, a duplicate part.
            LimitExceeded: a part of text, or the whole body, is too large.
            StorageFull: a file cannot be stored.
        """
        with _refusals("MULTIPART_INVALID"):
            parser = PushMultipartParser(
                self._boundary,
                max_header_size=self._limits.multipart_header_bytes,
                max_header_count=self._limits.multipart_headers_per_part,
                max_segment_count=self._limits.multipart_parts,
            )
        while piece := await self._stream.next_piece():
            self._silent_bytes += len(piece)
            with _refusals("MULTIPART_INVALID"):
                for event in parser.parse(piece):
                    await self._take(event)
            self._check_silence()
        with _refusals("TRUNCATED_MULTIPART"):
            parser.close()
        return Body(fields=self._fields, files=tuple(self.stored))

    async def discard(self) -> None:
        """Drop the file that was being written; safe to repeat."""
        if self._part is not None and self._part.spool is not None:
            await self._part.spool.discard()

    async def _take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        self._silent_bytes = 0
        if isinstance(event, MultipartSegment):
            await self._begin(event)
        elif event is None:
            await self._end()
        else:
            await self._add(event)

    async def _begin(self, segment: MultipartSegment) -> None:
        part = _describe(segment, self._limits.multipart_header_bytes)
        if self._route.ends_with_file and self.stored:
            self._part = replace(part, is_ignored=True)
            return
        if part.name in self._fields or any(part.name == file.part for file in self.stored):
            raise BodyInvalid(f"The part {part.name!r} came twice.", code="DUPLICATE_PART")
        self._part = part
        if part.file_name is not None or part.name in self._route.file_parts:
            if self._spools is None:
                raise BodyInvalid(f"The part {part.name!r} is a file; none is taken here.")
            part.spool = self._spools.open()

    async def _add(self, data: bytes | bytearray) -> None:
        part = self._open_part()
        if part.is_ignored:
            return
        if part.spool is not None:
            await part.spool.write(bytes(data))
            return
        part.text += data
        if len(part.text) > self._limits.small_body_bytes:
            raise LimitExceeded(
                f"The part {part.name!r} is larger than {self._limits.small_body_bytes} bytes; "
                "a file part needs a filename.",
                limit="small_body_bytes",
                allowed=self._limits.small_body_bytes,
                code="PART_TOO_LARGE",
            )

    async def _end(self) -> None:
        part = self._open_part()
        if part.spool is None and not part.is_ignored:
            self._fields[part.name] = _text(part)
        elif part.spool is not None:
            file = await part.spool.commit(name=part.file_name or "", media_type=part.media_type)
            self.stored.append(StoredFile(part=part.name, file=file, charset=part.charset))
        self._part = None

    def _open_part(self) -> _Part:
        if self._part is None:
            raise BodyInvalid("There are bytes outside the parts.")
        return self._part

    def _check_silence(self) -> None:
        if self._part is None and self._silent_bytes > SILENT_BYTES:
            raise BodyInvalid("Too many bytes before the first part or after the last one.")


@contextmanager
def _refusals(code: str) -> Iterator[None]:
    try:
        yield
    except MultipartError as error:
        raise BodyInvalid(f"The multipart body is broken: {error}.", code=code) from error


def _describe(segment: MultipartSegment, header_bytes: int) -> _Part:
    headers = segment.headerlist
    if sum(len(name) + len(value) + 4 for name, value in headers) > header_bytes:
        raise BodyInvalid(f"A part has more than {header_bytes} bytes of headers.")
    _check_disposition([value for name, value in headers if name == "Content-Disposition"])
    file_name = segment.filename
    return _Part(
        name=segment.name or "",
        file_name=None if file_name is None else clean_file_name(file_name),
        media_type=segment.content_type or "",
        charset=_charset(headers),
    )


def _charset(headers: Sequence[tuple[str, str]]) -> str:
    """What the part itself declares; the library would fill in a default."""
    for name, value in headers:
        if name.lower() == "content-type":
            _, options = parse_options_header(value)
            return str(options.get("charset", ""))
    return ""


def _check_disposition(values: list[str]) -> None:
    if len(values) != 1:
        raise BodyInvalid("A part has more than one Content-Disposition.", code="DUPLICATE_PART")
    names = [name.lower() for name in PARAMETER.findall(values[0])]
    plain = [name.rstrip("*") for name in names]
    if len(set(plain)) != len(plain):
        raise BodyInvalid("A part names itself twice.", code="DUPLICATE_PART")
    if names != plain:
        raise BodyInvalid("A part is named in the form of RFC 5987; RFC 7578 forbids it here.")
    if "name" not in names:
        raise BodyInvalid("A part has no name.")


def _text(part: _Part) -> str:
    try:
        return part.text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyInvalid(f"The part {part.name!r} is not UTF-8.") from error


def clean_file_name(name: str) -> str:
    """A client's file name made fit to be shown: no control characters, at most 255 characters.

    It never becomes a path.
    """
    return CONTROL.sub("", name)[:NAME_CHARACTERS]
