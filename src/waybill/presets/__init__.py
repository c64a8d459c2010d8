"""Ready entity schemas of the vendors, as data: one folder for each, to be read and changed."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

NAMES: Final = ("trax",)
"""The vendors that have schemas."""


def schemas(name: str) -> Iterator[Traversable]:
    """The files of one vendor's schemas, by name."""
    folder = files(__name__) / name
    yield from sorted(folder.iterdir(), key=lambda file: file.name)
