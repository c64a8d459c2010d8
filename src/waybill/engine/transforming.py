"""How a file tool is run: on a stored file, into a new one. The same at once and in a job."""

from __future__ import annotations

import codecs
import hashlib
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from waybill.errors import ContentInvalid, StorageFull

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from waybill.model.ids import BlobName
    from waybill.model.transform import TransformTerms
    from waybill.ports.blobs import Blobs
    from waybill.ports.transformer import Transformer

COPY_BYTES: Final = 1024 * 1024
IS_TEXT: Final = "is_text"
"""The format fact whether all that a tool made is UTF-8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformParts:
    """What tools are run with. ``scratch``: a local folder for files in the making."""

    blobs: Blobs
    transformer: Transformer
    scratch: Path


@dataclass(frozen=True, slots=True)
class Content:
    """An open file of this host, at its beginning."""

    stream: BinaryIO
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where goes what a tool makes: a blob of that name, at most so large."""

    name: BlobName
    durable: bool
    most_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A file that a tool has made; ``is_text``: all of it is UTF-8."""

    blob: BlobName
    size_bytes: int
    sha256: str
    is_text: bool


def transform(
    parts: TransformParts,
    terms: TransformTerms,
    content: Content,
    place: Place,
    while_running: Callable[[int], None],
) -> Made:
    """Run a tool, and store what it makes.

    Raises:
        ContentInvalid: the content is not what the tool takes, or larger than it takes, or what
            is made of it is larger than its place.
        StorageFull: no space.
    """
    facts = parts.transformer.tools[terms.tool]
    if facts.most_bytes is not None and content.size_bytes > facts.most_bytes:
        raise ContentInvalid(
            f"{terms.tool} takes at most {facts.most_bytes} bytes.", code="PAYLOAD_TOO_LARGE"
        )
    with tempfile.TemporaryFile(dir=parts.scratch) as target:

        def watch(read_bytes: int) -> None:
            while_running(read_bytes)
            if target.tell() > place.most_bytes:
                raise ContentInvalid(
                    f"What {terms.tool} makes of it is larger than {place.most_bytes} bytes.",
                    code="PAYLOAD_TOO_LARGE",
                )

        try:
            parts.transformer.run(terms.tool, content.stream, target, terms.options, watch)
            target.seek(0)
        except OSError as error:
            raise StorageFull(f"a file in {parts.scratch} cannot be written: {error}") from error
        return _stored(parts.blobs, target, place)


def _stored(blobs: Blobs, made: BinaryIO, place: Place) -> Made:
    writer, digest, size, text = (
        blobs.create(place.name, durable=place.durable),
        hashlib.sha256(),
        0,
        _Text(),
    )
    try:
        while piece := made.read(COPY_BYTES):
            digest.update(piece)
            text.take(piece)
            size += len(piece)
            writer.write(piece)
        is_text = text.take(b"", is_last=True)
        blob = writer.commit()
    finally:
        writer.discard()
    return Made(blob=blob, size_bytes=size, sha256=digest.hexdigest(), is_text=is_text)


class _Text:
    """Whether all pieces together are UTF-8."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._is_text = True

    def take(self, piece: bytes, *, is_last: bool = False) -> bool:
        """Take a piece; whether all so far are."""
        if self._is_text:
            try:
                self._decoder.decode(piece, final=is_last)
            except UnicodeDecodeError:
                self._is_text = False
        return self._is_text
