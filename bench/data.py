"""The file of the benchmark: orders, the same bytes for the same number of rows.

Twelve columns, about 133 bytes a row (2 M rows: 267 MB). Keys rise as an order counter's do, with a
few given twice. Some cells are quoted and hold commas, some are empty. One row in a hundred breaks
one of eight rules of ``orders.json``, each as often as the others.
Usage: data.py FILE ROWS.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


def main(file: str, rows: int) -> None:
    """Write the benchmark file."""
    with open(file, "wb") as output:  # noqa: PTH123 - a path from the command line
        output.write(HEADER.encode())
        for first in range(0, rows, BLOCK_ROWS):
            count = min(BLOCK_ROWS, rows - first)
            output.write(block(first, count))


def block(first: int, count: int) -> memoryview:
    """The lines of ``count`` rows from number ``first`` on."""
    random = np.random.default_rng([2_000_000, first])
    numbers = np.arange(first, first + count)
    columns = columns_of(random, numbers)
    bad = numbers % ROWS_PER_BAD_ONE == ROWS_PER_BAD_ONE // 2
    for kind, (name, cell) in enumerate(FAULTS):
        is_hit = bad & (numbers // ROWS_PER_BAD_ONE % len(FAULTS) == kind)
        columns[name] = pc.if_else(pa.array(is_hit), cell, columns[name])
    lines = pc.binary_join_element_wise(*(columns[name] for name in COLUMNS), ",")
    return joined(pc.binary_join_element_wise(lines, "\n", ""))


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


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
