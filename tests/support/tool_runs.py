"""Runs file tools over sources that give pieces of any size."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

import pytest

from waybill.model.limits import Limits
from waybill.transforms.tool import Options, Refused

if TYPE_CHECKING:
    from waybill.transforms.tool import Action


class Pieces(io.RawIOBase):
    """A source that gives less than it is asked for, as a seed decides."""

    def __init__(self, content: bytes, seed: int, most: int) -> None:
        super().__init__()
        self._left = io.BytesIO(content)
        self._random = random.Random(seed)  # noqa: S311
        self._most = most

    def read(self, size: int = -1) -> bytes:
        return self._left.read(min(size, self._random.randint(1, self._most)))


class Written(io.BytesIO):
    """A target that has ``write`` alone."""

    writelines = None  # type: ignore[assignment]


def converted(
    action: Action, content: str | bytes, limits: Limits | None = None, **options: object
) -> str:
    """What a tool makes of a content."""
    encoded = content.encode() if isinstance(content, str) else content
    target = Written()
    action(io.BytesIO(encoded), target, Options(**options), limits or Limits())  # type: ignore[arg-type]
    return target.getvalue().decode()


def converted_in_pieces(action: Action, content: str, seed: int, most: int = 7) -> str:
    """What it makes of the same content in pieces."""
    target = Written()
    action(Pieces(content.encode(), seed, most), target, Options(), Limits())  # type: ignore[arg-type]
    return target.getvalue().decode()


def refusal(
    action: Action, content: str | bytes, limits: Limits | None = None, **options: object
) -> tuple[str, int | None, int | None]:
    """Code, line and column of a tool's refusal."""
    with pytest.raises(Refused) as caught:
        converted(action, content, limits, **options)
    return caught.value.code, caught.value.line, caught.value.column
