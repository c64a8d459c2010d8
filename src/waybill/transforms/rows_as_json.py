"""Rows of text as the text of a JSON array, laid out as ``json.dumps`` does."""

from __future__ import annotations

import json
from functools import cached_property
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.transforms.tool import Target

_FIRST_PLAIN: Final = 0x20
_CONTROLS: Final = [(chr(code), encode_basestring(chr(code))[1:-1]) for code in range(_FIRST_PLAIN)]


class JsonLayout:
    """Where lines break: ``tab_space`` spaces a level, 0 for one line."""

    def __init__(self, tab_space: int) -> None:
        self.row_break = "\n" + " " * tab_space if tab_space else ""
        self.cell_break = "\n" + " " * 2 * tab_space if tab_space else ""
        comma = "," if tab_space else ", "
        self.between_rows = comma + self.row_break
        self.between_cells = comma + self.cell_break
        self.end = "\n]" if tab_space else "]"


class JsonRows:
    """Makes the text of rows with so many cells; each row begins with what parts it.

    Objects with ``keys``, or arrays without any.
    """

    def __init__(self, layout: JsonLayout, keys: Sequence[str], width: int) -> None:
        names = [json.dumps(key, ensure_ascii=False) + ": " for key in keys] or [""] * width
        opening, closing = "{}" if keys else "[]"
        first = layout.between_rows + opening + layout.cell_break
        self._before = [first + names[0], *(layout.between_cells + name for name in names[1:])]
        self._after = layout.row_break + closing
        self.width = width
        self.row_bytes = sum(len(text.encode()) for text in self._before)

    def of_cells(self, cells: Sequence[str]) -> str:
        """The text of one row; missing cells are empty."""
        filled = [*map(encode_basestring, cells), *['""'] * (self.width - len(cells))]
        pairs = zip(self._before, filled, strict=True)
        return "".join([text for pair in pairs for text in pair]) + self._after

    def of_columns(self, columns: Sequence[pa.Array[Any]]) -> bytes:
        """The text of many rows; their memory is some times that of the text."""
        escaped = map(_escape, columns)
        parts = [part for pair in zip(self._between, escaped, strict=False) for part in pair]
        join: Any = pc.binary_join_element_wise
        return _content(join(*parts, *self._between[-2:])).tobytes()

    @cached_property
    def _between(self) -> Sequence[pa.StringScalar]:
        """What stands before each value, behind the last one, and the nothing that parts them all.

        Taken from an array: ``pa.scalar`` looks for a library on disk each time.
        """
        first, *others = self._before
        texts = [first + '"', *(f'"{before}"' for before in others), '"' + self._after, ""]
        return list(pa.array(texts, pa.string()))


class JsonArrayWriter:
    """Writes an array of rows that come from ``JsonRows``."""

    def __init__(self, target: Target, layout: JsonLayout) -> None:
        self._target = target
        self._layout = layout
        self._is_empty = True

    def write(self, rows: bytes) -> None:
        """Write further rows: one at least."""
        if self._is_empty:
            self._target.write(b"[" + self._layout.row_break.encode())
            rows = rows[len(self._layout.between_rows) :]
            self._is_empty = False
        self._target.write(rows)

    def end(self) -> None:
        """Close the array."""
        self._target.write(b"[]" if self._is_empty else self._layout.end.encode())


def _content(column: pa.Array[Any]) -> np.ndarray:
    """The bytes of all values of a text column, one behind the other."""
    buffers: Any = column.buffers()
    if buffers[2] is None:
        return np.empty(0, np.uint8)
    bounds = np.frombuffer(buffers[1], np.int32)
    first, last = int(bounds[column.offset]), int(bounds[column.offset + len(column)])
    return np.frombuffer(buffers[2], np.uint8, count=last)[first:]


def _escape(column: pa.Array[Any]) -> pa.Array[Any]:
    """The column as it stands between the quotes of JSON."""
    content = _content(column)
    text = content.tobytes()
    escapes = [(mark, "\\" + mark) for mark in ("\\", '"') if mark.encode() in text]
    if content.size and content.min() < _FIRST_PLAIN:
        escapes += [(mark, code) for mark, code in _CONTROLS if mark.encode() in text]
    for mark, code in escapes:
        column = pc.replace_substring(column, mark, code)
    return column
