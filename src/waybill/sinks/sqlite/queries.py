"""The fixed statements of this sink, read once; those over an entity's columns are built."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from waybill.sinks.ledger.queries import LEDGER_TABLES


def _load() -> dict[str, str]:
    return {
        entry.name.removesuffix(".sql"): entry.read_text(encoding="utf-8")
        for entry in (files(__package__) / "queries").iterdir()
        if entry.name.endswith(".sql")
    }


QUERIES: Final = _load()
"""Statement by name; each file holds one, its first line says what it does."""

CATALOGUE: Final = LEDGER_TABLES + (files(__package__) / "catalogue.sql").read_text("utf-8")
"""Makes the tables that every project's database has, the ledger's among them."""
