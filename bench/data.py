"""The file of the benchmark: orders, the same bytes for the same number of rows.

Twelve columns, about 133 bytes a row (2 M rows: 267 MB). Keys rise as an order counter's do, with a
few given twice. Some cells are quoted and hold commas, some are empty. One row in a hundred breaks
one of eight rules of ``orders.json``, each as often as the others. As NDJSON and as a JSON array
the same rows have numbers and booleans of their types, where the cell is one.
Usage: data.py FILE ROWS; the name of the file ends in .csv, .ndjson or .json.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Texts = pa.StringArray

BLOCK_ROWS: Final = 250_000
ROWS_PER_BAD_ONE: Final = 100
ROWS_PER_DUPLICATE: Final = 100_000
FIRST_DAY: Final = np.datetime64("2021-01-01")
FAMILIES: Final = [
    "Berg",
    "Costa",
    "Duval",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ivanova",
    "Jensen",
    "Kowalski",
]
GIVEN: Final = [
    "Ada",
    "Bo",
    "Carla",
    "Dmitri",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Katja",
    "Liam",
]
SKUS: Final = ["ABC", "LMN", "QRS", "TUV", "XYZ"]
COLOURS: Final = ["BK", "WH", "RD", "GN", "BL"]
CURRENCIES: Final = ["EUR", "USD", "GBP", "SEK", "JPY"]
STATUSES: Final = ["new", "paid", "packed", "shipped", "returned"]
COUNTRIES: Final = ["DE", "FR", "SE", "US", "GB", "JP", "ES", "IT", "PL", "TR"]
NOTES: Final = (
    "",
    "",
    "leave with neighbour",
    '"ring twice, then call"',
    '"side door, second floor, left"',
    '"asked for the ""blue"" one, not the green"',
    "no substitutes",
    '"Zustellung erst nach 18 Uhr, Grüße"',
)
HEADER: Final = (
    "order_id,customer,email,sku,quantity,unit_price,currency,status,ordered_on,country,gift,note\n"
)
COLUMNS: Final = HEADER.strip().split(",")
FAULTS: Final[Sequence[tuple[str, str]]] = (
    ("customer", ""),
    ("sku", "abc-1234"),
    ("quantity", "1000"),
    ("unit_price", '"12,50"'),
    ("currency", "XXX"),
    ("ordered_on", "2023-02-30"),
    ("gift", "maybe"),
    ("note", "too long " * 14),
)
"""Column and cell of each broken rule: required, pattern, maximum, number, enum, date, boolean,
maxLength."""

BARE: Final = {"quantity": "^[0-9]+$", "unit_price": r"^[0-9.]+$", "gift": "^(true|false)$"}
"""Columns whose cells are no strings in JSON, and which cells those are."""


def main(file: str, rows: int) -> None:
    """Write the benchmark file."""
    form = FORMS[Path(file).suffix]
    with open(file, "wb") as output:  # noqa: PTH123 - a path from the command line
        output.write(form.before)
        for first in range(0, rows, BLOCK_ROWS):
            count = min(BLOCK_ROWS, rows - first)
            is_last = first + count == rows
            lines = pc.binary_join_element_wise(form.rows(block(first, count)), form.end, "")
            written = joined(lines)
            output.write(written[: len(written) - len(form.end)] if is_last else written)
        output.write(form.after)


def block(first: int, count: int) -> dict[str, Texts]:
    """The cells of ``count`` rows from number ``first`` on, as CSV has them."""
    random = np.random.default_rng([2_000_000, first])
    numbers = np.arange(first, first + count)
    columns = columns_of(random, numbers)
    bad = numbers % ROWS_PER_BAD_ONE == ROWS_PER_BAD_ONE // 2
    for kind, (name, cell) in enumerate(FAULTS):
        is_hit = bad & (numbers // ROWS_PER_BAD_ONE % len(FAULTS) == kind)
        columns[name] = pc.if_else(pa.array(is_hit), cell, columns[name])
    return columns


def csv_rows(columns: Mapping[str, Texts]) -> Texts:
    """Each row as a line of CSV."""
    return pc.binary_join_element_wise(*(columns[name] for name in COLUMNS), ",")


def json_rows(columns: Mapping[str, Texts]) -> Texts:
    """Each row as an object; an empty cell is null."""
    members = [together(f'"{name}":', json_value(columns[name], name)) for name in COLUMNS]
    return together("{", pc.binary_join_element_wise(*members, ","), "}")


def json_value(cells: Texts, name: str) -> Texts:
    """The cells of one column as JSON."""
    bare = pc.replace_substring_regex(cells, '^"(.*)"$', r"\1")
    text = together('"', pc.replace_substring(bare, '""', '\\"'), '"')
    is_bare = pc.match_substring_regex(cells, BARE.get(name, "^$"))
    return pc.if_else(pc.equal(cells, ""), "null", pc.if_else(is_bare, cells, text))


def columns_of(random: np.random.Generator, numbers: np.ndarray) -> dict[str, Texts]:
    """The cells of good rows, as they stand in the file."""
    count = len(numbers)
    draw = chooser(random, count)
    given, family = draw(GIVEN), draw(FAMILIES)
    digits = texts(random.integers(0, 100_000, count))
    email = together(pc.utf8_lower(given), ".", pc.utf8_lower(family), digits, "@x.example")
    cents = random.integers(100, 100_000, count)
    return {
        "order_id": together("ORD-", padded(keys(numbers), 10)),
        "customer": together('"', family, ", ", given, '"'),
        "email": email,
        "sku": together(
            draw(SKUS), "-", padded(random.integers(0, 100_000, count), 5), "-", draw(COLOURS)
        ),
        "quantity": texts(random.integers(1, 1_000, count)),
        "unit_price": together(texts(cents // 100), ".", padded(cents % 100, 2)),
        "currency": draw(CURRENCIES),
        "status": draw(STATUSES),
        "ordered_on": pa.array(FIRST_DAY + numbers // 1_000 % 1_400).cast(pa.string()),
        "country": draw(COUNTRIES),
        "gift": draw(["true", "false"]),
        "note": draw(NOTES),
    }


def keys(numbers: np.ndarray) -> np.ndarray:
    """Rising numbers with gaps; once in a while the one before again."""
    is_repeat = numbers % ROWS_PER_DUPLICATE == ROWS_PER_DUPLICATE - 1
    return 1_000_000 + 3 * np.where(is_repeat, numbers - 1, numbers)


def chooser(random: np.random.Generator, count: int) -> Callable[[Sequence[str]], Texts]:
    """A function that draws ``count`` of the texts that it is given."""
    return lambda choices: pa.array(choices).take(pa.array(random.integers(0, len(choices), count)))


def texts(numbers: np.ndarray) -> Texts:
    """Numbers as text."""
    return pa.array(numbers).cast(pa.string())


def padded(numbers: np.ndarray, width: int) -> Texts:
    """Numbers as text of one width, with zeros in front."""
    return pc.utf8_lpad(texts(numbers), width, "0")


def together(*parts: Texts | str) -> Texts:
    """The parts of each row, put together."""
    return pc.binary_join_element_wise(*parts, "")


def joined(lines: Texts) -> memoryview:
    """All lines as the bytes of one piece, without copying."""
    _, offsets, data = lines.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)
    return memoryview(data)[int(ends[0]) : int(ends[len(lines)])]


@dataclass(frozen=True, slots=True)
class Form:
    """How rows are written: what makes them lines, and what stands around and between them."""

    rows: Callable[[Mapping[str, Texts]], Texts]
    before: bytes
    end: str
    after: bytes


FORMS: Final = {
    ".csv": Form(csv_rows, HEADER.encode(), "\n", b"\n"),
    ".ndjson": Form(json_rows, b"", "\n", b"\n"),
    ".json": Form(json_rows, b"[\n", ",\n", b"\n]\n"),
}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
