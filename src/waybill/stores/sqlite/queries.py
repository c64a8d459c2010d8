"""The statements of this store, read once from ``queries/``."""

from __future__ import annotations

from importlib.resources import files
from typing import Final


def _load() -> dict[str, str]:
    folder = files(__package__) / "queries"
    return {
        entry.name.removesuffix(".sql"): entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    }


QUERIES: Final = _load()
"""Statement by name; each file holds one, its first line says what it does."""
