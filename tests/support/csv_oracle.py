"""Reads CSV one letter at a time: slow, plain, and by no code of ours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """A record as it should come back: ``None`` for an empty cell without quotes."""

    cells: tuple[str | None, ...]
    line: int
    byte: int


class QuoteOpen(Exception):
    """A quote is never closed; ``records`` stand before the one that has it."""

    def __init__(self, records: list[tuple[Expected, bool]]) -> None:
        super().__init__("a quote is never closed")
        self.records = records


def letter_by_letter(text: str, delimiter: str) -> list[tuple[Expected, bool]]:
    """The records of any text, and whether text follows a closing quote in them.

    Raises:
        QuoteOpen: as it says.
    """
    letters = _Letters(text, delimiter)
    records: list[tuple[Expected, bool]] = []
    line, byte = 1, 0
    while letters.at < len(text):
        begin = letters.at
        try:
            cells, is_broken = letters.record()
        except IndexError:
            raise QuoteOpen(records) from None
        if letters.at > begin:
            records.append((Expected(tuple(cells), line, byte), is_broken))
        letters.newline()
        passed = text[begin : letters.at]
        line += passed.replace("\r\n", "\n").replace("\r", "\n").count("\n")
        byte += len(passed.encode())
    return records


@dataclass
class _Letters:
    text: str
    delimiter: str
    at: int = 0

    def record(self) -> tuple[list[str | None], bool]:
        """The cells up to the newline, and whether text follows a closing quote."""
        cells, broken = [], False
        while True:
            cell, is_broken = self._cell()
            cells.append(cell)
            broken |= is_broken
            if self.text[self.at : self.at + 1] != self.delimiter:
                return cells, broken
            self.at += 1

    def newline(self) -> None:
        self.at += 2 if self.text.startswith("\r\n", self.at) else 1

    def _cell(self) -> tuple[str | None, bool]:
        is_quoted = self.text.startswith('"', self.at)
        cell = self._quoted() if is_quoted else ""
        begin = self.at
        while self.at < len(self.text) and self.text[self.at] not in self.delimiter + "\r\n":
            self.at += 1
        cell += self.text[begin : self.at]
        return (cell if is_quoted or cell else None), is_quoted and self.at > begin

    def _quoted(self) -> str:
        cell = ""
        self.at += 1
        while self.text[self.at] != '"' or self.text.startswith('""', self.at):
            self.at += self.text[self.at] == '"'
            cell += self.text[self.at]
            self.at += 1
        self.at += 1
        return cell
