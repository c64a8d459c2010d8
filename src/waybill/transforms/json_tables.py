"""The tools that write JSON as a table of text: CSV and TSV."""

from __future__ import annotations

import re
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.transforms.excess import too_large
from waybill.transforms.joining import write_joined
from waybill.transforms.json_rows import decode_arrays, decode_objects, read_batches
from waybill.transforms.tool import PIECE_BYTES
from waybill.validation.json_structure import BACKSLASH, OPEN_BRACE, OPEN_BRACKET
from waybill.validation.record_index import QUOTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Source, Target

_decode_text: Final = msgspec.json.Decoder(str).decode


def json_to_csv(source: Source, target: Target, _options: Options, limits: Limits) -> None:
    """Write rows after RFC 4180, but with LF.

    See ``_write_table``.
    """
    _write_table(source, target, b",", limits)


def json_to_tsv(source: Source, target: Target, _options: Options, limits: Limits) -> None:
    """Write rows with tabs between cells; one that holds a tab, line break or quote is quoted."""
    _write_table(source, target, b"\t", limits)


def _write_table(source: Source, target: Target, delimiter: bytes, limits: Limits) -> None:
    """Write a header with all names in order of first sight, and each object as a row.

    Arrays are rows without a header; one object is one row; of an empty array nothing is written.
    Null, and a name that a row does not have, is an empty cell; what is nested is compact JSON;
    true, false and numbers are as they are written. A row of one empty cell is ``""``, for an empty
    line is no row to most readers. As names may come last, all rows lie in a temporary file before
    the first one is written. Memory: a few pieces.

    Raises:
        Refused: as ``read_batches``; ``PAYLOAD_TOO_LARGE`` for more names than ``limits.columns``.
    """
    cells = _Cells(delimiter)
    columns: dict[str, None] = {}
    are_objects = False
    with SpooledTemporaryFile(max_size=PIECE_BYTES) as spool:
        for batch, are_objects in read_batches(source, limits):
            if are_objects:
                _collect_names(columns, batch, limits.columns)
            spool.write(batch + b"\n")
        spool.seek(0)
        if are_objects:
            target.write(cells.header(columns))
        for batch in spool:
            lines = cells.of_objects(batch, columns) if are_objects else cells.of_arrays(batch)
            write_joined(lines, target)


def _collect_names(columns: dict[str, None], batch: bytes, most: int) -> None:
    for row in decode_objects(batch):
        if not row.keys() <= columns.keys():
            columns.update(dict.fromkeys(row))
            if len(columns) > most:
                message = f"The rows have more than {most} different names (limits.columns)."
                raise too_large(message)


class _Cells:
    """Rows as lines."""

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter
        self._special = re.compile(rb'[\r\n"' + delimiter + rb"]")

    def header(self, columns: Iterable[str]) -> bytes:
        """The line of the names."""
        return self._line([self._quoted(name.encode()) for name in columns])

    def of_objects(self, batch: bytes, columns: Iterable[str]) -> Iterator[bytes]:
        """The lines of rows that are objects."""
        return (self._line(self._row(map(row.get, columns))) for row in decode_objects(batch))

    def of_arrays(self, batch: bytes) -> Iterator[bytes]:
        """The lines of rows that are arrays."""
        return (self._line(self._row(row)) for row in decode_arrays(batch))

    def _line(self, cells: list[bytes]) -> bytes:
        if cells == [b""]:
            return b'""\n'
        return self._delimiter.join(cells) + b"\n"

    def _row(self, values: Iterable[msgspec.Raw | None]) -> list[bytes]:
        delimiter = self._delimiter
        cells = []
        for value in values:
            text = b"null" if value is None else bytes(value)
            first = text[0]
            if first == QUOTE:
                if BACKSLASH in text:
                    text = self._quoted(_decode_text(text).encode())
                elif delimiter not in text:  # otherwise it is quoted as it has to be
                    text = text[1:-1]
            elif text == b"null":
                text = b""
            elif first in {OPEN_BRACE, OPEN_BRACKET}:
                text = self._quoted(text)
            cells.append(text)
        return cells

    def _quoted(self, text: bytes) -> bytes:
        if self._special.search(text) is None:
            return text
        return b'"' + text.replace(b'"', b'""') + b'"'
