"""One locked DuckDB instance per process: no files, no network, no Python names."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import duckdb

from waybill.errors import SettingsInvalid

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS: Final = {
    "enable_external_access": "false",
    "python_enable_replacements": "false",
    "python_scan_all_frames": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
"""What closes the instance; asserted after opening. Source: docs/reference/limits.md, sandbox."""

PROBES: Final = (
    ("SELECT * FROM read_text('/etc/hostname')", duckdb.PermissionException),
    ("COPY (SELECT 1) TO 'probe.csv'", duckdb.PermissionException),
    ("ATTACH 'probe.db'", duckdb.PermissionException),
    ("SET threads = 3", duckdb.InvalidInputException),
)
"""Statements that the instance must refuse, and how."""


class Sandbox:
    """Hands out connections to the one locked instance; data enters as Arrow only."""

    def __init__(self, instance: duckdb.DuckDBPyConnection) -> None:
        self._instance = instance
        self._lock = threading.Lock()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A connection for one thread at a time; the caller closes it."""
        with self._lock:
            return self._instance.cursor()

    def close(self) -> None:
        """Close the instance; its connections end with it."""
        self._instance.close()


def open_sandbox(*, memory_bytes: int, threads: int, temp_directory: Path) -> Sandbox:
    """A locked instance that may spill up to four times ``memory_bytes`` under ``temp_directory``.

    ``threads``: used per query; 1 where the callers are threads already.

    Raises:
        SettingsInvalid: the instance does not refuse what it must.
    """
    temp_directory.mkdir(parents=True, exist_ok=True)
    instance = duckdb.connect(
        ":memory:",
        config={
            **SETTINGS,
            "threads": str(threads),
            "memory_limit": f"{memory_bytes}B",
            "temp_directory": str(temp_directory),
            "max_temp_directory_size": f"{4 * memory_bytes}B",
        },
    )
    instance.execute("SET lock_configuration = true")
    assert_closed(instance)
    return Sandbox(instance)


def assert_closed(instance: duckdb.DuckDBPyConnection) -> None:
    """Prove that the instance is closed.

    Raises:
        SettingsInvalid: it allows something that it must refuse.
    """
    for name, wanted in SETTINGS.items():
        row = instance.execute("SELECT value FROM duckdb_settings() WHERE name = ?", [name])
        if row.fetchone() != (wanted,):
            raise SettingsInvalid(f"the sandbox has {name} not {wanted}", code="SANDBOX_OPEN")
    for statement, refusal in PROBES:
        with suppress(refusal):
            instance.execute(statement)
            raise SettingsInvalid(f"the sandbox runs: {statement}", code="SANDBOX_OPEN")
