"""Runs one fuzzer in a process of its own, so that a crash or a hang ends nothing else.

Run as ``python fuzz_worker.py READER SEED FIRST FOLDER``: input FIRST and some hundred after it.
The number of each input is printed before the input, saved in FOLDER, is read.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path
from random import Random

from fuzz_cases import READERS

MEMORY_BYTES = 3 * 1024**3
INPUTS = 500
"""Of one process: what libraries keep of damaged inputs must not add up."""


def run(reader: str, seed: int, number: int, folder: Path) -> None:
    """Make and check one input; raises what is wrong with it."""
    content, check = READERS[reader](Random(f"{reader} {seed} {number}"))  # noqa: S311 - repeatable
    path = folder / "input"
    path.write_bytes(content)
    os.write(1, b"%d\n" % number)
    check(path)


def main() -> None:
    reader, seed, first, folder = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for number in range(int(first), int(first) + INPUTS):
        run(reader, int(seed), number, Path(folder))


if __name__ == "__main__":
    main()
