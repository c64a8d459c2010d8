"""A file tool: what turns one file into another, and what may be asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOptions:
    """What a caller may ask of a tool.

    ``tab_space``: spaces of one level, 0 to 8; 0 is one line. ``delimiter``: one character, found
    by the tool where it is empty. ``root_name``: of an XML document. ``url_safe``: whether reserved
    characters are encoded, too.
    """

    tab_space: int = 2
    has_header: bool = True
    delimiter: str = ""
    root_name: str = "root"
    url_safe: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFacts:
    """What is to be known of a tool before it runs.

    ``suffixes``: of file names that it takes. ``output``: the suffix of what it makes. ``takes``:
    the options that it reads, each with its default. ``most_bytes``: of an input, where it holds
    all of it in memory; ``None`` where it streams. ``reads_json``: its content is JSON.
    """

    suffixes: tuple[str, ...]
    output: str
    takes: Mapping[str, object] = field(default_factory=dict)
    most_bytes: int | None = None
    reads_json: bool = False


class InputRole(StrEnum):
    """What the stored input of a transform is: the content itself, or JSON that names its URL."""

    CONTENT = "content"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformTerms:
    """What a transform was accepted under."""

    tool: str
    options: ToolOptions
    role: InputRole = InputRole.CONTENT
