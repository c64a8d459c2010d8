"""The fuzzers themselves: some inputs of each, and that what they find is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import fuzz_worker
from fuzz_cases import READERS
from fuzzing import Found, Run, _judge, fuzz

if TYPE_CHECKING:
    from pathlib import Path

INPUTS = {"any": 6}
SEED = 1


@pytest.mark.parametrize("reader", sorted(READERS))
def test_damaged_input_is_refused_or_read_rightly(tmp_path: Path, reader: str) -> None:
    for number in range(INPUTS.get(reader, 60)):
        fuzz_worker.run(reader, SEED, number, tmp_path)


def test_a_worker_reads_until_the_time_is_over(tmp_path: Path) -> None:
    assert fuzz("xml", SEED, 5, tmp_path).inputs > 0


def test_what_is_found_can_be_seen_again(tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(b"a,b")
    with pytest.raises(Found, match="no such reader"):
        fuzz("no such reader", SEED, 30, tmp_path)


@pytest.mark.parametrize(
    ("reader", "code", "said", "is_allowed"),
    [
        ("xlsx", -6, b"memory allocation of 5 bytes failed", True),
        ("parquet", -11, b"", True),
        ("parquet", 1, b"AssertionError", False),
        ("csv", -11, b"", False),
    ],
)
def test_only_the_crash_of_a_library_in_a_child_is_allowed(
    reader: str, code: int, said: bytes, is_allowed: bool
) -> None:
    run = Run()
    if is_allowed:
        _judge(run, code, said, reader, "")
        assert run.crashes == 1
    else:
        with pytest.raises(Found):
            _judge(run, code, said, reader, "")
