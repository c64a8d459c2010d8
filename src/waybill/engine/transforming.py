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
    name: BlobName,
    *,
    durable: bool,
    while_running: Callable[[int], None],
) -> Made:
    """Run a tool, and store what it makes under ``name``.

    Raises:
        ContentInvalid: the content is not what the tool takes, or larger than it takes.
        StorageFull: no space.
    """
    facts = parts.transformer.tools[terms.tool]
    if facts.most_bytes is not None and content.size_bytes > facts.most_bytes:
        raise ContentInvalid(
            f"{terms.tool} takes at most {facts.most_bytes} bytes.", code="PAYLOAD_TOO_LARGE"
        )
    with tempfile.TemporaryFile(dir=parts.scratch) as target:
        try:
            parts.transformer.run(terms.tool, content.stream, target, terms.options, while_running)
            target.seek(0)
        except OSError as error:
            raise StorageFull(f"a file in {parts.scratch} cannot be written: {error}") from error
        return _stored(parts.blobs, target, name, durable=durable)


def _stored(blobs: Blobs, made: BinaryIO, name: BlobName, *, durable: bool) -> Made:
    writer, digest, size, text = blobs.create(name, durable=durable), hashlib.sha256(), 0, _Text()
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
