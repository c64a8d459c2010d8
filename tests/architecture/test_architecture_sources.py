"""Rules about the sources that no linter can hold."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import waybill
import waybill.dialect
import waybill.errors

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "waybill"
MODULES = sorted(PACKAGE.rglob("*.py"))
SAYS_NOTHING = {"utils", "util", "common", "misc", "manager", "helpers", "helper", "core", "base"}
NAMED_BY_DESIGN = {"engine/services/base.py"}


def shown(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_the_layers_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run(
        [lint, "--no-cache"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_only_the_http_edge_is_asynchronous() -> None:
    edge = {PACKAGE / "http", PACKAGE / "testing" / "edge.py"}  # the second drives the first
    asynchronous = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
    outside = [
        f"{shown(module)}:{node.lineno}"
        for module in MODULES
        if not any(module.is_relative_to(place) for place in edge)
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, asynchronous)
    ]
    assert outside == []


def test_no_type_error_is_ignored() -> None:
    marks = ("type: " + "ignore", "pyright: " + "ignore", "mypy: " + "ignore")
    assert [shown(m) for m in MODULES if any(k in m.read_text("utf-8") for k in marks)] == []


def test_every_suppressed_lint_rule_has_its_code_and_reason() -> None:
    bare = [
        f"{shown(module)}:{number}"
        for module in MODULES
        for number, line in enumerate(module.read_text(encoding="utf-8").splitlines(), 1)
        if "# no" + "qa" in line and " - " not in line.partition("# no" + "qa:")[2]
    ]
    assert bare == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = [shown(m) for m in MODULES if m.stem in SAYS_NOTHING or m.parent.name in SAYS_NOTHING]
    assert set(named) <= NAMED_BY_DESIGN


def test_broad_excepts_stand_at_the_boundaries_only() -> None:
    # The writer of the group commit carries each error to the caller that waits for it.
    allowed = ("engine/services/", "engine/worker", "http/", "cli/main.py", "stores/sqlite/writer")
    broad = [
        f"{shown(module)}:{node.lineno}"
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _raises_again(node)
    ]
    assert [place for place in broad if not place.startswith(allowed)] == []


def _is_broad(handler: ast.ExceptHandler) -> bool:
    kind = handler.type
    return kind is None or (
        isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"}
    )


def _raises_again(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(n, ast.Raise) and n.exc is None for n in ast.walk(handler))


@pytest.mark.parametrize("name", sorted({m.stem for m in MODULES if m.stem.startswith("_")}))
def test_private_modules_are_the_special_ones(name: str) -> None:
    assert name in {"__init__", "__main__"}


def test_the_package_itself_exports_nothing_but_its_modules() -> None:
    public = {name: value for name, value in vars(waybill).items() if not name.startswith("_")}
    assert {name for name, value in public.items() if not isinstance(value, ModuleType)} == set()
    assert waybill.__version__


def test_all_public_errors_are_exported() -> None:
    defined = {
        name
        for name, value in vars(waybill.errors).items()
        if isinstance(value, type) and issubclass(value, waybill.errors.WaybillError)
    }
    assert set(waybill.errors.__all__) == defined


def test_every_error_stands_in_the_drawn_tree() -> None:
    drawing = waybill.errors.__doc__ or ""
    assert [name for name in waybill.errors.__all__ if f" {name} " not in f" {drawing} "] == []


def test_a_dialect_sees_exactly_these_names() -> None:
    public = {
        name
        for name, value in vars(waybill.dialect).items()
        if getattr(value, "__module__", "") == "waybill.dialect" and not name.startswith("_")
    }
    wanted = {"Answer", "Authenticate", "Body", "BodyKind", "Core", "Dialect", "QueryParameter"}
    wanted |= {"Request", "Response", "Route", "StoredFile", "Wait"}
    assert wanted <= public
