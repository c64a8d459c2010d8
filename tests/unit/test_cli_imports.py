"""The command line is light until a command runs."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {
    "pyarrow", "duckdb", "numpy", "starlette", "granian", "apsw", "httpx", "msgspec",
    "xlsxwriter", "rich", "prometheus_client", "limits",
}  # fmt: skip


def test_importing_the_command_line_loads_no_library_of_the_server() -> None:
    code = "import sys, waybill.cli.main; print(*{m.split('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == set()
