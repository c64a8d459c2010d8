"""The commands that need no server: init, projects, credentials, backup."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from waybill.cli.main import run_command

if TYPE_CHECKING:
    from pathlib import Path

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def directory(tmp_path: Path, capsys: Captured) -> str:
    root = str(tmp_path / "data")
    assert run_command(["init", root]) == 0
    capsys.readouterr()
    return root


def printed_json(arguments: list[str], capsys: Captured) -> dict:
    assert run_command([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_init_prints_one_object_with_a_credential_per_dialect(
    tmp_path: Path, capsys: Captured
) -> None:
    made = printed_json(["init", str(tmp_path / "data")], capsys)
    assert (made["dir"], made["project"]) == (str(tmp_path / "data"), "demo")
    assert {name: set(secrets) for name, secrets in made["credentials"].items()} == {
        "waybill": {"token"},
        "trax": {"token"},
        "tao": {"client_id", "client_secret"},
        "voyado": {"api_key"},
        "apidatatools": {"api_key"},
        "uniware": {"username", "password", "client_id", "facility"},
    }


def test_init_for_people_shows_the_secrets_and_the_next_step(
    tmp_path: Path, capsys: Captured
) -> None:
    run_command(["init", str(tmp_path / "data")])
    text = capsys.readouterr().out
    assert "not shown again" in text
    assert f"waybill serve {tmp_path / 'data'}" in text


def test_init_writes_settings_and_a_private_key_folder(directory: str, tmp_path: Path) -> None:
    root = tmp_path / "data"
    assert directory == str(root)
    assert "#port = 8080" in (root / "waybill.toml").read_text()
    assert stat.S_IMODE((root / "secrets").stat().st_mode) == 0o700


def test_init_does_not_touch_a_directory_that_is_one_already(
    directory: str, capsys: Captured
) -> None:
    assert run_command(["init", directory]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_projects_are_added_and_listed(directory: str, capsys: Captured) -> None:
    assert run_command(["project", "add", directory, "acme"]) == 0
    capsys.readouterr()
    listed = printed_json(["project", "list", directory], capsys)
    assert [project["name"] for project in listed["projects"]] == ["acme", "demo"]


def test_a_project_s_name_is_taken_once(directory: str, capsys: Captured) -> None:
    assert run_command(["project", "add", directory, "demo"]) == 1
    assert "demo" in capsys.readouterr().err


def test_a_credential_is_added_shown_without_its_secret_and_revoked(
    directory: str, capsys: Captured
) -> None:
    add = ["credential", "add", directory, "--project", "demo", "--scopes", "submit,read"]
    made = printed_json(add, capsys)
    assert made["token"]
    run_command(["credential", "list", directory, "--project", "demo"])
    listed = capsys.readouterr().out
    assert f"{made['id']}  demo  waybill  read,submit\n" in listed
    assert made["token"] not in listed
    assert run_command(["credential", "revoke", directory, made["id"]]) == 0
    capsys.readouterr()
    rows = printed_json(["credential", "list", directory], capsys)["credentials"]
    assert [row["id"] for row in rows if row["revoked_at"]] == [made["id"]]


def test_what_does_not_exist_is_refused_in_one_line(directory: str, capsys: Captured) -> None:
    for arguments in (
        ["credential", "add", directory, "--project", "nobody"],
        ["credential", "add", directory, "--project", "demo", "--dialect", "nothing"],
        ["credential", "revoke", directory, "cred_nothing"],
    ):
        assert run_command(arguments) == 1
        assert capsys.readouterr().err.startswith("waybill: ")


def test_a_folder_that_is_no_server_s_is_refused(tmp_path: Path, capsys: Captured) -> None:
    assert run_command(["project", "list", str(tmp_path)]) == 1
    assert "waybill init" in capsys.readouterr().err


def test_a_backup_can_be_administered_like_the_original(
    directory: str, tmp_path: Path, capsys: Captured
) -> None:
    copy = str(tmp_path / "copy")
    assert run_command(["backup", directory, copy]) == 0
    assert stat.S_IMODE((tmp_path / "copy" / "jobs.sqlite").stat().st_mode) == 0o600
    capsys.readouterr()
    assert printed_json(["project", "list", copy], capsys)["projects"][0]["name"] == "demo"
