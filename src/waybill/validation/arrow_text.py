"""Quick looks at the bytes of text columns, without making a Python object per cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator

    TextColumn: TypeAlias = pa.ChunkedArray[pa.StringScalar]
    Bytes: TypeAlias = np.ndarray[tuple[int], np.dtype[np.uint8]]

INVISIBLE: Final = r"[\x{00AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{FEFF}]"
"""RE2: characters that take no room or turn the reading direction."""

_NIBBLES: Final = np.zeros(256, dtype=np.uint8)
_NIBBLES[list(b"0123456789abcdef")] = range(16)


def empty_rows(columns: int, *, is_typed: bool) -> pa.Table:
    """A table of raw cells without rows; see ``ports/reader.py``."""
    table = {f"c{index}": pa.array([], pa.string()) for index in range(columns)}
    kinds = {f"k{index}": pa.array([], pa.uint8()) for index in range(columns) if is_typed}
    return pa.table({**table, **kinds})


def column_bytes(column: TextColumn) -> Iterator[Bytes]:
    """The bytes of all cells, joined; more than those where the column is a slice."""
    for array in column.chunks:
        data = array.buffers()[2]
        if data is not None and data.size:
            yield np.frombuffer(memoryview(data), dtype=np.uint8)


def rows_matching(column: TextColumn, pattern: str) -> np.ndarray:
    """Row numbers of the cells in which the RE2 pattern occurs."""
    found: Any = pc.match_substring_regex(column, pattern)
    return np.flatnonzero(found.fill_null(False).to_numpy())  # noqa: FBT003 - the value to fill in


def rows_longer(column: TextColumn, size_bytes: int) -> np.ndarray:
    """Row numbers of the cells of more bytes than that."""
    if sum(len(data) for data in column_bytes(column)) <= size_bytes:
        return np.empty(0, dtype=np.int64)
    lengths: np.ndarray = pc.binary_length(column).to_numpy()
    return np.flatnonzero(np.nan_to_num(lengths) > size_bytes)


def leading_int64(column: TextColumn) -> np.ndarray:
    """The first 16 of the hexadecimal digits of each cell as a big-endian int64.

    All cells have one length and none is null.
    """
    parts = [_leading_int64(array) for array in column.chunks if len(array)]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def blank_to_null(column: TextColumn) -> TextColumn:
    """The column with empty cells as nulls; the same object where there are none."""
    shortest = pc.min(pc.binary_length(column)).as_py()
    if shortest != 0:
        return column
    blank = pc.equal(column, pa.scalar("", column.type))
    nulled: TextColumn = pc.if_else(blank, pa.scalar(None, column.type), column)
    return nulled


def _leading_int64(array: pa.Array[pa.StringScalar]) -> np.ndarray:
    data = np.frombuffer(memoryview(array.buffers()[2] or b""), dtype=np.uint8)
    digits = len(array[0].as_py() or "")
    start = array.offset * digits
    cells = data[start : start + len(array) * digits].reshape(len(array), digits)
    nibbles = _NIBBLES[cells[:, : 2 * np.dtype(np.int64).itemsize]]
    whole = np.ascontiguousarray(nibbles[:, 0::2] << 4 | nibbles[:, 1::2])
    return whole.view(">i8").ravel().astype(np.int64)
