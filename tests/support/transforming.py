"""Running file tools over sources that give their bytes in pieces of any size."""

from __future__ import annotations

import io
from itertools import cycle
from typing import TYPE_CHECKING, BinaryIO, cast

import pytest
from hypothesis import strategies as st

from waybill.model.limits import Limits
from waybill.transforms.tool import Action, Options, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=5)


class PiecewiseSource:
    """Gives pieces of those sizes in turn; it can do no more than ``read``."""

    def __init__(self, data: bytes, sizes: Sequence[int]) -> None:
        self._stream = io.BytesIO(data)
        self._sizes = cycle(sizes)

    def read(self, size: int) -> bytes:
        return self._stream.read(min(size, next(self._sizes)))


class Collected:
    """A target that can do no more than ``write``."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)


def source_of(data: bytes, sizes: Sequence[int] = (1 << 30,)) -> BinaryIO:
    return cast("BinaryIO", PiecewiseSource(data, sizes))


def transform(
    action: Action,
    data: bytes,
    options: Options | None = None,
    *,
    sizes: Sequence[int] = (1 << 30,),
    limits: Limits | None = None,
) -> bytes:
    target = Collected()
    action(
        source_of(data, sizes), cast("BinaryIO", target), options or Options(), limits or Limits()
    )
    return target.data


def refusal(
    action: Action,
    data: bytes,
    options: Options | None = None,
    *,
    sizes: Sequence[int] = (1 << 30,),
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
