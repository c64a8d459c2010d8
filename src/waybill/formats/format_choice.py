"""Which format a file is, and which options go with it: a contradiction is an error, never a guess.

What the first bytes say for certain goes first, then what was declared, then the name.
"""

from __future__ import annotations

import codecs
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from waybill.formats.magic import is_parquet, is_zip
from waybill.model.options import FileFormat
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from waybill.errors import FileRefused
    from waybill.ports.reader import ReadOptions

TITLES: Final = {
    FileFormat.CSV: "CSV text",
    FileFormat.JSON: "a JSON document",
    FileFormat.NDJSON: "NDJSON",
    FileFormat.XLSX: "an XLSX workbook",
    FileFormat.XML: "XML",
    FileFormat.PARQUET: "a Parquet file",
}
_BY_SUFFIX: Final = {
    ".csv": FileFormat.CSV,
    ".tsv": FileFormat.CSV,
    ".json": FileFormat.JSON,
    ".ndjson": FileFormat.NDJSON,
    ".jsonl": FileFormat.NDJSON,
    ".xlsx": FileFormat.XLSX,
    ".xml": FileFormat.XML,
    ".parquet": FileFormat.PARQUET,
}
_PACKED: Final = frozenset({".gz", ".zst", ".zip"})
_TEXTS: Final = (FileFormat.CSV, FileFormat.JSON, FileFormat.NDJSON)
_LENIENT: Final = frozenset({(FileFormat.JSON, FileFormat.NDJSON)})
"""What names promise, and what is sent under them all the same."""

_XML: Final = re.compile(rb"\s*<(?:\?xml\s|!--|!DOCTYPE\s|[A-Za-z_][\w.:-]*(?:[\s/>]|\Z))")
_WIDE: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def format_by_content(head: bytes) -> FileFormat:
    """What the first bytes are for certain; ``AUTO`` for a text that may be one of several."""
    if is_zip(head):
        return FileFormat.XLSX
    if is_parquet(head):
        return FileFormat.PARQUET
    return FileFormat.XML if _XML.match(_narrow(head)) else FileFormat.AUTO


def format_by_name(name: str) -> FileFormat:
    """What a file's name promises; ``AUTO`` where it promises nothing."""
    path = PurePosixPath(name.lower())
    if path.suffix in _PACKED:
        path = path.with_suffix("")
    return _BY_SUFFIX.get(path.suffix, FileFormat.AUTO)


def refuse_contradiction(found: FileFormat, options: ReadOptions) -> None:
    """Let a format pass that agrees with what was declared, or with the name where nothing was.

    Raises:
        FileRefused: ``UNSUPPORTED_FORMAT``: it does not, or an option does not go with it.
    """
    promised = format_by_name(options.file_name)
    if options.format is not FileFormat.AUTO:
        if options.format is not found:
            raise _refuse(found, f"{TITLES[options.format]} that the option format declares")
    elif promised not in {FileFormat.AUTO, found} and (promised, found) not in _LENIENT:
        raise _refuse(found, f"{TITLES[promised]} that its name promises")
    for name, taken in _misfits(options):
        if found not in taken:
            titles = " or ".join(TITLES[each] for each in taken)
            raise _refuse(found, f"{titles} that the option {name} declares")


def _misfits(options: ReadOptions) -> list[tuple[str, tuple[FileFormat, ...]]]:
    """The options that were given, each with the formats that take it."""
    tabular = (FileFormat.CSV, FileFormat.XLSX)
    given = (
        ("delimiter", bool(options.delimiter), (FileFormat.CSV,)),
        ("header", not options.has_header, tabular),
        ("escaped", options.escaped, tabular),
        ("encoding", bool(options.encoding), (*_TEXTS, FileFormat.XML)),
        ("records_path", bool(options.records_path), (FileFormat.JSON, FileFormat.XML)),
        ("sheet", bool(options.sheet), (FileFormat.XLSX,)),
        ("header_row", bool(options.header_row), (FileFormat.XLSX,)),
    )
    return [(name, taken) for name, is_given, taken in given if is_given]


def _narrow(head: bytes) -> bytes:
    """The first characters of a text in bytes of one each."""
    for mark, encoding in _WIDE.items():
        if head.startswith(mark):
            return head[2:2048].decode(encoding, "replace").encode("ascii", "replace")
    return head.removeprefix(codecs.BOM_UTF8)


def _refuse(found: FileFormat, accepted: str) -> FileRefused:
    return file_refused("UNSUPPORTED_FORMAT", found=TITLES[found], accepted=accepted)
