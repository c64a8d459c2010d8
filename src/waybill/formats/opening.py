"""Opening an input: container by magic bytes, then encoding, then format."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from waybill.formats.contained.opening import open_contained, out_of_archive
from waybill.formats.content import look_into
from waybill.formats.csv_parsing import CsvShape, parse_slice
from waybill.formats.encoding import choose_encoding
from waybill.formats.format_choice import format_by_content, refuse_contradiction
from waybill.formats.header import begins_report, read_columns
from waybill.formats.json_opening import open_json_document, open_json_lines
from waybill.formats.magic import refuse_foreign
from waybill.formats.opened_text import OpenedText
from waybill.formats.slices import CHUNK_BYTES, CHUNK_RECORDS
from waybill.formats.text_format import choose_text_format
from waybill.formats.text_reader import TextReader, TextSource
from waybill.model.options import FileFormat
from waybill.ports.reader import Header
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from waybill.formats.content import Content
    from waybill.model.limits import Limits
    from waybill.ports.reader import Reader, ReadOptions

TABLE_RECORDS: Final = 8_192
"""Most records of one chunk of a workbook, XML or Parquet."""


def open_reader(
    path: str,
    options: ReadOptions,
    limits: Limits,
    *,
    scratch: str = "",
    chunk_bytes: int = CHUNK_BYTES,
    chunk_records: int = CHUNK_RECORDS,
) -> Reader:
    """A reader of the file at ``path``, plain or packed.

    ``scratch``: folder for what must be unpacked on disk; empty for that of the system.
    ``chunk_bytes`` and ``chunk_records`` are for tests: rows and their positions never depend on
    them, chunk numbers do.

    Raises:
        FileRefused: not a format, encoding or header that can be read, or a limit was met.
        OptionInvalid: the declared delimiter cannot be one.
    """
    scratch = scratch or tempfile.gettempdir()
    content, options = out_of_archive(look_into(path, limits), options, scratch)
    found = format_by_content(content.head)
    if options.feed is not None and found is not FileFormat.XML:
        raise file_refused(
            "FEED_INVALID", reason="the entity takes a feed, in XML, and this is none"
        )
    if found in {FileFormat.AUTO, FileFormat.XML}:
        refuse_foreign(content.head)
    if found is FileFormat.AUTO:
        return _open_text(content, options, chunk_bytes, chunk_records)
    refuse_contradiction(found, options)
    records = min(chunk_records, TABLE_RECORDS)
    return open_contained(found, content, options, scratch=scratch, batch_records=records)


def _open_text(
    content: Content, options: ReadOptions, chunk_bytes: int, chunk_records: int
) -> Reader:
    if begins_report(content.head):  # whatever was declared for the first file: it is ours
        options = replace(
            options,
            delimiter=",",
            encoding="",
            has_header=True,
            format=FileFormat.AUTO,
            records_path="",
        )
    encoding = choose_encoding(content.head, options.encoding, whole=content.is_whole)
    text = OpenedText(
        content=content,
        encoding=encoding,
        options=options,
        chunk_bytes=chunk_bytes,
        chunk_records=chunk_records,
    )
    head, is_whole = text.head()
    if is_whole and not head.strip():  # nothing at all, whatever it was said to be
        return open_csv(text, b"", is_whole=True)
    found = choose_text_format(head, options, is_whole=is_whole)
    if found is FileFormat.JSON:
        return open_json_document(text, is_whole=is_whole)
    if found is FileFormat.NDJSON:
        return open_json_lines(text, is_whole=is_whole)
    return open_csv(text, head, is_whole=is_whole)


def open_csv(text: OpenedText, head: bytes, *, is_whole: bool) -> Reader:
    """A reader of CSV text that begins with ``head``; raises as ``open_reader``."""
    columns = read_columns(head, text.options, text.content.limits, whole=is_whole)
    shape = CsvShape(
        columns=len(columns.names) + (columns.twice is not None),
        twice=columns.twice,
        repeated_name=columns.names[columns.twice[0]] if columns.twice else "",
        delimiter=columns.delimiter,
        escaped=columns.escaped,
        encoding=text.label_in_findings,
    )
    source = TextSource(
        open_text=text.open,
        input_bytes_total=text.content.stored_bytes,
        body=columns.body,
        rules=text.rules(columns.delimiter),
        parse=partial(parse_slice, shape=shape),
        encoding=text.label,
        threads=text.options.threads,
    )
    facts = {
        "format": "csv",
        **text.facts(),
        "delimiter": columns.delimiter,
        "delimiter_source": columns.delimiter_source,
        "header": "present" if text.options.has_header else "absent",
        "escaped": columns.escaped,
    }
    header = Header(
        names=columns.names,
        facts=facts,
        escaped=columns.escaped,
        line=columns.line,
        byte=columns.byte,
    )
    return TextReader(source, header)
