"""Reads every row of a workbook; prints how many, and in how many seconds. Usage: FILE ours|bare.

``ours``: as the server does, up to tables of text. ``bare``: what python-calamine gives by itself.
"""

from __future__ import annotations

import sys
import time

from python_calamine import CalamineWorkbook

from waybill.formats.opening import open_reader
from waybill.model.limits import Limits
from waybill.ports.reader import ReadOptions


def main(file: str, way: str) -> None:
    """Read the first sheet."""
    began = time.perf_counter()
    rows = {"ours": count_ours, "bare": count_bare}[way](file)
    print(rows, time.perf_counter() - began)


def count_ours(file: str) -> int:
    """With the child, its limits and its scan."""
    reader = open_reader(file, ReadOptions(), Limits())
    return sum(reader.map_chunks(lambda chunk: chunk.records))


def count_bare(file: str) -> int:
    """Without anything of that."""
    return len(CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()) - 1


if __name__ == "__main__":
    main(*sys.argv[1:])
