"""Commands that the manual shows are commands that there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from waybill.cli.main import app
from waybill.dialects import native
from waybill.settings import settings_reference

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
API_PATH = re.compile(r"(/v1/[a-z]+(?:/[\w$.-]+)*)")
INLINE = re.compile(r"`(waybill [a-z][^`]*)`")


def shown_commands() -> list[str]:
    """Every command line of ours in a shell block or in the text, without its page's prose."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = [line for block in SHELL.findall(text) for line in block.splitlines()]
        found += [line for line in lines if line.startswith("waybill ")]
        found += INLINE.findall(text)
    return sorted(set(found))


def command_of(words: list[str]) -> Any:  # noqa: ANN401 - typer ships no public type for it
    """The command that the words after ``waybill`` call; fails where there is none."""
    command: Any = get_command(app)
    for word in words:
        below = getattr(command, "commands", None)
        if below is None:
            return command
        assert word in below, f"no command {word!r}"
        command = below[word]
    return command


@pytest.mark.parametrize("line", shown_commands())
def test_a_shown_command_and_its_options_exist(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    words = words[: words.index(">")] if ">" in words else words
    command = command_of(words)
    known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    assert {word for word in words if word.startswith("-")} <= known


def shown_paths() -> list[str]:
    """Every path of the native API in a shell block, ``$name`` as one segment."""
    blocks = [b for page in PAGES for b in SHELL.findall(page.read_text(encoding="utf-8"))]
    return sorted({path for block in blocks for path in API_PATH.findall(block)})


@pytest.mark.parametrize("path", shown_paths())
def test_a_shown_path_is_one_of_the_native_routes(path: str) -> None:
    routes = [re.sub(r"\{\w+\}", "[^/]+", route.path) for route in native.ROUTES]
    assert any(re.fullmatch(route, path) for route in routes)


def test_every_command_has_its_place_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    names = set(get_command(app).commands)
    documented = {
        title.split()[0] for title in re.findall(r"^## waybill (.+)$", page, re.MULTILINE)
    }
    assert documented == names


def test_every_setting_has_its_place_in_the_reference() -> None:
    pages = [ROOT / "docs" / "reference" / name for name in ("settings.md", "limits.md")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert [key for _, key, _, _ in settings_reference() if f"| `{key}` |" not in text] == []
