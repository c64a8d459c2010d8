"""How text enters SQL: as literals through one function, columns by number only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FEW: Final = 24
"""Up to so many members a chain of comparisons is cheaper than the join that IN becomes."""


def literal(text: str) -> str:
    """``text`` as a SQL literal that means exactly this text, whatever it holds."""
    parts = ["'" + part.replace("'", "''") + "'" for part in text.split("\0")]
    if len(parts) == 1:
        return parts[0]
    return "(" + " || chr(0) || ".join(parts) + ")"


def is_one_of(operand: str, members: Sequence[str]) -> str:
    """Whether ``operand``, which is not NULL, equals one of the SQL constants.

    DuckDB makes every IN a join, whose set-up costs more than checking a hundred rows.
    """
    if len(members) > FEW:
        return f"{operand} IN ({', '.join(members)})"
    cases = "".join(f" WHEN {operand} = {member} THEN TRUE" for member in members)
    return f"CASE{cases} ELSE FALSE END" if cases else "FALSE"


def is_text_of(operand: str, texts: Iterable[str]) -> str:
    """Whether ``operand``, which is not NULL, is one of these texts."""
    return is_one_of(operand, [literal(text) for text in texts])


def conjunction(conditions: Iterable[str]) -> str:
    """All of the conditions; ``TRUE`` where there are none."""
    return " AND ".join(f"({each})" for each in conditions if each != "TRUE") or "TRUE"


def full_match(operand: str, pattern: str) -> str:
    """Whether the whole of ``operand`` matches the RE2 pattern."""
    return f"regexp_full_match({operand}, {literal(pattern)})"
