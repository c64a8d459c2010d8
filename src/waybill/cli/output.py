"""How commands print: JSON for scripts, text for people, files whole or not at all."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from rich.console import Console

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CUT_CHARACTERS = 200
_PLAIN_COLUMNS = 160


def open_console(*, for_errors: bool = False) -> Console:
    """A console on standard output, or on standard error: plain and wide where no terminal is."""
    from rich.console import Console

    console = Console(stderr=for_errors, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = max(console.width, _PLAIN_COLUMNS)
    return console


def print_json(document: object) -> None:
    """One JSON document, indented, on standard output."""
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())


def printable(text: str) -> str:
    """Text that cannot steer a terminal: control and direction characters are spelled out."""
    return _UNPRINTABLE.sub(_spell, text)


def shortened(text: str) -> str:
    """Printable text of bearable length; an ellipsis says that some is left out."""
    if len(text) > _CUT_CHARACTERS:
        text = text[:_CUT_CHARACTERS] + "…"
    return printable(text)


@contextmanager
def open_output(path: Path | None) -> Iterator[BinaryIO]:
    """A binary stream to a file that appears whole or not at all; ``None``: standard output.

    A link stays one, its target is written; a device or pipe is written to as it is.
    """
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = path.resolve()
    if target.exists() and not target.is_file():
        with target.open("wb") as stream:
            yield stream
        return
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} to write {path.name} into")
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("wb") as stream:
            yield stream
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _spell(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
