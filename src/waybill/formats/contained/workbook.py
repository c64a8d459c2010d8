"""XLSX workbooks: one sheet as a table, looked over before the library opens it.

Source: ECMA-376 part 1 (SpreadsheetML) and part 2 (packages).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import python_calamine

from waybill.formats.contained.archive import is_workbook, read_directory
from waybill.formats.contained.batches import is_large, record_too_long, send_batch, send_table
from waybill.formats.contained.cells import cell_texts, column_of
from waybill.formats.contained.odd_cells import find_odd_cells
from waybill.formats.contained.protocol import BatchFacts, Fault, Table, Warned
from waybill.formats.contained.second_thread import SECOND_THREAD
from waybill.formats.contained.sheet_extent import find_extent
from waybill.formats.contained.source import seekable
from waybill.formats.contained.workbook_parts import Parts
from waybill.formats.header import RECORD_COLUMN
from waybill.reports.layout import IS_NOTE_OF_LENGTH
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from waybill.formats.contained.odd_cells import OddCell
    from waybill.formats.contained.protocol import Task
    from waybill.formats.contained.workbook_parts import Sheet

    Row = list[Any]

_EMPTY: Final = ""


def read(task: Task, output: BinaryIO) -> None:
    """Send the chosen sheet as a table."""
    with seekable(task) as file:
        parts = _parts(task, file)
        parts.check()
        sheet = parts.find_sheet(task.sheet)
        extent = find_extent(parts.unchecked(sheet.part), task.limits)
        warned = _warnings(parts)
        finding = SECOND_THREAD.run(
            lambda: find_odd_cells(parts.pieces(sheet.part), is_regular=extent.is_regular)
        )
        try:
            loaded = _load(file, sheet)
        finally:
            odd = finding.result()  # what is wrong with the XML says more than the library does
        table = _SheetTable(task, loaded, odd, extent.last_row, warned, output)
        table.send(_rows(loaded, odd))


def _parts(task: Task, file: BinaryIO) -> Parts:
    members = read_directory(file, task.limits)
    if not is_workbook(members):
        found = "a zip archive inside packed data, or without a workbook's parts"
        accepted = "the archive or the workbook itself"
        raise file_refused("UNSUPPORTED_FORMAT", found=found, accepted=accepted)
    return Parts(file, members, task.limits)


def _warnings(parts: Parts) -> tuple[Warned, ...]:
    count = parts.external_references()
    return (Warned(code="EXTERNAL_REFERENCE", count=count),) if count else ()


def _load(file: BinaryIO, sheet: Sheet) -> python_calamine.CalamineSheet:
    """The sheet, all its values in memory."""
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(f"/proc/self/fd/{file.fileno()}")
        return workbook.get_sheet_by_name(sheet.name)
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise file_refused("XLSX_INVALID", reason=str(error)[:200]) from error


def _rows(loaded: python_calamine.CalamineSheet, odd: Mapping[int, OddCell]) -> Iterator[Row]:
    """All rows of the sheet from row 1, blank ones included; cells from its first used column.

    Rows behind the last value that have only odd cells are blank ones.
    """
    last = loaded.end[0] + 1 if loaded.end else 0
    try:
        yield from loaded.iter_rows()
    except (OverflowError, ValueError) as error:
        reason = "a cell holds a time or duration that is too large to be one"
        raise file_refused("XLSX_INVALID", reason=reason) from error
    blank: Row = [_EMPTY] * loaded.width
    yield from (blank for _ in range(last, max(odd, default=0)))


class _SheetTable:
    """Sends the rows of one sheet."""

    def __init__(
        self,
        task: Task,
        loaded: python_calamine.CalamineSheet,
        odd: Mapping[int, OddCell],
        last_row: int,
        warned: tuple[Warned, ...],
        output: BinaryIO,
    ) -> None:
        self._task = task
        self._name = loaded.name
        self._first_column = loaded.start[1] if loaded.start else 0
        self._odd = odd
        self._last_row = last_row
        self._warned = warned
        self._output = output
        self._width = 0
        self._is_report = False

    def send(self, rows: Iterator[Row]) -> None:
        """Send header and rows."""
        numbered = enumerate(rows, start=1)
        names, line = self._names(numbered)
        self._width = len(names)
        self._is_report = RECORD_COLUMN in names
        send_table(
            self._output,
            Table(
                names=names,
                facts={"format": "xlsx", "sheet": self._name},
                line=line,
                first_column=self._first_column,
                warnings=self._warned,
            ),
        )
        while part := list(islice(numbered, self._task.batch_rows)):
            self._send_rows(part)

    def _names(self, numbered: Iterator[tuple[int, Row]]) -> tuple[tuple[str, ...], int | None]:
        """The names of the columns, and the row they stand in; takes the rows up to there."""
        if not self._task.has_header:
            return self._task.column_names, None
        for number, row in numbered:
            is_header = number == self._task.header_row or not self._task.header_row
            if is_header and number in self._odd:
                found = self._odd[number].value or "a formula without a result"
                reason = f"the name of a column in row {number} is {found[:80]!r}"
                raise file_refused("XLSX_INVALID", reason=reason)
            if is_header and any(value != _EMPTY for value in row):
                names = [text or "" for text in cell_texts(row)]
                while not names[-1]:
                    names.pop()
                return tuple(names), number
            if number == self._task.header_row:
                break
        if self._task.header_row:
            raise file_refused("HEADER_ROW_EMPTY", row=self._task.header_row)
        return (), None

    def _send_rows(self, part: Sequence[tuple[int, Row]]) -> None:
        """Send those of the rows that are not blank."""
        blank, odd = [_EMPTY] * len(part[0][1]), self._odd
        kept = [(number, row) for number, row in part if row != blank or number in odd]
        faults = tuple(self._faults(kept))
        faulty = {fault.record for fault in faults}
        good = [each for at, each in enumerate(kept) if at not in faulty] if faulty else kept
        columns = self._columns([row for _, row in good])
        if is_large([text for text, _ in columns]):
            if len(part) > 1:
                half = len(part) // 2
                self._send_rows(part[:half])
                self._send_rows(part[half:])
                return
            faults = (record_too_long(0, part[0][0], self._task.limits),)
            columns, good = self._columns([]), []
        send_batch(
            self._output,
            BatchFacts(records=len(kept), input_bytes=self._consumed(part[-1][0]), faults=faults),
            [text for text, _ in columns],
            [kind for _, kind in columns],
            [number for number, _ in good],
        )

    def _columns(self, rows: Sequence[Row]) -> list[tuple[Any, Any]]:
        values = list(zip(*rows, strict=True))[: self._width]
        empty: tuple[Any, ...] = (_EMPTY,) * len(rows)
        values += [empty] * (self._width - len(values))
        return [column_of(column) for column in values]

    def _faults(self, rows: Sequence[tuple[int, Row]]) -> Iterator[Fault]:
        """The rows with more cells than the header, or with a cell that has no value."""
        width, odd = self._width, self._odd
        is_wide = bool(rows) and len(rows[0][1]) > width
        if not (odd or is_wide or self._is_report):
            return
        for at, (number, row) in enumerate(rows):
            if number in odd:
                yield self._odd_fault(at, number, row)
            elif self._is_report and (place := _note_in(row)) is not None:
                yield Fault(
                    record=at,
                    line=number,
                    code="NOT_MENDED",
                    cells=tuple(cell_texts(row)),
                    column=place + 1,
                    value=row[place],
                )
            elif is_wide and any(value != _EMPTY for value in row[width:]):
                cells = _trimmed(cell_texts(row))
                parameters: dict[str, str | int] = {"found": len(cells), "expected_count": width}
                yield Fault(
                    record=at,
                    line=number,
                    code="FIELD_COUNT",
                    cells=tuple(cells),
                    parameters=parameters,
                )

    def _odd_fault(self, at: int, number: int, row: Row) -> Fault:
        """The fault of the first odd cell of a row."""
        cell = self._odd[number]
        place = cell.column - self._first_column
        cells = cell_texts(row)
        if place >= 0:
            cells += [None] * (place + 1 - len(cells))
            cells[place] = cell.value or None
        return Fault(
            record=at,
            line=number,
            code=cell.code,
            cells=tuple(cells[: max(self._width, place + 1)]),
            column=place + 1 if place >= 0 else None,
            value=cell.value or None,
        )

    def _consumed(self, row: int) -> int:
        """About how much of the stored file the rows up to there are."""
        return self._task.stored_bytes * row // max(row, self._last_row)


def _trimmed(cells: list[str | None]) -> list[str | None]:
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def _note_in(row: Row) -> int | None:
    """The place of a note that one of our reports has instead of a value too long for a cell."""
    for place, value in enumerate(row):
        if type(value) is str and value.startswith("[") and IS_NOTE_OF_LENGTH.fullmatch(value):
            return place
    return None
