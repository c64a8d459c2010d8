"""Reads the first sheet of a workbook with lxml and the standard alone: ECMA-376 part 1, 18.3."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree
from xlsxwriter.utility import xl_cell_to_rowcol

from workbooks import SHEET, STRINGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Element = Any

_XML = "{http://www.w3.org/XML/1998/namespace}"
_READ_BY_OTHERS = ("xmlns", "amespace", "QName", "Unsupported encoding", "declaration")
_KINDS = frozenset({"n", "b", "d", "e", "s", "str", "inlineStr"})
_PARTS: tuple[list[str], ...] = ([], ["v"], ["f"], ["f", "v"], ["is"])
_ADDRESS = re.compile(r"[A-Z]{1,3}[0-9]{1,7}")


class Damaged(Exception):
    """Not a workbook that says what it holds: it must be refused."""


class Unusual(Exception):
    """A workbook of which the standard does not say what it holds: may be refused or read."""


@dataclass(frozen=True)
class SheetCell:
    """``kind`` is that of the attribute ``t``; an ``odd`` cell has no value that can be read."""

    kind: str
    text: str
    odd: str = ""


def cells_of_package(content: bytes) -> dict[int, dict[int, SheetCell]]:
    """The cells with something in them, by row (from 1) and column (from 0)."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            sheet = package.read(SHEET)
            strings = package.read(STRINGS) if STRINGS in package.namelist() else b"<sst/>"
    except (zipfile.BadZipFile, KeyError, zlib.error, NotImplementedError, OSError) as error:
        raise Damaged(str(error)) from error
    table = _root(strings)
    if any(_name(each) != "si" for each in table):
        raise Unusual("other elements among the shared strings")
    shared = [_inline(each) for each in table]
    rows: dict[int, dict[int, SheetCell]] = {}
    for row, column, cell in _cells(_root(sheet)):
        known = rows.setdefault(row, {})
        if column in known:
            raise Unusual("two cells in one place")
        known[column] = _read(cell, shared)
    held = {
        row: {column: cell for column, cell in cells.items() if cell.text or cell.odd}
        for row, cells in sorted(rows.items())
    }
    return {row: cells for row, cells in held.items() if cells}


def _root(text: bytes) -> Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    try:
        return etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        is_unusual = any(words in str(error) for words in _READ_BY_OTHERS) or (
            text.startswith(b"<?xml") and error.lineno == 1 and error.offset <= text.find(b"?>") + 2
        )  # a declaration says nothing of what is in the sheet
        raise (Unusual if is_unusual else Damaged)(str(error)) from error


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _only(element: Element, name: str) -> None:
    if _name(element) != name:
        raise Unusual(f"{_name(element)} where {name} should be")


def _cells(root: Element) -> Iterator[tuple[int, int, Any]]:
    _only(root, "worksheet")
    number = 0
    data = [each for each in root if _name(each) == "sheetData"]
    if len(data) != 1 or len(list(root.iter("{*}c", "c"))) != sum(map(len, data[0])):
        raise Unusual("cells outside of rows")
    for row in data[0]:
        _only(row, "row")
        said = row.get("r", str(number + 1))
        if not re.fullmatch("[0-9]{1,7}", said):
            raise Unusual("a row whose number is none")
        number = int(said)
        column = -1
        for cell in row:
            _only(cell, "c")
            address = cell.get("r")
            if address is None:
                column += 1
            elif not _ADDRESS.fullmatch(address):
                raise Unusual("an address that is none")
            else:
                at, column = xl_cell_to_rowcol(address)
                if at + 1 != number:
                    raise Unusual("a cell of another row")
            yield number, column, cell


def _read(cell: Element, shared: list[str]) -> SheetCell:
    kind, parts = cell.get("t", "n"), {_name(each): each for each in cell}
    _refuse_unusual(cell, kind, parts)
    value = parts.get("v")
    text = "" if value is None else value.text or ""
    match kind:
        case "e":
            return SheetCell(kind, text, "CELL_ERROR")
        case "inlineStr":
            return SheetCell(kind, _inline(parts["is"]))
        case "s" if text:
            return SheetCell("str", _shared(text, shared))
        case "n" | "b" | "d" | "s" if "f" in parts and not text:
            return SheetCell(kind, text, "FORMULA_NOT_CALCULATED")
        case _:
            return SheetCell(kind, text)


def _refuse_unusual(cell: Element, kind: str, parts: dict[str, Element]) -> None:
    """Let the cells pass that the standard describes."""
    if kind not in _KINDS:
        raise Unusual("a kind of cell that is none")
    if len(parts) != len(cell) or list(parts) not in _PARTS:
        raise Unusual("a cell with more in it")
    if (list(parts) == ["is"]) != (kind == "inlineStr"):
        raise Unusual("text of its own in a cell of another kind")
    value = parts.get("v")
    if value is not None and (len(value) or value.keys()):
        raise Unusual("a value with elements in it")


def _shared(text: str, shared: list[str]) -> str:
    if not re.fullmatch("[0-9]{1,9}", text) or int(text) >= len(shared):
        raise Damaged("no such shared string")
    return shared[int(text)]


def _inline(element: Element) -> str:
    """One text, or several runs of it; what says how to pronounce it is no part of it."""
    parts = [each for each in element if _name(each) not in {"rPh", "phoneticPr"}]
    names = [_name(each) for each in parts]
    if names == ["t"]:
        texts = parts
    elif set(names) <= {"r"}:
        texts = [text for run in parts for text in _texts_of_run(run)]
    else:
        raise Unusual("a string of other parts")
    if any(len(each) for each in texts):
        raise Unusual("a text with elements in it")
    return "".join(map(_spaced, texts))


def _texts_of_run(run: Element) -> list[Element]:
    texts = [each for each in run if _name(each) == "t"]
    if len(texts) != 1 or any(_name(each) not in {"rPr", "t"} for each in run):
        raise Unusual("a run of other parts")
    return texts


def _spaced(element: Element) -> str:
    """Space around a text counts only where it is said to: XML 1.0, section 2.10."""
    text = element.text or ""
    return text if element.get(f"{_XML}space") == "preserve" else text.strip(" \t\r\n")
