"""Aliases that are JSON Pointers (RFC 6901): they name a member inside of a record's member."""

from __future__ import annotations

import re
from typing import Final

_POINTER: Final = re.compile(r"(?:/(?:[^/~]|~[01])+){2,}", re.DOTALL)


def is_member_path(alias: str) -> bool:
    """Whether an alias is meant as a path, and so must be one."""
    return alias.startswith("/")


def path_fault(alias: str) -> str | None:
    """Why a path is none; ``None`` where it is one."""
    if _POINTER.fullmatch(alias):
        return None
    return f"{alias!r} must be a JSON Pointer of two or more names, such as /entities/stores"


def steps_of(path: str) -> tuple[str, ...]:
    """The names of the members from the record down."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:])
