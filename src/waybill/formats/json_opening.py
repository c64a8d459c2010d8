"""Opening NDJSON: the columns are the members of the records, found as they come."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from waybill.formats.csv_cutting import SliceCutter, last_line_end
from waybill.formats.json_lines import LineParser, names_in
from waybill.formats.text_reader import TextReader, TextSource
from waybill.ports.reader import Header, ReadPosition
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from waybill.formats.csv_cutting import CutRules
    from waybill.formats.opened_text import OpenedText
    from waybill.ports.reader import Reader, ReadOptions

CHUNK_CELLS: Final = 4_000_000
"""Most cells of one chunk, those counted that its records do not have."""

START: Final = ReadPosition(byte=0, line=1, record=0)
NO_DELIMITER: Final = ""


def open_json_lines(text: OpenedText, head: bytes, *, is_whole: bool) -> Reader:
    """A reader of NDJSON that begins with ``head``.

    Its columns are those that an earlier reading has found, else the members of the records in the
    head, in order of appearance; a record with others ends the reading, and ``widened`` has all.

    Raises:
        FileRefused: too many members, too long a name, or an option declares CSV.
    """
    lines = head if is_whole else head[: last_line_end(head, len(head))]
    _refuse_csv_options(text.options)
    found = text.options.known_columns or _checked(text, names_in(lines), line=1)
    names = found or text.options.column_names
    source = TextSource(
        open_text=text.open,
        input_bytes_total=text.content.stored_bytes,
        body=START,
        rules=_rules(text, len(names)),
        parse=LineParser(names=names, encoding=text.label).parse,
        encoding=text.label,
        threads=text.options.threads,
        widen=partial(_widened, text, head, is_whole=is_whole),
    )
    is_complete = is_whole or bool(text.options.known_columns)
    facts = {"format": "ndjson", **text.facts()}
    return TextReader(
        source, Header(names=names, facts=facts, is_typed=True, is_complete=is_complete)
    )


def _refuse_csv_options(options: ReadOptions) -> None:
    declared = {
        "delimiter": bool(options.delimiter),
        "header": not options.has_header,
        "escaped": options.escaped,
    }
    for name, is_declared in declared.items():
        if is_declared:
            accepted = f"the CSV text that the option {name} declares"
            raise file_refused("UNSUPPORTED_FORMAT", found="NDJSON", accepted=accepted)


def _widened(text: OpenedText, head: bytes, *, is_whole: bool) -> Reader:
    names: dict[str, None] = {}
    with closing(text.open()) as stream:
        for piece in SliceCutter(stream, text.rules(NO_DELIMITER), START).slices():
            names.update(dict.fromkeys(names_in(piece.text)))
            _checked(text, tuple(names), line=piece.end.line)
    options = replace(text.options, known_columns=tuple(names))
    return open_json_lines(replace(text, options=options), head, is_whole=is_whole)


def _rules(text: OpenedText, columns: int) -> CutRules:
    """Short records make chunks of so few that their cells, nearly all missing, have room."""
    records = min(text.chunk_records, CHUNK_CELLS // max(1, columns))
    return replace(text.rules(NO_DELIMITER), chunk_records=records)


def _checked(text: OpenedText, names: tuple[str, ...], *, line: int) -> tuple[str, ...]:
    limits = text.content.limits
    if len(names) > limits.columns:
        raise file_refused("TOO_MANY_COLUMNS", line=line, allowed=limits.columns)
    allowed = limits.header_name_characters
    for column, name in enumerate(names, start=1):
        if len(name) > allowed:
            raise file_refused("HEADER_NAME_TOO_LONG", line=line, column=column, allowed=allowed)
    return names
