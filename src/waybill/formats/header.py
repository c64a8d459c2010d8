"""The first record of a CSV file: delimiter, column names, and where the data begin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from waybill.errors import OptionInvalid
from waybill.formats.csv_cutting import find_cut, first_long_line
from waybill.formats.csv_exact import Cells, split_record, trace_quotes
from waybill.ports.reader import ReadPosition
from waybill.validation.codes import file_refused
from waybill.validation.formula import unescape
from waybill.validation.record_index import find_line_ends, find_quotes

if TYPE_CHECKING:
    from waybill.errors import FileRefused
    from waybill.model.limits import Limits
    from waybill.ports.reader import ReadOptions

DELIMITERS: Final = (",", ";", "\t", "|")
"""What a delimiter may be when none is declared; of equally frequent ones the first wins."""

RECORD_COLUMN: Final = "_record"
"""The column that marks a file as one of our own reports."""

_REPORT_END: Final = b"_record,_line,_code,_field,_value,_message"
_PLAIN: Final = re.compile(rb'[^"\r\n]*')
_QUOTED: Final = re.compile(rb'"[^"]*"')
_ASCII_END: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the first record tells; ``body``: where the records begin.

    ``delimiter_source``: ``declared``, ``header``, or ``default`` for a single column. ``twice``:
    places in the file of a column that may stand there twice and does; ``names`` has it once.
    """

    names: tuple[str, ...]
    delimiter: str
    delimiter_source: str
    escaped: bool
    body: ReadPosition
    line: int | None = None
    byte: int | None = None
    twice: tuple[int, int] | None = None


def begins_report(head: bytes) -> bool:
    """Whether a text is a rejection file as we write them: UTF-8, commas, our columns last."""
    if _REPORT_END + b"\n" not in head and _REPORT_END + b"\r\n" not in head:
        return False
    return _outside_quotes(head.removeprefix(b"\xef\xbb\xbf")).endswith(_REPORT_END)


def read_columns(head: bytes, options: ReadOptions, limits: Limits, *, whole: bool) -> Columns:
    """The columns of a text that begins with ``head``, or is it where ``whole``.

    Blank lines before the first record are passed over. Without a header the names are those of
    ``options``. A text without any record has no names.

    Raises:
        FileRefused: a limit was met, the header is not UTF-8, or its quotes are wrong.
        OptionInvalid: the declared delimiter is not one ASCII character.
    """
    begin = len(head) - len(head.lstrip(b"\r\n"))
    delimiter, source = _choose_delimiter(head[begin:], options)
    if not options.has_header:
        return Columns(
            names=options.column_names,
            delimiter=delimiter,
            delimiter_source=source,
            escaped=options.escaped,
            body=ReadPosition(byte=0, line=1, record=0),
        )
    first = _FirstRecord(head, begin, delimiter, limits, whole=whole)
    cells = first.cells() if begin < len(head) else ()
    names = tuple(cell or "" for cell in cells)
    twice = _find_twice(names, options.repeatable_columns)
    if twice is not None:
        names = (*names[: twice[1]], *names[twice[1] + 1 :])
    escaped = options.escaped or RECORD_COLUMN in names
    return Columns(
        names=tuple(unescape(name) for name in names) if escaped else names,
        delimiter=delimiter,
        delimiter_source=source,
        escaped=escaped,
        body=first.end_position(),
        line=1 + find_line_ends(head[:begin]).size,
        byte=begin,
        twice=twice,
    )


def _find_twice(names: tuple[str, ...], repeatable: tuple[str, ...]) -> tuple[int, int] | None:
    """The first two places of the first column that may stand twice and does."""
    bare = [name.strip() for name in names]
    for second, name in enumerate(bare):
        if name in repeatable and name in bare[:second]:
            return bare.index(name), second
    return None


def _choose_delimiter(head: bytes, options: ReadOptions) -> tuple[str, str]:
    """The delimiter and why: declared, else the one that parts the first record most often.

    Without a header, one that gives the expected number of columns goes before a more frequent
    one.
    """
    if options.delimiter:
        return check_delimiter(options.delimiter), "declared"
    text = _outside_quotes(head)
    counts = {mark: text.count(mark.encode()) for mark in DELIMITERS}
    for mark, count in counts.items():
        if count and not options.has_header and count + 1 == len(options.column_names):
            return mark, "header"
    best = max(DELIMITERS, key=lambda mark: counts[mark])
    return best, "header" if counts[best] else "default"


def _outside_quotes(head: bytes) -> bytes:
    """The first record without its newline and what it has in quotes, up to one never closed."""
    plain = _plain_part(head)
    if not head.startswith(b'"', len(plain)):
        return plain
    return _plain_part(_QUOTED.sub(b"", head))


def _plain_part(text: bytes) -> bytes:
    """The text up to the first quote or newline."""
    found = _PLAIN.match(text)
    return found.group() if found else b""


def check_delimiter(delimiter: str) -> str:
    """The delimiter, if it can be one.

    Raises:
        OptionInvalid: it is not one ASCII character, or a quote or newline.
    """
    if len(delimiter) != 1 or ord(delimiter) >= _ASCII_END or delimiter in '"\r\n\0':
        raise OptionInvalid(
            "delimiter must be one ASCII character other than a quote or newline",
            parameter="delimiter",
        )
    return delimiter


class _FirstRecord:
    """The header record within ``head``; its end is found before anything is split."""

    def __init__(
        self, head: bytes, begin: int, delimiter: str, limits: Limits, *, whole: bool
    ) -> None:
        self._head = head
        self._begin = begin
        self._delimiter = delimiter
        self._limits = limits
        self._whole = whole
        self._end = begin

    def cells(self) -> Cells:
        text = self._text()
        self._end = self._begin + len(text)
        self._check_columns(text)
        self._check_quotes(text)
        try:
            record = text.rstrip(b"\r\n").decode()
        except UnicodeDecodeError as error:
            offset = self._begin + error.start
            raise self._refuse(
                "ENCODING_INVALID", offset, offset=offset, encoding="UTF-8"
            ) from error
        cells = split_record(record, self._delimiter)
        self._check_names(cells)
        return cells

    def end_position(self) -> ReadPosition:
        line = 1 + find_line_ends(self._head[: self._end]).size
        return ReadPosition(byte=self._end, line=line, record=0)

    def _text(self) -> bytes:
        """The record with its newline, the lines of a record still open at the end included."""
        head = self._head[self._begin :]
        long_at = first_long_line(head, len(head), self._limits.line_bytes)
        for end in find_line_ends(head[: long_at if long_at >= 0 else len(head)]).tolist():
            text = head[:end]
            if trace_quotes(text, find_quotes(text, end), ord(self._delimiter)).open_at < 0:
                return text
        return self._last_text(head, long_at)

    def _last_text(self, head: bytes, long_at: int) -> bytes:
        if long_at >= 0:
            self._check_columns(head)
            raise self._refuse(
                "LINE_TOO_LONG", self._begin + long_at, allowed=self._limits.line_bytes
            )
        if self._whole and find_cut(head, len(head), self._delimiter, whole=True):
            return head
        layout = trace_quotes(head, find_quotes(head, len(head)), ord(self._delimiter))
        raise self._refuse("QUOTE_UNCLOSED", self._begin + max(layout.open_at, 0))

    def _check_columns(self, text: bytes) -> None:
        count = _QUOTED.sub(b"", text).count(self._delimiter.encode()) + 1
        if count > self._limits.columns:
            raise self._refuse("TOO_MANY_COLUMNS", self._begin, allowed=self._limits.columns)

    def _check_quotes(self, text: bytes) -> None:
        layout = trace_quotes(text, find_quotes(text, len(text)), ord(self._delimiter))
        if layout.broken.size:
            raise self._refuse("QUOTE_INVALID", self._begin + int(layout.broken[0]))

    def _check_names(self, cells: Cells) -> None:
        allowed = self._limits.header_name_characters
        for column, cell in enumerate(cells, start=1):
            if len(cell or "") > allowed:
                raise self._refuse(
                    "HEADER_NAME_TOO_LONG", self._begin, column=column, allowed=allowed
                )

    def _refuse(self, code: str, byte: int, **parameters: object) -> FileRefused:
        line = 1 + find_line_ends(self._head[:byte]).size
        return file_refused(code, line=line, byte=byte, **parameters)
