"""What reads gave, for as long as nothing is committed.

A status poll costs four reads, and each call of SQLite gives the interpreter away to the server's
own thread and waits to get it back: eight hand-overs, five times the work of the poll itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Key = TypeVar("Key")
Value = TypeVar("Value")

MOST_VALUES: Final = 4_096


class ReadCache(Generic[Key, Value]):
    """Values by key, all of one mark. Safe for many threads, without a lock.

    A value belongs to the mark from before its read, so it can only be newer than its mark says,
    and is gone once the newer mark shows. Callers share the values: nobody may change one.
    """

    def __init__(
        self, current_mark: Callable[[], bytes | None], most_values: int = MOST_VALUES
    ) -> None:
        self._current_mark = current_mark
        self._most_values = most_values
        self._page: tuple[bytes, dict[Key, Value]] = (b"", {})

    def find(self, key: Key, read: Callable[[Key], Value | None]) -> Value | None:
        """What ``read`` gives for ``key`` now; ``None`` is not kept."""
        mark = self._current_mark()
        if mark is None:
            return read(key)
        known, values = self._page
        if known != mark:
            values = {}
            self._page = (mark, values)
        value = values.get(key)
        if value is None:
            value = read(key)
            if value is not None:
                self._keep(values, key, value)
        return value

    def _keep(self, values: dict[Key, Value], key: Key, value: Value) -> None:
        if len(values) >= self._most_values:
            values.clear()
        values[key] = value
