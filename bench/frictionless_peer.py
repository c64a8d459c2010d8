"""The check that ours is measured against: frictionless validating the same file and schema.

Usage: frictionless_peer.py FILE ROWS. Prints one JSON object: {"rows", "seconds", "errors"}.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from frictionless import Checklist, Resource, Schema

SCHEMA = Path(__file__).parent / "orders.json"
DESCRIPTION = {"title", "description"}


def measure(file: Path, rows: int, folder: Path) -> dict[str, object]:
    """Validate the first ``rows`` rows of ``file``, all errors counted."""
    descriptor = json.loads(SCHEMA.read_text(encoding="utf-8"))
    with file.open(encoding="utf-8", newline="") as lines:
        (folder / "cut.csv").write_text("".join(islice(lines, rows + 1)), encoding="utf-8")
    schema = Schema.from_descriptor(
        {name: value for name, value in descriptor.items() if name not in DESCRIPTION}
    )
    resource = Resource(path="cut.csv", basepath=str(folder), schema=schema)
    began = time.perf_counter()
    report = resource.validate(Checklist(), limit_errors=rows)
    seconds = time.perf_counter() - began
    task = report.tasks[0]
    return {"rows": task.stats["rows"], "seconds": seconds, "errors": task.stats["errors"]}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]), Path(name))))
