"""Every reader, fuzzed for a while: no crash, no hang, no record lost or changed.

``WAYBILL_FUZZ_SECONDS`` is the time for each reader, ``WAYBILL_FUZZ_SEED`` repeats a run.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

import pytest

from fuzz_cases import READERS
from fuzzing import fuzz

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = float(os.environ.get("WAYBILL_FUZZ_SECONDS", "60"))
SEED = int(os.environ.get("WAYBILL_FUZZ_SEED", "0")) or secrets.randbelow(2**32)


@pytest.mark.long
@pytest.mark.parametrize("reader", sorted(READERS))
def test_damaged_input_is_refused_or_read_rightly(
    tmp_path: Path, reader: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = fuzz(reader, SEED, SECONDS, tmp_path)
    with capsys.disabled():
        print(f"\n{reader}: seed {SEED}, {run.inputs} inputs, {run.crashes} crashes")  # noqa: T201
    assert run.inputs > 0
