"""The catalogue of findings: every code there is, what it means, and how its message reads.

Messages are templates over the parameters; ``docs/reference/findings.md`` is made from this table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from string import Formatter
from typing import TYPE_CHECKING, Final

from waybill.errors import FileRefused
from waybill.model.finding import FileWarning, Finding, Level

if TYPE_CHECKING:
    from collections.abc import Mapping


class Reach(StrEnum):
    """What a code speaks of."""

    FILE = "file"
    RECORD = "record"
    FIELD = "field"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One entry of the catalogue; ``template``, ``expected`` and ``hint`` take the parameters."""

    title: str
    reach: Reach
    level: Level
    template: str
    expected: str = ""
    hint: str = ""


def _file(title: str, template: str, hint: str = "", level: Level = Level.ERROR) -> Code:
    return Code(title=title, reach=Reach.FILE, level=level, template=template, hint=hint)


def _record(title: str, template: str, hint: str = "", expected: str = "") -> Code:
    return Code(
        title=title,
        reach=Reach.RECORD,
        level=Level.ERROR,
        template=template,
        expected=expected,
        hint=hint,
    )


def _field(title: str, template: str, expected: str = "", hint: str = "") -> Code:
    return Code(
        title=title,
        reach=Reach.FIELD,
        level=Level.ERROR,
        template=template,
        expected=expected,
        hint=hint,
    )


CATALOGUE: Final[Mapping[str, Code]] = {
    # the file as a whole
    "UNSUPPORTED_FORMAT": _file(
        "Format not supported",
        "the content looks like {found}, which cannot be imported here",
        "send {accepted}",
    ),
    "CORRUPT_GZIP": _file(
        "Damaged gzip file",
        "the gzip data is damaged at compressed byte {offset}: {reason}",
        "compress the file again and send it whole",
    ),
    "CORRUPT_ZSTD": _file(
        "Damaged zstd file",
        "the zstd data is damaged before compressed byte {offset}: {reason}",
        "compress the file again and send it whole",
    ),
    "DECOMPRESSION_LIMIT": _file(
        "Compressed too strongly",
        "the file unpacks beyond the limit {limit} of {allowed}",
        "send the file uncompressed or in parts",
    ),
    "ARCHIVE_INVALID": _file(
        "Zip archive damaged or misleading",
        "the zip archive cannot be taken: {reason}",
        "pack the file again, by itself, with deflate and no password",
    ),
    "ARCHIVE_LIMIT": _file(
        "Too many members in the archive",
        "the zip archive has more members than the limit {limit} of {allowed}",
        "pack the one file that is to be imported",
    ),
    "ARCHIVE_AMBIGUOUS": _file(
        "Several files in the archive",
        "the zip archive holds {count} files, one is taken: {names}",
        "send each file by itself",
    ),
    "ENCRYPTED_FILE": _file(
        "Encrypted", "{found} is encrypted", "save it without a password and send it again"
    ),
    "MACROS_NOT_ACCEPTED": _file(
        "Workbook with macros",
        "the workbook has macros, which are never taken",
        "save it as a workbook without macros (.xlsx)",
    ),
    "XLSX_INVALID": _file(
        "Workbook damaged",
        "the workbook cannot be read: {reason}",
        "open it in a spreadsheet program and save it anew",
    ),
    "XLSX_AREA_LIMIT": _file(
        "Workbook area too large",
        "the used area of the sheet is {rows} rows by {columns} columns, more cells than the limit "
        "{limit} of {allowed}",
        "delete the stray cells far from the data, or send CSV",
    ),
    "SHEET_NOT_FOUND": _file(
        "No such sheet", "the workbook has no sheet {name}; it has {names}", "name one of them"
    ),
    "HEADER_ROW_EMPTY": _file(
        "Header row empty",
        "row {row} of the sheet, which header_row names, is empty or missing",
        "give the row that has the names of the columns",
    ),
    "EXTERNAL_REFERENCE": _file(
        "Reference out of the file",
        "the file refers {count} times to something outside of it; nothing was fetched",
        level=Level.WARNING,
    ),
    "XML_INVALID": _file(
        "Not well-formed XML", "the XML is not well-formed: {reason}", "mend it and send it again"
    ),
    "XML_DTD_FORBIDDEN": _file(
        "Document type in XML",
        "the XML has a document type declaration{place}, which is never taken",
        "remove <!DOCTYPE ...>",
    ),
    "XML_TOO_DEEP": _file(
        "XML nested too deeply",
        "the XML is nested deeper than the limit {limit} of {allowed} elements",
    ),
    "XML_TOKEN_TOO_LONG": _file(
        "XML part too long",
        "a text, attribute, comment or instruction exceeds the limit {limit} of {allowed} bytes",
    ),
    "PARQUET_INVALID": _file(
        "Parquet file damaged",
        "the Parquet file cannot be read: {reason}",
        "write the file again",
    ),
    "PARQUET_TYPE": _file(
        "Column type not supported",
        "the column {name!r} is of the type {type}, which has no text",
        "leave the column out, or write it as text",
    ),
    "PARSER_MEMORY": _file(
        "File needs too much memory",
        "reading the file takes more memory than the limit {limit} of {allowed} bytes",
        "send it in parts, or as CSV",
    ),
    "PARSER_TIMEOUT": _file(
        "File takes too long to read",
        "reading the file takes longer than the limit {limit} of {allowed} seconds",
        "send it in parts, or as CSV",
    ),
    "PARSER_CRASHED": _file(
        "Reading the file failed",
        "the process that read the file failed: {reason}",
        "the file is likely damaged: write it anew, or send it as CSV",
    ),
    "ENCODING_INVALID": _record(
        "Bytes that are not text",
        "byte {offset} is not valid {encoding}",
        "save the file as UTF-8, or declare its encoding with the option 'encoding'",
    ),
    "ENCODING_UNKNOWN": _file(
        "Encoding not known",
        "the encoding {encoding} is not known",
        "use a name such as utf-8, windows-1252 or iso-8859-1",
    ),
    "ENCODING_SUSPECT": _file(
        "Encoding not as declared",
        "{count} records hold bytes that are not {encoding}; the file looks like {likely} "
        "(confidence {confidence})",
        "declare the encoding with the option 'encoding'",
        Level.WARNING,
    ),
    "LINE_TOO_LONG": _file(
        "Line too long",
        "the line exceeds the limit line_bytes of {allowed} bytes",
        "check the line ends and quotes of the file",
    ),
    "RECORDS_NOT_FOUND": _file(
        "No records there",
        "there are no records {path}: {reason}",
        "say with the option records_path where they are",
    ),
    "RECORDS_AMBIGUOUS": _file(
        "Several arrays",
        "the document holds the arrays {first} and {second}",
        "say with the option records_path which of them has the records",
    ),
    "TOO_MANY_COLUMNS": _file(
        "Too many columns", "the header has more columns than the limit columns of {allowed}"
    ),
    "TOO_MANY_MEMBERS": _file(
        "Too many columns of one prefix",
        "more than {allowed} columns begin with {prefix}",
        "send them in several files",
    ),
    "HEADER_NAME_TOO_LONG": _file(
        "Column name too long",
        "the name of column {column} is longer than the limit header_name_characters of {allowed}",
    ),
    "HEADER_DUPLICATE": _file(
        "Column named twice",
        "the column {name!r} stands in the header at {columns}",
        "keep one of them",
    ),
    "REPEATED_COLUMN": _record(
        "Two values of one column",
        "the column {name!r} stands twice in the header, and the record has two values of it",
        "leave the second cell empty, or keep one of the columns",
    ),
    "HEADER_EMPTY": _file(
        "Column without a name", "column {column} has no name in the header", "name every column"
    ),
    "ENTITY_NOT_RECOGNISED": _file(
        "Header of no known kind",
        "the header is none of those of {bundle}: {reason}",
    ),
    "COLUMN_MISSING": _file(
        "Column missing",
        "the file has no column {names}",
        "columns found: {found}; {suggestion}",
    ),
    "COLUMN_UNKNOWN": _file(
        "Column not known",
        "the column {name!r} is not a field of {entity}",
        "{suggestion}",
    ),
    "COLUMN_IGNORED": _file(
        "Column not known, left out",
        "the column {name!r} is not a field of {entity} and is left out",
        "{suggestion}",
        Level.WARNING,
    ),
    "LOOKALIKE_NAME": _file(
        "Column name with look-alike letters",
        "the column {name!r} reads like {like!r} but holds other characters",
        "type the name anew",
        Level.WARNING,
    ),
    "QUOTE_UNCLOSED": _file(
        "Quote never closed",
        "a quote opens in line {line} and is never closed",
        "close the quote, or double it where it is part of the value",
    ),
    "INVISIBLE_CHARACTER": _file(
        "Invisible characters in text",
        "{count} values hold invisible characters such as a zero-width space",
        "remove them if they are not meant",
        Level.WARNING,
    ),
    "NUMBER_ROUNDED": _file(
        "Numbers rounded to what a double can hold",
        "{count} values of {field} have more digits than a number keeps, and were rounded",
        "declare the field as string where every digit counts",
        Level.WARNING,
    ),
    "DUPLICATE_SKIPPED": _file(
        "Records superseded by a duplicate",
        "{count} records were skipped because another record of the file has the same key",
        level=Level.WARNING,
    ),
    "FEED_INVALID": _file(
        "Not a feed of operations",
        "the file is no feed of operations: {reason}",
        "write clear, remove, add and update under operations",
    ),
    "SNAPSHOT_INCOMPLETE": _file(
        "Snapshot with rejected records",
        "nothing was removed that the file does not have, for {count} records were rejected",
        "mend the rejected records and send the whole file again",
        level=Level.WARNING,
    ),
    "MAX_ERRORS_EXCEEDED": _file(
        "Too many rejected records",
        "more than max_errors = {allowed} records are rejected",
        "mend the rejected records, or raise max_errors",
    ),
    "MAX_ERROR_RATIO_EXCEEDED": _file(
        "Too large a share of rejected records",
        "{share} of the records are rejected, more than max_error_ratio = {allowed}",
        "mend the rejected records, or raise max_error_ratio",
    ),
    "MAX_DELETES_EXCEEDED": _file(
        "Too many records would go",
        "{gone} stored records would go, more than max_deletes = {allowed}",
        "see what would go, then raise max_deletes",
    ),
    "MAX_DELETE_RATIO_EXCEEDED": _file(
        "Too large a share of the records would go",
        "{gone} of {stored} stored records{kind} would go, more than max_delete_ratio = {allowed}",
        "see what would go, then raise max_delete_ratio",
    ),
    # one record
    "FEED_ELEMENT_UNKNOWN": _record(
        "Element that is no record", "the element {element!r} is no record of this feed"
    ),
    "FEED_KEY_INVALID": _record(
        "Record of a feed without a good key",
        "{name} of {element}{key} {reason}",
        "give each record one key of at most 255 characters",
    ),
    "FEED_NAME_REFUSED": _record(
        "Attribute that cannot be named so",
        "the attribute {name!r} of {element}{key} {reason}",
        "use letters, digits, _ and -, a letter first",
    ),
    "FEED_VALUE_REFUSED": _record(
        "Value of a feed that cannot be kept", "{name} of {element}{key} {reason}"
    ),
    "FEED_TOO_DEEP": _record(
        "Record of a feed nested too deeply",
        "{element}{key} has more than {allowed} levels of elements",
    ),
    "JSON_INVALID": _record(
        "Not JSON", "the text is no JSON: {reason}", "write each record as one JSON object"
    ),
    "JSON_TOO_DEEP": _record(
        "Nested too deeply", "the record is nested deeper than the limit nesting_depth of {allowed}"
    ),
    "NOT_AN_OBJECT": _record(
        "Not a JSON object", "the record is JSON, but no object", "write the fields as members"
    ),
    "DUPLICATE_KEY": _record(
        "Member named twice", "a member of the record stands twice", "keep one of them"
    ),
    "FIELD_COUNT": _record(
        "Wrong number of cells",
        "the record has {found} cells, the header has {expected_count}",
        "check delimiters and quotes of this line",
    ),
    "QUOTE_INVALID": _record(
        "Text after a closing quote",
        "a quoted cell is followed by further text",
        "double the quotes inside the cell, or quote it as a whole",
    ),
    "RECORD_TOO_LONG": _record(
        "Record too long",
        "the record exceeds the limit {limit} of {allowed} bytes",
        "check where records begin and end",
    ),
    "CELL_ERROR": _record(
        "Cell with an error",
        "the cell shows the error {value} instead of a value",
        "mend the formula, or enter a value",
    ),
    "FORMULA_NOT_CALCULATED": _record(
        "Formula without a result",
        "the cell has a formula that was never calculated",
        "open the workbook in a spreadsheet program and save it, or enter the value",
    ),
    "NOT_MENDED": _record(
        "Broken record sent back",
        "the record came back marked {value!r}: as a report shows it, it is not what was sent",
        "mend its cells, then empty its cell in the column _code",
    ),
    "DUPLICATE_KEY_IN_FILE": _record(
        "Key occurs more than once",
        "the key {key} stands also in line {other_line} (record {other_record})",
        "keep one record per key, or choose on_duplicate = first, last or apply",
    ),
    "DUPLICATE_UNIQUE_IN_FILE": _record(
        "Unique value occurs more than once",
        "the unique value of {fields} stands also in line {other_line} (record {other_record})",
        "every record needs its own value",
    ),
    "KEY_EXISTS": _record(
        "Record exists already",
        "a record with this key exists already",
        "use operation upsert or update",
        "a key that is not stored yet",
    ),
    "KEY_NOT_FOUND": _record(
        "Record does not exist",
        "no record with this key exists",
        "check the key; to add records use operation upsert",
        "the key of a stored record",
    ),
    "UNIQUE_CONFLICT": _record(
        "Unique value is taken",
        "another record has the same value of {fields}",
        expected="a value that no other record has",
    ),
    "SINK_REFUSED": _record("Refused by the sink", "the sink refused the record: {reason}"),
    # one field
    "REQUIRED": _field("Required value missing", "{field} is required", "a value"),
    "REQUIRED_ON_CREATE": _field(
        "Required value of a new record missing", "{field} is required in a new record", "a value"
    ),
    "KEY_MISSING": _field(
        "Key value missing", "{field} is part of the key and must have a value", "a value"
    ),
    "TYPE_MISMATCH": _field(
        "Not of the field's type", "{value!r} is not {expected}", "{expected}", "{hint}"
    ),
    "KIND_MISMATCH": _field(
        "Of another type than the field",
        "expected {type}, received {bound}",
        "a value of the type {type}",
    ),
    "DATE_INVALID": _field(
        "Not a date or time", "{value!r} is not {expected}", "{expected}", "{hint}"
    ),
    "NUMBER_OUT_OF_RANGE": _field(
        "Number too large or too long", "{value!r} has more digits than can be kept", "{expected}"
    ),
    "NUL_CHARACTER": _field(
        "NUL character", "the value holds a NUL character", hint="remove the character"
    ),
    "FIELD_TOO_LONG": _field(
        "Value too large", "the value exceeds the limit field_bytes of {allowed} bytes"
    ),
    "MIN_LENGTH": _field(
        "Too short", "{value!r} has fewer than {bound} {unit}", "at least {bound} {unit}"
    ),
    "MAX_LENGTH": _field(
        "Too long", "{value!r} has more than {bound} {unit}", "at most {bound} {unit}"
    ),
    "MINIMUM": _field("Too small", "{value!r} is less than {bound}", "at least {bound}"),
    "MAXIMUM": _field("Too large", "{value!r} is greater than {bound}", "at most {bound}"),
    "EXCLUSIVE_MINIMUM": _field(
        "Too small", "{value!r} is not greater than {bound}", "more than {bound}"
    ),
    "EXCLUSIVE_MAXIMUM": _field(
        "Too large", "{value!r} is not less than {bound}", "less than {bound}"
    ),
    "PATTERN": _field(
        "Not of the required form", "{value!r} does not match {bound}", "text matching {bound}"
    ),
    "ENUM": _field("Not an allowed value", "{value!r} is not allowed", "one of {bound}", "{hint}"),
    "JSON_SCHEMA": _field(
        "JSON that breaks its JSON Schema, or is not strict",
        "the value is refused: {reason}",
        "{expected}",
    ),
    "LIST_ITEM": _field(
        "Item that the list cannot keep", "{value!r} has an item {bound}", "{expected}"
    ),
    "FOREIGN_KEY": _field(
        "Reference to nothing",
        "{value!r} is not a known {reference}",
        "the key of an existing record",
    ),
    "TREE_TOO_DEEP": _field(
        "Node too deep",
        "the record lies below more than {allowed} levels",
        "at most {allowed} levels",
    ),
    "TREE_ROOT": _field(
        "Root sent as a record",
        "{field} is the name of a root, which is no record",
        "another key",
    ),
    "TREE_CIRCLE": _field(
        "Parents in a circle",
        "the parents of the record go in a circle",
        "a parent that has a root",
    ),
    "IMMUTABLE": _field(
        "Value that cannot be changed",
        "{field} of a stored record cannot be changed",
        "the stored value",
    ),
    "NOT_ASCENDING": _field(
        "Before a value that comes first",
        "{value!r} lies before the value of {bound}",
        "a value not before that of {bound}",
    ),
    "ACTION_INVALID": _field("Not an action", "{value!r} is not an action", "one of {bound}"),
    "SECRET_MASKED": _field(
        "Masked secret sent back",
        "the value is the mask of a secret, not the secret",
        "the secret itself",
        "enter the value again",
    ),
}


class _Blank(dict[str, object]):
    """Parameters of a template; a parameter that was not given reads as nothing."""

    def __missing__(self, name: str) -> str:
        return ""


def make_finding(
    code: str,
    *,
    field: str | None = None,
    column: int | None = None,
    value: str | None = None,
    **parameters: object,
) -> Finding:
    """A finding of that code, its message filled in; ``value`` is what reports will show.

    Raises:
        KeyError: no such code.
    """
    entry = CATALOGUE[code]
    known = _Blank(parameters, field=field, value=value)
    return Finding(
        code=code,
        level=entry.level,
        message=entry.template.format_map(known),
        field=field,
        column=column,
        value=value,
        expected=entry.expected.format_map(known) or None,
        hint=entry.hint.format_map(known) or None,
    )


def file_refused(
    code: str, *, line: int | None = None, byte: int | None = None, **parameters: object
) -> FileRefused:
    """The error that stops a job with that code; the hint is part of its message."""
    entry = CATALOGUE[code]
    known = _Blank(parameters, line=line)
    message = entry.template.format_map(known)
    hint = entry.hint.format_map(known).strip("; ")
    return FileRefused(f"{message}; {hint}" if hint else message, code=code, line=line, byte=byte)


def without_hint(code: str, message: str) -> str:
    """The message of a refused file without what it advises, which may speak of our options."""
    entry = CATALOGUE.get(code)
    if entry is None or not entry.hint:
        return message
    parts = Formatter().parse(entry.hint)
    words = (re.escape(text) + (".*" if name is not None else "") for text, name, *_ in parts)
    return re.sub(f"; {''.join(words)}$", "", message, count=1, flags=re.DOTALL)


def file_warning(
    code: str,
    *,
    field: str | None = None,
    column: int | None = None,
    count: int = 1,
    lines: tuple[int, ...] = (),
    **parameters: object,
) -> FileWarning:
    """A warning of that code about the file as a whole."""
    entry = CATALOGUE[code]
    known = _Blank(parameters, field=field, count=count)
    message = entry.template.format_map(known)
    hint = entry.hint.format_map(known).strip("; ")
    return FileWarning(
        code=code,
        message=f"{message}; {hint}" if hint else message,
        field=field,
        column=column,
        count=count,
        lines=lines,
    )
