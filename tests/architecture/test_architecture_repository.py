"""Rules about the files around the sources."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FRAGMENT = re.compile(r"^\d+\.(added|changed|fixed|removed|security|deprecated)\.md$")
# Hosts and options that would tie an install to one registry, written so that this file passes.
REGISTRY = re.compile(
    "|".join(
        (
            r"py" + r"pi\.(org|python)",
            r"python" + r"hosted\.org",
            r"registry\." + r"npmjs",
            r"(--(extra-)?index" + r"-url|--find" + r"-links|--trusted" + r"-host)[ =]",
        )
    )
)


def listed(*options: str) -> set[str]:
    """Names that ``git ls-files`` gives."""
    command = ["git", "ls-files", "-z", "--exclude-standard", *options]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {name for name in output.split("\0") if name}


def ours() -> list[Path]:
    """Every file that is, or is about to be, under version control."""
    names = listed("--cached", "--others") - listed("--cached", "--ignored")
    return sorted(path for name in names if (path := ROOT / name).is_file())


def test_nothing_that_is_ignored_is_under_version_control() -> None:
    tracked = listed("--cached", "--ignored")
    assert len(tracked) == 0, f"for example {min(tracked)}"


def test_no_file_names_a_package_registry() -> None:
    naming = [
        path.relative_to(ROOT).as_posix()
        for path in ours()
        if REGISTRY.search(path.read_text(encoding="utf-8", errors="ignore"))
    ]
    assert naming == []


def test_every_locked_package_has_hashes() -> None:
    for lock in ("run.txt", "dev.txt"):
        text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
        pins = re.findall(r"^[A-Za-z0-9._-]+==\S+ \\\n    --hash=sha256:", text, re.MULTILINE)
        named = re.findall(r"^[A-Za-z0-9._-]+==", text, re.MULTILINE)
        assert len(pins) == len(named) > 0, lock


def test_the_lock_covers_every_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    lock = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE))
    assert {_package(line) for line in declared} <= {_package(name) for name in locked}


def _package(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_a_statement_file_says_what_it_does_and_holds_one_statement() -> None:
    for statement in sorted((ROOT / "src").rglob("queries/*.sql")):
        text = statement.read_text(encoding="utf-8")
        assert text.startswith("-- "), f"{statement}: the first line says what it does"
        code = re.sub(r"--[^\n]*", "", text).strip()
        assert code.rstrip(";").count(";") == 0, f"{statement} holds several statements"
        assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", statement.stem), "named <verb>_<noun>"


def test_every_changelog_fragment_is_named_by_issue_and_type() -> None:
    names = [path.name for path in (ROOT / "changelog.d").glob("*") if path.name != "README.md"]
    assert [name for name in names if not FRAGMENT.match(name)] == []


def test_every_decision_has_a_number_of_its_own_and_the_four_parts() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [path.name[:4] for path in records]
    assert numbers == [f"{n:04}" for n in range(1, len(records) + 1)]
    for record in records:
        text = record.read_text(encoding="utf-8")
        for part in ("Status:", "## Context", "## Decision", "## Consequences"):
            assert part in text, f"{record.name} lacks {part}"


def test_test_modules_have_names_of_their_own() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
