"""How text enters SQL: as literals through one function, columns by number only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def literal(text: str) -> str:
    """``text`` as a SQL literal that means exactly this text, whatever it holds."""
    parts = ["'" + part.replace("'", "''") + "'" for part in text.split("\0")]
    if len(parts) == 1:
        return parts[0]
    return "(" + " || chr(0) || ".join(parts) + ")"


def literals(texts: Iterable[str]) -> str:
    """A parenthesised list of literals, for ``IN``."""
    return "(" + ", ".join(literal(text) for text in texts) + ")"


def conjunction(conditions: Iterable[str]) -> str:
    """All of the conditions; ``TRUE`` where there are none."""
    return " AND ".join(f"({each})" for each in conditions if each != "TRUE") or "TRUE"


def full_match(operand: str, pattern: str) -> str:
    """Whether the whole of ``operand`` matches the RE2 pattern."""
    return f"regexp_full_match({operand}, {literal(pattern)})"
