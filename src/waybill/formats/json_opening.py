"""Opening JSON, lines or a document: the columns are the members of the records, as they come."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from waybill.formats.csv_cutting import SliceCutter
from waybill.formats.json_cutting import ItemCutter
from waybill.formats.json_document import check_rest, find_array, find_member
from waybill.formats.json_nested import nested_columns, twin_columns
from waybill.formats.json_parsing import RecordParser, names_in
from waybill.formats.json_single import SingleCutter
from waybill.formats.places import escape_token, json_places
from waybill.formats.text_reader import TextReader, TextSource
from waybill.formats.text_window import TextWindow
from waybill.ports.reader import Header, ReadPosition
from waybill.validation.codes import file_refused
from waybill.validation.json_structure import WHITE_SPACE

if TYPE_CHECKING:
    from waybill.formats.json_document import ArrayPlace
    from waybill.formats.opened_text import OpenedText
    from waybill.formats.slices import Cut, CutRules, Cutter
    from waybill.formats.text_stream import TextStream
    from waybill.ports.reader import Reader

CHUNK_CELLS: Final = 4_000_000
"""Most cells of one chunk, those counted that its records do not have."""

START: Final = ReadPosition(byte=0, line=1, record=0)
NO_DELIMITER: Final = ""
HEAD_RECORDS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Records:
    """Where records are, and how they are cut; ``pointer``: to their array, if in one."""

    body: ReadPosition
    cut: Cut
    format: str
    pointer: str | None = None


def open_json_lines(text: OpenedText, *, is_whole: bool) -> Reader:
    """A reader of NDJSON; ``is_whole``: the first two lines of the largest size are all of it.

    Its columns are those that an earlier reading has found, else the members of the records in
    those lines, in order of appearance; a record with others ends the reading, and ``widened`` has
    all.

    Raises:
        FileRefused: too many members, or too long a name or a line.
    """
    return _open(text, _Records(body=START, cut=SliceCutter, format="ndjson"), is_whole=is_whole)


def open_json_document(text: OpenedText, *, is_whole: bool) -> Reader:
    """A reader of the array in a JSON document; its columns as in ``open_json_lines``.

    Where members are named that may hold the records, a document without them is a record itself.

    Raises:
        FileRefused: as ``open_json_lines``, or ``find_array``.
    """
    path = text.options.records_path
    if text.options.record_members and not path:
        found = _member_with_records(text)
        if found is None:
            single = _Records(body=START, cut=_cut_single, format="json")
            return _open(text, single, is_whole=is_whole)
        path = found
    with closing(text.open()) as stream:
        window = TextWindow(stream, START)
        place = find_array(window, text.rules(NO_DELIMITER), path)
    records = _Records(
        body=place.body, cut=partial(_cut_array, place), format="json", pointer=place.pointer
    )
    return _open(text, records, is_whole=is_whole)


def _member_with_records(text: OpenedText) -> str | None:
    """The path of the array of records, empty where the document is that array."""
    with closing(text.open()) as stream:
        window = TextWindow(stream, START)
        window.pass_space(WHITE_SPACE)
        if window.look(1) != b"{":
            return ""
        name = find_member(window, text.rules(NO_DELIMITER), text.options.record_members)
    return None if name is None else f"/{escape_token(name)}"


def _cut_single(stream: TextStream, rules: CutRules, start: ReadPosition) -> Cutter:
    return SingleCutter(TextWindow(stream, start), rules)


def _cut_array(
    place: ArrayPlace, stream: TextStream, rules: CutRules, start: ReadPosition
) -> Cutter:
    rest = partial(check_rest, rules=rules, place=place)
    return ItemCutter(TextWindow(stream, start), rules, finish=rest)


def _open(text: OpenedText, records: _Records, *, is_whole: bool) -> Reader:
    found = text.options.known_columns or _first_names(text, records)
    top = found or text.options.column_names
    top, twins = twin_columns(top, text.options.names_of_fields)
    nested = nested_columns(top, text.options.member_paths)
    names = tuple(dict.fromkeys((*top, *(column.name for column in nested))))
    paths = {path.pointer for path in text.options.member_paths}
    places = None if records.pointer is None else json_places(records.pointer, names, paths)
    depth = text.content.limits.nesting_depth
    source = TextSource(
        open_text=text.open,
        input_bytes_total=text.content.stored_bytes,
        body=records.body,
        rules=_rules(text, len(names)),
        parse=RecordParser(
            names=names,
            encoding=text.label_in_findings,
            depth=depth,
            nested=nested,
            twins=twins,
            places=places,
        ).parse,
        encoding=text.label,
        threads=text.options.threads,
        widen=partial(_widened, text, records, is_whole=is_whole),
        cut=records.cut,
    )
    where = {} if records.pointer is None else {"records_path": records.pointer}
    header = Header(
        names=names,
        facts={"format": records.format, **where, **text.facts()},
        is_typed=True,
        is_complete=is_whole or bool(text.options.known_columns),
        places=places,
    )
    return TextReader(source, header)


def _first_names(text: OpenedText, records: _Records) -> tuple[str, ...]:
    head = 2 * text.content.limits.line_bytes
    rules = replace(text.rules(NO_DELIMITER), chunk_bytes=head, chunk_records=HEAD_RECORDS)
    with closing(text.open()) as stream:
        piece = records.cut(stream, rules, records.body).next_slice()
    return (
        _checked(text, names_in(piece, text.content.limits.nesting_depth), line=piece.start.line)
        if piece
        else ()
    )


def _widened(text: OpenedText, records: _Records, *, is_whole: bool) -> Reader:
    names: dict[str, None] = {}
    with closing(text.open()) as stream:
        for piece in records.cut(stream, text.rules(NO_DELIMITER), records.body).slices():
            names.update(dict.fromkeys(names_in(piece, text.content.limits.nesting_depth)))
            _checked(text, tuple(names), line=piece.end.line)
    options = replace(text.options, known_columns=tuple(names))
    return _open(replace(text, options=options), records, is_whole=is_whole)


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
