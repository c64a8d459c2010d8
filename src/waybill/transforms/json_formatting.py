"""The tools that write JSON as JSON: one item a line, or without white space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.transforms.json_rewriting import COMPACT, rewrite
from waybill.transforms.json_scanner import Layout

if TYPE_CHECKING:
    from waybill.model.limits import Limits
    from waybill.transforms.tool import Options, Source, Target

_DEFAULT: Final = Layout(indent=1)


def format_json(source: Source, target: Target, options: Options, limits: Limits) -> None:
    """Write one item a line, indented by ``tab_space``; 0 is one line with ``", "`` and ``": "``.

    Keys stay in order, numbers and strings as they are written. No line break at the end. Memory
    and errors: see ``rewrite``.
    """
    _write(source, target, Layout(indent=options.tab_space), limits)


def validate_json(source: Source, target: Target, _options: Options, limits: Limits) -> None:
    """Check a document and write it with one item a line, each level one space deeper."""
    _write(source, target, _DEFAULT, limits)


def minify_json(source: Source, target: Target, _options: Options, limits: Limits) -> None:
    """Leave out all white space between tokens.

    Memory and errors: see ``rewrite``.
    """
    _write(source, target, COMPACT, limits)


def _write(source: Source, target: Target, layout: Layout, limits: Limits) -> None:
    write = target.write  # all that a target must have, so no ``writelines``
    for part in rewrite(source, layout, limits):
        write(part.text)
