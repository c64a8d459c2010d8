"""The statements of the ledger, read once."""

from __future__ import annotations

from importlib.resources import files
from typing import Final


def _load() -> dict[str, str]:
    return {
        entry.name.removesuffix(".sql"): entry.read_text(encoding="utf-8")
        for entry in (files(__package__) / "queries").iterdir()
        if entry.name.endswith(".sql")
    }


QUERIES: Final = _load()
"""Statement by name; each file holds one, its first line says what it does."""

LEDGER_TABLES: Final = (files(__package__) / "tables.sql").read_text(encoding="utf-8")
"""Makes the tables of the ledger where they are missing."""
