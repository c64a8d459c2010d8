from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from waybill.errors import SettingsInvalid
from waybill.validation.sandbox import assert_closed, open_sandbox
from waybill.validation.sql import literal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY (SELECT 1) TO 'out.csv'",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET threads = 9",
        "SELECT * FROM a_python_name",
    ],
)
def test_the_sandbox_reaches_nothing_outside(tmp_path: Path, statement: str) -> None:
    a_python_name = {"x": [1]}
    sandbox = open_sandbox(memory_bytes=100 << 20, threads=1, temp_directory=tmp_path)
    with pytest.raises(duckdb.Error):
        sandbox.connect().execute(statement)
    assert a_python_name
    sandbox.close()


def test_an_open_instance_is_noticed() -> None:
    instance = duckdb.connect(":memory:")
    with pytest.raises(SettingsInvalid) as caught:
        assert_closed(instance)
    assert caught.value.code == "SANDBOX_OPEN"
    instance.close()


def test_spilling_stays_in_the_given_directory(tmp_path: Path) -> None:
    sandbox = open_sandbox(memory_bytes=60 << 20, threads=1, temp_directory=tmp_path / "spill")
    query = "SELECT count(*) FROM (SELECT DISTINCT md5(i::VARCHAR) FROM range(1500000) t(i))"
    assert sandbox.connect().execute(query).fetchone() == (1_500_000,)
    sandbox.close()


@pytest.mark.parametrize("text", ["x'; DROP TABLE t; --", "", "\0", "a\0b'c", "\\", '"', "{v}"])
def test_a_literal_means_exactly_its_text(tmp_path: Path, text: str) -> None:
    sandbox = open_sandbox(memory_bytes=60 << 20, threads=1, temp_directory=tmp_path)
    assert sandbox.connect().execute(f"SELECT {literal(text)}").fetchone() == (text,)
    sandbox.close()
