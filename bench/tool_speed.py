"""A file tool, and one call of a library that does the same, on data that is in memory.

Usage: TOOL FILE. Prints the seconds of both.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import msgspec

from waybill.model.limits import Limits
from waybill.transforms.tool import Options
from waybill.transforms.tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Callable


class Discarded:
    """A target that keeps nothing."""

    def write(self, data: bytes) -> int:
        """Take the bytes."""
        return len(data)


def ours(tool: str, data: bytes) -> None:
    """Run the tool."""
    options = Options(tab_space=int(str(TOOLS[tool].takes["tab_space"])))
    TOOLS[tool].action(io.BytesIO(data), Discarded(), options, Limits())


def format_json(_file: Path, data: bytes) -> None:
    """Lay out a JSON document."""
    msgspec.json.format(data, indent=1)


def csv_to_json(file: Path, _data: bytes) -> None:
    """Read a CSV file, all as text, and write a JSON array; DuckDB reads files alone."""
    with tempfile.NamedTemporaryFile(suffix=".json") as target, duckdb.connect() as connection:
        rows = f"read_csv('{file}', all_varchar = true)"
        connection.sql(f"COPY (FROM {rows}) TO '{target.name}' (FORMAT json, ARRAY true)")


CALLS: dict[str, Callable[[Path, bytes], None]] = {
    "json-formatter": format_json,
    "csv-to-json": csv_to_json,
}


def main(tool: str, file: str) -> None:
    """Measure both."""
    data = Path(file).read_bytes()
    began = time.perf_counter()
    ours(tool, data)
    between = time.perf_counter()
    CALLS[tool](Path(file), data)
    print(between - began, time.perf_counter() - between)


if __name__ == "__main__":
    main(*sys.argv[1:])
