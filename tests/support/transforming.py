"""Running file tools over sources that give their bytes in pieces of any size."""

from __future__ import annotations

import io
import random
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st

from waybill.model.limits import Limits
from waybill.transforms.tool import Options, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.transforms.tool import Action

SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=5)
ALL = (1 << 30,)
"""A source that gives all that it is asked for."""

Given = Any
"""Options of a tool by name."""


class PiecewiseSource:
    """Gives pieces of those sizes in turn; it can do no more than ``read``."""

    def __init__(self, data: bytes, sizes: Sequence[int] = ALL) -> None:
        self._stream = io.BytesIO(data)
        self._sizes = cycle(sizes)

    def read(self, size: int) -> bytes:
        return self._stream.read(min(size, next(self._sizes)))


class Collected:
    """A target that can do no more than ``write``."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    @property
    def data(self) -> bytes:
        return b"".join(self._pieces)

    @property
    def longest_bytes(self) -> int:
        """Of what was written at once."""
        return max(map(len, self._pieces))


def random_sizes(seed: int, choices: Sequence[int]) -> Sequence[int]:
    return random.Random(seed).choices(choices, k=1000)  # noqa: S311 - for tests


def transform(
    action: Action,
    data: bytes,
    options: Options | None = None,
    *,
    sizes: Sequence[int] = ALL,
    limits: Limits | None = None,
) -> bytes:
    """What a tool makes of the data."""
    target = Collected()
    action(PiecewiseSource(data, sizes), target, options or Options(), limits or Limits())
    return target.data


def refusal(
    action: Action,
    data: bytes,
    options: Options | None = None,
    *,
    sizes: Sequence[int] = ALL,
    limits: Limits | None = None,
) -> tuple[str, str, int | None, int | None]:
    """Code, message, line and column of the refusal."""
    with pytest.raises(Refused) as refused:
        transform(action, data, options, sizes=sizes, limits=limits)
    found = refused.value
    return found.code, found.message, found.line, found.column


def outcome(
    action: Action, data: bytes, options: Options | None = None, *, sizes: Sequence[int]
) -> object:
    """What was made of the data, or why nothing was."""
    try:
        return transform(action, data, options, sizes=sizes)
    except Refused as refused:
        return refused.code, refused.line, refused.column


def converted(
    action: Action, content: str | bytes, limits: Limits | None = None, **options: Given
) -> str:
    """The text that a tool makes of a content."""
    data = content.encode() if isinstance(content, str) else content
    return transform(action, data, Options(**options), limits=limits).decode()


def converted_in_pieces(action: Action, content: str, seed: int, most: int = 7) -> str:
    """The same of a content that comes in pieces of random sizes."""
    sizes = random_sizes(seed, range(1, most + 1))
    return transform(action, content.encode(), sizes=sizes).decode()


def fault(
    action: Action, content: str | bytes, limits: Limits | None = None, **options: Given
) -> tuple[str, int | None, int | None]:
    """Code, line and column of a refusal."""
    data = content.encode() if isinstance(content, str) else content
    code, _, line, column = refusal(action, data, Options(**options), limits=limits)
    return code, line, column
