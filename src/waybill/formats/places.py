"""Where findings stand in formats that have more than lines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlsxwriter.utility import quote_sheetname, xl_col_to_name

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from waybill.model.finding import Finding, Rejection


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerPlaces:
    """Pointers to the parts of records.

    A record's own is its number, that of the first one being ``first``, between ``before`` and
    ``after``. ``steps``: what leads from there to each column; a place inside of a value follows.
    """

    before: str
    first: int
    after: str
    steps: Sequence[str]

    def placed(self, rejection: Rejection) -> Rejection:
        """See ``Places.placed``."""
        record = f"{self.before}{rejection.record - 1 + self.first}{self.after}"
        findings = tuple(
            replace(finding, pointer=record + _step(self.steps, finding) + (finding.pointer or ""))
            for finding in rejection.findings
        )
        return replace(rejection, findings=findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPlaces:
    """Cells of one sheet, whose rows are the lines; ``first_column`` counts from 0."""

    sheet: str
    first_column: int

    def placed(self, rejection: Rejection) -> Rejection:
        """See ``Places.placed``; a record as a whole is its row, such as ``Stores!17:17``."""
        findings = tuple(
            replace(finding, cell=self._cell(rejection.line, finding.column))
            for finding in rejection.findings
        )
        return replace(rejection, findings=findings)

    def _cell(self, row: int, column: int | None) -> str:
        cell = f"{row}:{row}" if column is None else f"{self._letters(column)}{row}"
        return f"{quote_sheetname(self.sheet)}!{cell}"

    def _letters(self, column: int) -> str:
        letters: str = xl_col_to_name(self.first_column + column - 1)
        return letters


def json_places(array: str, names: Sequence[str], paths: Container[str] = ()) -> PointerPlaces:
    """JSON Pointers (RFC 6901) below the array at the pointer ``array``.

    ``paths``: names of columns that are pointers themselves.
    """
    steps = [name if name in paths else f"/{escape_token(name)}" for name in names]
    return PointerPlaces(before=f"{array}/", first=0, after="", steps=steps)


def escape_token(name: str) -> str:
    """A member's name as one token of a JSON Pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _step(steps: Sequence[str], finding: Finding) -> str:
    column = finding.column
    return steps[column - 1] if column is not None and column <= len(steps) else ""
