"""Functions stay short; the figures are measured as the house style says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "waybill"
Function = ast.FunctionDef | ast.AsyncFunctionDef


def body_lines(function: Function) -> int:
    """From ``def`` to the last line, less the docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    docstring = function.body[0]
    return lines - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def measured() -> list[tuple[int, str]]:
    """Every function of the package: its length and where it stands, shortest first."""
    return sorted(
        (body_lines(node), f"{module.relative_to(PACKAGE).as_posix()}:{node.name}")
        for module in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, Function)
    )


@pytest.mark.parametrize(("share", "most"), [(0.5, 8), (0.9, 25), (0.99, 60)])
def test_most_functions_are_short(share: float, most: int) -> None:
    sizes = measured()
    lines, where = sizes[int(len(sizes) * share)]
    assert lines <= most, f"{share:.0%} of the bodies should fit {most} lines; {where} has {lines}"


def test_no_function_is_a_page_long() -> None:
    assert [entry for entry in measured() if entry[0] > 80] == []


def test_no_file_outgrows_a_reader() -> None:
    lengths = {
        module.relative_to(PACKAGE).as_posix(): module.read_text(encoding="utf-8").count("\n")
        for module in PACKAGE.rglob("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > 600} == {}
