"""Opening an input: container by magic bytes, then encoding, then format."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from waybill.formats.content import look_into, read_up_to
from waybill.formats.csv_cutting import CHUNK_BYTES, CHUNK_RECORDS, CutRules
from waybill.formats.csv_parsing import CsvShape
from waybill.formats.csv_reader import CsvReader, CsvSource
from waybill.formats.encoding import Encoding, Guess, choose_encoding
from waybill.formats.header import begins_report, read_columns
from waybill.formats.magic import refuse_foreign
from waybill.formats.text_stream import open_text
from waybill.ports.reader import Header

if TYPE_CHECKING:
    from waybill.formats.content import Content, Packing
    from waybill.formats.header import Columns
    from waybill.formats.text_stream import TextStream
    from waybill.model.limits import Limits
    from waybill.ports.reader import Reader, ReadOptions


def open_reader(
    path: str,
    options: ReadOptions,
    limits: Limits,
    *,
    chunk_bytes: int = CHUNK_BYTES,
    chunk_records: int = CHUNK_RECORDS,
) -> Reader:
    """A reader of the file at ``path``; CSV, plain or packed.

    ``chunk_bytes`` and ``chunk_records`` are for tests: rows and their positions never depend on
    them, chunk numbers do.

    Raises:
        FileRefused: not a format, encoding or header that can be read, or a limit was met.
        OptionInvalid: the declared delimiter cannot be one.
    """
    content = look_into(path, limits)
    refuse_foreign(content.head)
    is_report = begins_report(content.head)
    if is_report:  # whatever was declared for the first file: the report is ours
        options = replace(options, delimiter=",", encoding="", has_header=True)
    encoding = choose_encoding(content.head, options.encoding, whole=content.is_whole)
    columns = _columns(content, encoding, options)
    source = CsvSource(
        open_text=partial(_open_text, content, encoding),
        input_bytes_total=content.stored_bytes,
        body=columns.body,
        rules=CutRules(
            delimiter=columns.delimiter,
            line_bytes=limits.line_bytes,
            chunk_bytes=chunk_bytes,
            chunk_records=chunk_records,
        ),
        shape=CsvShape(
            columns=len(columns.names),
            delimiter=columns.delimiter,
            escaped=columns.escaped,
            encoding=_label(encoding),
        ),
        threads=options.threads,
    )
    facts = _facts(options, encoding, columns, packing=content.packing)
    header = Header(
        names=columns.names,
        facts=facts,
        escaped=columns.escaped,
        line=columns.line,
        byte=columns.byte,
    )
    return CsvReader(source, header)


def _columns(content: Content, encoding: Encoding, options: ReadOptions) -> Columns:
    with closing(_open_text(content, encoding)) as text:
        head, is_whole = read_up_to(text, 2 * content.limits.line_bytes)
    return read_columns(head, options, content.limits, whole=is_whole)


def _open_text(content: Content, encoding: Encoding) -> TextStream:
    return open_text(content.open(), encoding)


def _label(encoding: Encoding) -> str:
    return "UTF-8" if encoding.is_utf8 else Guess(name=encoding.name).label


def _facts(
    options: ReadOptions, encoding: Encoding, columns: Columns, *, packing: Packing
) -> dict[str, object]:
    return {
        "format": "csv",
        "compression": packing.value,
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
