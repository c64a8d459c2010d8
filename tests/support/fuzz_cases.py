"""What is fuzzed: for each reader how an input is made of a seed, and what must hold of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz_contained import parquet_case, xlsx_case, xml_case
from fuzz_text import any_case, csv_case, json_case, json_lines_case, packed_case

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from fuzz_tables import Case

READERS: dict[str, Callable[[Random], Case]] = {
    "csv": csv_case,
    "json": json_case,
    "json_lines": json_lines_case,
    "packed": packed_case,
    "xlsx": xlsx_case,
    "xml": xml_case,
    "parquet": parquet_case,
    "any": any_case,
}
