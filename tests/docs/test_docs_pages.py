"""The manual says what the code does: generated pages are fresh, links and names lead somewhere."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from waybill.error_codes import TITLES
from waybill.validation.bundle_descriptor import parse_bundle
from waybill.validation.codes import CATALOGUE
from waybill.validation.descriptor import parse_descriptor
from waybill.validation.pinned import parse_entities

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.model.entity import Entity

ROOT = Path(__file__).resolve().parents[2]
TOP = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
PAGES = [ROOT / name for name in TOP] + sorted((ROOT / "docs").rglob("*.md"))
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(
    r"^```(?P<kind>\w+)(?P<rest>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
SOURCES = [path for path in (ROOT / "src" / "waybill").rglob("*.py") if "testing" not in path.parts]
TEST_NAME = re.compile(r"`(?P<path>(?:tests|src/waybill/testing)/\S+?\.py)(?:::(?P<name>\w+))?`")


def shown(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(*kinds: str) -> Iterator[tuple[str, str, str]]:
    """Page, words after the kind, and text of every code block of these kinds."""
    for page in PAGES:
        for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
            if block["kind"] in kinds:
                yield shown(page), block["rest"].strip(), block["text"]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def test_the_generated_pages_are_fresh() -> None:
    script = ROOT / "scripts" / "generate_reference.py"
    found = subprocess.run(
        [sys.executable, script, "--check"], check=False, capture_output=True, text=True
    )
    assert found.returncode == 0, f"run make docs: {found.stdout}{found.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_can_be_reached_from_the_table_of_contents() -> None:
    start = ROOT / "docs" / "README.md"
    reached, ahead = {start}, [start]
    while ahead:
        page = ahead.pop()
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.is_file() and target not in reached:
                reached.add(target)
                ahead.append(target)
    assert set((ROOT / "docs").rglob("*.md")) - reached == set()


def shown_entities() -> dict[str, Entity]:
    """Every entity that a page shows, those that write others among them."""
    marked = ((words, text) for _, words, text in blocks("json", "yaml"))
    return dict(
        parse_entities(
            {
                words.removeprefix("entity="): yaml.safe_load(text)
                for words, text in marked
                if words.startswith("entity=")
            }
        )
    )


def test_every_schema_shown_is_accepted() -> None:
    assert len(shown_entities()) >= 8


def test_every_bundle_shown_is_accepted() -> None:
    shown_bundles = [b for b in blocks("json", "yaml") if b[1].startswith("bundle=")]
    assert shown_bundles
    for _, words, text in shown_bundles:
        name = words.removeprefix("bundle=")
        bundle = parse_bundle(yaml.safe_load(text), name=name, entities=shown_entities())
        assert bundle.choices


def test_the_schema_of_the_demo_is_accepted() -> None:
    text = (ROOT / "demo" / "airports.schema.json").read_text(encoding="utf-8")
    entity = parse_descriptor(yaml.safe_load(text), name="airports")
    assert entity.key == ("icao",)


def test_every_shell_block_is_valid_shell() -> None:
    for page, _, text in blocks("sh"):
        checked = subprocess.run(
            ["bash", "-n"], input=text, text=True, check=False, capture_output=True
        )
        assert checked.returncode == 0, f"{page}: {checked.stderr}"


def test_every_test_that_a_page_names_exists() -> None:
    for page in PAGES:
        for named in TEST_NAME.finditer(page.read_text(encoding="utf-8")):
            path = ROOT / named["path"]
            assert path.is_file(), f"{shown(page)} names {named[0]}"
            wanted = f"def {named['name']}(" if named["name"] else ""
            assert wanted in path.read_text(encoding="utf-8"), f"{shown(page)} names {named[0]}"


def test_every_code_that_is_raised_is_in_a_catalogue() -> None:
    named = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "code":
                named |= {n.value for n in ast.walk(node.value) if isinstance(n, ast.Constant)}
            if isinstance(node, ast.Assign) and "default_code" in map(ast.unparse, node.targets):
                named.add(ast.literal_eval(node.value))
    codes = {name for name in named if isinstance(name, str) and name.isupper()}
    assert len(codes) > len(TITLES) // 2
    assert codes <= {*TITLES, *CATALOGUE}
