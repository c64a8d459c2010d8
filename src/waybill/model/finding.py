"""What is wrong with a record, a field or a file, and exactly where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

KIND_LETTERS: Final[Mapping[str, str]] = {
    "s": "string",
    "n": "number",
    "b": "boolean",
    "o": "object",
    "a": "array",
    "-": "absent",
}
"""The kinds of cells as the master list has them: one letter each."""


class Level(StrEnum):
    """How grave a finding is: only errors reject."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with one record.

    ``field``: declared name, ``None`` for the record as a whole. ``column``: index in the file
    from 1, ``None`` where the file has no such column. ``value``: the raw text, masked for secret
    fields, ``None`` where there is none. ``cell``: place in a workbook
    (``Stores!F17``). ``pointer``: JSON Pointer in JSON, XPath in XML.
    """

    code: str
    level: Level
    message: str
    field: str | None = None
    column: int | None = None
    value: str | None = None
    expected: str | None = None
    hint: str | None = None
    cell: str | None = None
    pointer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One rejected record.

    ``record`` counts from 1 without the header, ``line`` physical lines from 1 with it, ``byte``
    from 0 in the decoded text, ``None`` in formats that are no text. ``cells``: raw values in file
    order, ``None`` where a cell is empty and unquoted; shorter or longer than the header where the
    record is ragged. ``kinds``: in typed formats the letter of each cell in ``KIND_LETTERS``, or a
    point for null and for text that stands for any value; empty where the format knows no kinds.
    """

    record: int
    line: int
    byte: int | None
    cells: tuple[str | None, ...]
    findings: tuple[Finding, ...]
    kinds: str = ""

    def kind_of(self, place: int) -> str | None:
        """The kind of the cell at a place, a value of ``KIND_LETTERS``; ``None``: just text."""
        return KIND_LETTERS.get(self.kinds[place : place + 1])


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWarning:
    """Something odd about the file as a whole that stops nothing; ``count``: how often."""

    code: str
    message: str
    field: str | None = None
    column: int | None = None
    count: int = 1
    lines: tuple[int, ...] = ()
