"""What a hostile input is: bytes made by code, how they are sent, and the one right answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Content = bytes | Iterable[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The job fails with the code at the place; its message holds each text of ``says``.

    ``code``: several where a library decides which of them is seen first. ``loaded``: records that
    were loaded before.
    """

    code: str | tuple[str, ...]
    says: Sequence[str] = ()
    line: int | None = None
    byte: int | None = None
    loaded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The job succeeds: so many records are loaded, the others rejected.

    ``rejected``: code by line, as many as there are. ``warned``: codes of the job's warnings that
    must be there. ``kept``: of stored records some fields, by key. ``at_byte``: of rejected lines
    the byte that their message names.
    """

    loaded: int
    rejected: Mapping[int, str] = field(default_factory=dict)
    warned: Sequence[str] = ()
    kept: Mapping[int, Mapping[str, object]] = field(default_factory=dict)
    says: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The request is refused; there is no job."""

    status: int
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One case. ``id``: as docs/explanation/hostile-files.md and the tests name it.

    ``seconds``: how long the job may run, where a line of the table says less than five.
    ``is_long``: it takes more than half a minute or 300 MB.
    """

    id: str
    make: Callable[[], Content]
    answer: Failed | Read | Refused
    name: str = ""
    entity: str = "people"
    options: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 5
    is_long: bool = False


GOOD_CSV = b"id,name\n1,Ann\n2,Bob\n"
"""Two good records."""
