"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

import re
from typing import Final

from waybill.validation.codes import file_refused

GZIP: Final = b"\x1f\x8b"

ACCEPTED: Final = (
    "CSV, JSON, NDJSON, XLSX, XML or Parquet, plain or packed once as gzip, zstd or zip"
)

_SIGNATURES: Final[tuple[tuple[bytes, str], ...]] = (
    (GZIP, "gzip data inside packed data"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or encrypted Office document (OLE2)"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"\xfd7zXZ\x00", "xz data"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a rar archive"),
    (b"%PDF-", "a PDF document"),
    (b"ARROW1\x00\x00", "an Arrow file"),
    (b"Obj\x01", "an Avro file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"\x7fELF", "a program"),
)
_PATTERNS: Final[tuple[tuple[re.Pattern[bytes], str], ...]] = (
    (re.compile(rb"PK[\x00-\x08]"), "a damaged zip archive"),
    (re.compile(rb"[\x50-\x5f]\x2a\x4d\x18"), "zstd data"),
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17\x72\x45)"), "bzip2 data"),
    (re.compile(rb"\s*<(?:!doctype\s+html|html[\s>]|head[\s>]|body[\s>])", re.IGNORECASE), "HTML"),
)
_TAR_MARK_OFFSET: Final = 257
_ENCRYPTED_PACKAGE: Final = "EncryptedPackage".encode("utf-16-le")
_NAME_OFFSET: Final = 30
_OFFICE_PARTS: Final = (b"[Content_Types].xml", b"_rels/.rels", b"docProps/", b"xl/")
_CERTAIN_BYTES: Final = 8
_CONTROLS: Final = bytes(set(range(0x20)) - set(b"\t\r\n"))
ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
PARQUET: Final = b"PAR1"
OLE2: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def is_gzip(head: bytes) -> bool:
    """Whether the bytes begin a gzip file."""
    return head.startswith(GZIP)


def is_zip(head: bytes) -> bool:
    """Whether the bytes begin a zip archive, which a workbook is too."""
    return head.startswith(ZIP)


def begins_workbook(head: bytes) -> bool:
    """Whether the first member of a zip archive is one that office documents begin with."""
    return head[_NAME_OFFSET:].startswith(_OFFICE_PARTS)


def is_parquet(head: bytes) -> bool:
    """Whether the bytes begin a Parquet file, not a text whose first word is ``PAR1``."""
    after = head[len(PARQUET) :][:_CERTAIN_BYTES]
    return head.startswith(PARQUET) and (not after or after != after.translate(None, _CONTROLS))


def refuse_foreign(head: bytes) -> None:
    """Refuse what is certainly none of our formats; ``head``: the first bytes after unpacking.

    Raises:
        FileRefused: ``UNSUPPORTED_FORMAT``, naming what was found; ``ENCRYPTED_FILE``.
    """
    if head.startswith(OLE2) and _ENCRYPTED_PACKAGE in head:
        raise file_refused("ENCRYPTED_FILE", found="the workbook")
    found = name_format(head.removeprefix(b"\xef\xbb\xbf"))
    if found:
        raise file_refused("UNSUPPORTED_FORMAT", found=found, accepted=ACCEPTED)


def name_format(head: bytes) -> str:
    """The format that the bytes begin, in words; empty where they may be text."""
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    for pattern, name in _PATTERNS:
        if pattern.match(head):
            return name
    if head[_TAR_MARK_OFFSET : _TAR_MARK_OFFSET + 5] == b"ustar":
        return "a tar archive"
    return ""
