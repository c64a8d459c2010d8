"""Ready schemas of the vendors, as data: one folder for each, to be read and changed.

In it the folders ``entities`` and, where files tell by their header what they are, ``bundles``.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

NAMES: Final = ("trax", "tao", "voyado", "apidatatools")
"""The vendors that a server can be made for; one that has no entities has no schemas."""


def schemas(name: str, kind: str) -> Iterator[Traversable]:
    """The files of one vendor's schemas of a kind, by name; ``kind``: ``entities``, ``bundles``."""
    folder = files(__name__) / name / kind
    if folder.is_dir():
        yield from sorted(folder.iterdir(), key=lambda file: file.name)
