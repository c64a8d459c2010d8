"""Exit codes and messages at the edge of the command line."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from waybill.cli import credential
from waybill.cli.main import app, run_command

COMMANDS = [
    "init", "serve", "web", "worker", "backup", "template", "submit", "status", "watch",
    "rejections", "jobs", "cancel", "check", "project", "credential",
]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["status", "j1", "--colour"],
        ["nonsense"],
        ["submit", "/no/such/file", "--entity", "a"],
        ["submit", __file__, "--entity", "a", "--delimiter", "::"],
        ["rejections", "j1", "--output", "x.pdf"],
        ["template", "airports", "--output", "x.pdf"],
        ["serve", ".", "--tls-cert", __file__],
    ],
)
def test_a_wrong_use_is_exit_code_two(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(arguments) == 2
    assert "Usage:" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([command, "--help"]) == 0
    text = capsys.readouterr().out
    if command in {"project", "credential"}:
        run_command([command, "add", "--help"])
        text = capsys.readouterr().out
    assert f"Example: waybill {command}" in text


def test_a_check_says_nothing_beside_its_report(tmp_path: Path) -> None:
    """Libraries speak up when a process ends while they still hold something."""
    (tmp_path / "a.csv").write_text("id\n1\n")
    (tmp_path / "a.json").write_text('{"fields": [{"name": "id"}], "primaryKey": "id"}')
    command = [sys.executable, "-m", "waybill", "check", "a.csv", "--schema", "a.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--version"]) == 0
    assert re.fullmatch(r"waybill \d+\.\d+\S*\n", capsys.readouterr().out)


def test_a_bug_of_ours_leaves_a_report_without_arguments_and_exit_code_seventy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @app.command(name="stumble", hidden=True)
    def stumble() -> None:
        raise ZeroDivisionError("a bug")

    try:
        assert [run_command(["stumble"]) for _ in range(2)] == [70, 70]
    finally:
        app.registered_commands.pop()
    line, again = capsys.readouterr().err.splitlines()
    assert line == again
    report = Path(re.search(r"the report is in (\S+)", line)[1])
    assert "ZeroDivisionError: a bug" in report.read_text()
    report.unlink()


def test_an_interrupt_is_exit_code_one_hundred_and_thirty() -> None:
    code = (
        "import waybill.cli.main as m\n"
        "@m.app.command(name='stop')\n"
        "def stop(): raise KeyboardInterrupt\n"
        "import sys; sys.argv = ['waybill', 'stop']; m.run()"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.returncode == 130
    assert b"Traceback" not in done.stderr


def test_python_dash_m_is_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "waybill", "--version"], check=True, capture_output=True
    )
    assert done.stdout.startswith(b"waybill ")


def test_scopes_are_lists_and_none_means_all() -> None:
    assert {str(s) for s in credential.parse_scopes(["submit, read", "admin"])} == {
        "submit",
        "read",
        "admin",
    }
    assert len(credential.parse_scopes(None)) == 5


def test_an_unknown_scope_is_refused_with_the_known_ones() -> None:
    with pytest.raises(typer.BadParameter, match="known: submit, read, cancel, export, admin"):
        credential.parse_scopes(["read,write"])
