"""Which columns a report for people has, and what stands in them.

The original columns in their order and spelling come first, then ``_record``, ``_line``,
``_code``, ``_field``, ``_value`` and ``_message``. Columns that an earlier report had added to the
input are left out, so that a report sent in again gives a report of the same shape.

A record with several findings has one part per finding in each of the last four columns, joined by
``; ``: the first part of each column speaks of the first finding, and so on. A part that holds a
semicolon, a quote or a line break is then put in double quotes, its own quotes doubled, as CSV
does; so the parts can be told apart again. One finding alone is written as it is.

Every text is escaped against formulas on the way out: what came from the file by the reversible
rule of ``validation/formula.py``, our own messages by ``escape_message``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from waybill.validation.formula import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.model.finding import Finding, Rejection

REPORT_COLUMNS: Final = ("_record", "_line", "_code", "_field", "_value", "_message")
"""Columns that a report adds, known and skipped when it is sent in again."""

ADDED_COLUMNS: Final = frozenset({*REPORT_COLUMNS, "_outcome"})
"""Every column that Waybill adds to a file of its own."""

NOTE_OF_LENGTH: Final = (
    "[{size} characters are more than a cell of XLSX holds; "
    "the CSV and JSON reports have the whole value]"
)
"""What stands in a workbook in the place of a text that no cell holds."""

IS_NOTE_OF_LENGTH: Final = re.compile(
    re.escape(NOTE_OF_LENGTH).replace(re.escape("{size}"), "[0-9]+")
)
"""The same coming back: not the value."""

_RAGGED: Final = "FIELD_COUNT"
_UNSAFE_PART = re.compile(r'[;"\r\n]')


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one report; ``kept`` are the places of the original cells in a record."""

    columns: tuple[str, ...]
    kept: tuple[int, ...]
    width: int

    def cells(self, rejection: Rejection) -> list[str | None]:
        """The original cells, one per original column; ``None`` where a short record has none."""
        cells = rejection.cells
        if len(cells) == self.width == len(self.kept):
            return list(cells)
        return [cells[place] if place < len(cells) else None for place in self.kept]

    def surplus(self, rejection: Rejection) -> tuple[str | None, ...]:
        """The cells that a long record has beyond the header."""
        return rejection.cells[self.width :]

    def verdict(self, rejection: Rejection) -> tuple[str, str | None, str | None, str]:
        """What is wrong: code, field, value and message, nothing escaped yet."""
        findings = rejection.findings
        values = self._values(rejection)
        if len(findings) == 1:
            only = findings[0]
            return only.code, only.field, values[0], only.message
        return (
            _join([finding.code for finding in findings]),
            _join([finding.field for finding in findings]),
            _join(values),
            _join([finding.message for finding in findings]),
        )

    def _values(self, rejection: Rejection) -> list[str | None]:
        """The findings' values; a ragged record's finding shows the cells that have no column."""
        surplus = self.surplus(rejection)
        if not surplus:
            return [finding.value for finding in rejection.findings]
        return [_value_or_surplus(finding, surplus) for finding in rejection.findings]


def lay_out(columns: Sequence[str]) -> Layout:
    """The layout of a report about a file with these columns."""
    kept = tuple(place for place, name in enumerate(columns) if name not in ADDED_COLUMNS)
    return Layout(tuple(columns[place] for place in kept), kept, len(columns))


def escape_message(message: str) -> str:
    """A message that no spreadsheet takes for a formula.

    Messages are skipped when a report comes back, so a leading apostrophe, which many have as a
    quotation mark, needs no second one.
    """
    return message if message.startswith("'") else escape(message)


def _value_or_surplus(finding: Finding, surplus: Sequence[str | None]) -> str | None:
    if finding.code != _RAGGED or finding.value is not None:
        return finding.value
    return _join(surplus)


def _join(parts: Sequence[str | None]) -> str:
    return "; ".join(_quote_part(part or "") for part in parts)


def _quote_part(part: str) -> str:
    if not _UNSAFE_PART.search(part):
        return part
    return '"' + part.replace('"', '""') + '"'
