"""The orders of the benchmark as a workbook, numbers and dates as such. Usage: FROM_CSV FILE."""

from __future__ import annotations

import csv
import sys
from datetime import datetime

import xlsxwriter

NUMBERS = frozenset({"quantity", "unit_price"})


def main(source: str, target: str) -> None:
    """Write the rows of a CSV file as a workbook of one sheet."""
    with (
        open(source, encoding="utf-8", newline="") as text,  # noqa: PTH123 - from the command line
        xlsxwriter.Workbook(target, {"constant_memory": True}) as book,
    ):
        sheet = book.add_worksheet("Orders")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        rows = csv.reader(text)
        names = next(rows)
        sheet.write_row(0, 0, names)
        for number, row in enumerate(rows, start=1):
            for column, (name, cell) in enumerate(zip(names, row, strict=True)):
                if name in NUMBERS and cell.replace(".", "").isdigit():
                    sheet.write_number(number, column, float(cell))
                elif name == "ordered_on" and cell != "2023-02-30":
                    sheet.write_datetime(number, column, datetime.fromisoformat(cell), day)
                elif cell:
                    sheet.write_string(number, column, cell)


if __name__ == "__main__":
    main(*sys.argv[1:])
