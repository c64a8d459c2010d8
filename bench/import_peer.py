"""The import that ours is measured against: django-import-export in its bulk mode.

A model of the same twelve columns on a SQLite file in WAL mode, the rules as its validators. Every
row is cleaned by the model, as ours is checked; good rows are written 1,000 at a time; a bad row is
reported and stops nothing; unchanged rows are skipped. Where the library has a faster choice, it is
taken: existing rows are read in one query, reports keep neither rows nor differences.
(A cell that is no boolean becomes null there; all else that ours rejects is rejected.)
Usage: import_peer.py FILE ROWS. Prints one JSON object: {"rows", "seconds", "created", "invalid"}.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import django
from django.conf import settings

BATCH_ROWS = 1_000


def configure(folder: Path) -> None:
    """Set Django up on a new database file."""
    settings.configure(
        USE_TZ=True,
        INSTALLED_APPS=["import_export"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(folder / "peer.sqlite3"),
                "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL;"},
            }
        },
    )
    django.setup()


def measure(file: Path, rows: int) -> dict[str, object]:
    """Import the first ``rows`` rows of ``file`` into an empty table."""
    import tablib  # noqa: PLC0415 - after the set-up, as Django wants it
    from import_peer_model import Order, OrderResource, create_table  # noqa: PLC0415

    create_table()
    with file.open(encoding="utf-8", newline="") as lines:
        text = "".join(islice(lines, rows + 1))
    began = time.perf_counter()
    dataset = tablib.Dataset().load(text, format="csv")
    result = OrderResource().import_data(dataset, raise_errors=False, use_transactions=True)
    seconds = time.perf_counter() - began
    assert not result.base_errors
    return {
        "rows": len(dataset),
        "seconds": seconds,
        "created": Order.objects.count(),
        "invalid": len(result.invalid_rows) + len(result.error_rows),
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        configure(Path(name))
        print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]))))
