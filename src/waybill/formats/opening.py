"""Opening an input: container by magic bytes, then encoding, then format."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from waybill.formats.csv_cutting import CHUNK_BYTES, CHUNK_RECORDS, CutRules
from waybill.formats.csv_parsing import CsvShape
from waybill.formats.csv_reader import CsvReader, CsvSource
from waybill.formats.encoding import Encoding, Guess, choose_encoding
from waybill.formats.header import Columns, read_columns
from waybill.formats.magic import is_gzip, refuse_foreign
from waybill.formats.text_stream import TextStream, open_bytes, open_text
from waybill.ports.reader import Header

if TYPE_CHECKING:
    from waybill.formats.container import ByteStream
    from waybill.model.limits import Limits
    from waybill.ports.reader import Reader, ReadOptions

_SAMPLE_BYTES: Final = 1024 * 1024
_MAGIC_BYTES: Final = 16


def open_reader(
    path: str,
    options: ReadOptions,
    limits: Limits,
    *,
    chunk_bytes: int = CHUNK_BYTES,
    chunk_records: int = CHUNK_RECORDS,
) -> Reader:
    """A reader of the file at ``path``; CSV, plain or gzip.

    ``chunk_bytes`` and ``chunk_records`` are for tests: rows and their positions never depend on
    them, chunk numbers do.

    Raises:
        FileRefused: not a format, encoding or header that can be read, or a limit was met.
        OptionInvalid: the declared delimiter cannot be one.
    """
    return _Opening(path, options, limits, chunk_bytes, chunk_records).reader()


@dataclass(frozen=True, slots=True)
class _Opening:
    path: str
    options: ReadOptions
    limits: Limits
    chunk_bytes: int
    chunk_records: int

    def reader(self) -> Reader:
        gzip = self._is_gzip()
        encoding = self._encoding(gzip=gzip)
        columns = self._columns(encoding, gzip=gzip)
        source = CsvSource(
            open_text=partial(self._open_text, encoding, gzip=gzip),
            input_bytes_total=Path(self.path).stat().st_size,
            body=columns.body,
            rules=CutRules(
                delimiter=columns.delimiter,
                line_bytes=self.limits.line_bytes,
                chunk_bytes=self.chunk_bytes,
                chunk_records=self.chunk_records,
            ),
            shape=CsvShape(
                columns=len(columns.names),
                delimiter=columns.delimiter,
                escaped=columns.escaped,
                encoding=_label(encoding),
            ),
            threads=self.options.threads,
        )
        facts = _facts(self.options, encoding, columns, gzip=gzip)
        return CsvReader(source, Header(names=columns.names, facts=facts, escaped=columns.escaped))

    def _is_gzip(self) -> bool:
        with Path(self.path).open("rb") as file:
            return is_gzip(file.read(_MAGIC_BYTES))

    def _encoding(self, *, gzip: bool) -> Encoding:
        with closing(open_bytes(self.path, self.limits, gzip=gzip)) as source:
            sample, whole = _read_up_to(source, _SAMPLE_BYTES)
        refuse_foreign(sample)
        return choose_encoding(sample, self.options.encoding, whole=whole)

    def _columns(self, encoding: Encoding, *, gzip: bool) -> Columns:
        with closing(self._open_text(encoding, gzip=gzip)) as text:
            head, whole = _read_up_to(text, 2 * self.limits.line_bytes)
        return read_columns(head, self.options, self.limits, whole=whole)

    def _open_text(self, encoding: Encoding, *, gzip: bool) -> TextStream:
        return open_text(open_bytes(self.path, self.limits, gzip=gzip), encoding)


def _read_up_to(source: ByteStream | TextStream, size: int) -> tuple[bytes, bool]:
    """About the first ``size`` bytes, and whether that is all."""
    parts: list[bytes] = []
    held = 0
    while held <= size:
        part = source.read(size - held + 1)
        if not part:
            return b"".join(parts), True
        parts.append(part)
        held += len(part)
    return b"".join(parts), False


def _label(encoding: Encoding) -> str:
    return "UTF-8" if encoding.is_utf8 else Guess(name=encoding.name).label


def _facts(
    options: ReadOptions, encoding: Encoding, columns: Columns, *, gzip: bool
) -> dict[str, object]:
    return {
        "format": "csv",
        "compression": "gzip" if gzip else "none",
        "encoding": _label(encoding),
        "encoding_source": encoding.source.value,
        "encoding_confidence": encoding.confidence,
        "transcoded": not encoding.is_utf8,
        "bom": encoding.bom_bytes > 0,
        "delimiter": columns.delimiter,
        "delimiter_source": columns.delimiter_source,
        "header": "present" if options.has_header else "absent",
        "escaped": columns.escaped,
    }
