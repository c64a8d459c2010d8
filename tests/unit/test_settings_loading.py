"""Settings: one pure merge of file and environment."""

from __future__ import annotations

import stat
import tomllib
from typing import TYPE_CHECKING

import pytest

from waybill.errors import SettingsInvalid
from waybill.settings import (
    DataDirectory,
    Secret,
    Settings,
    client_settings,
    default_toml,
    load_settings,
    read_settings,
    settings_reference,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_given_means_all_defaults() -> None:
    assert load_settings({}, {}) == Settings()


def test_the_environment_beats_the_file_and_the_file_the_default() -> None:
    toml = {"server": {"port": 1, "host": "::"}}
    settings = load_settings({"WAYBILL_SERVER_PORT": "2"}, toml)
    assert (settings.server.port, settings.server.host) == (2, "::")


def test_values_of_the_environment_are_read_as_their_setting_s_type() -> None:
    environ = {
        "WAYBILL_SERVER_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
        "WAYBILL_RETENTION_INPUT_DAYS": "0.5",
        "WAYBILL_LIMITS_COLUMNS": "9",
        "WAYBILL_SERVER_METRICS_TOKEN": "s3cret",
    }
    settings = load_settings(environ, {})
    assert settings.server.trusted_proxies == ("10.0.0.0/8", "::1")
    assert settings.retention.input_days == 0.5
    assert settings.limits.columns == 9
    assert settings.server.metrics_token.reveal() == "s3cret"


@pytest.mark.parametrize(
    ("environ", "toml", "message"),
    [
        ({}, {"sever": {}}, "unknown section 'sever'; did you mean 'server'?"),
        ({}, {"server": {"prot": 1}}, "unknown key of [server] 'prot'; did you mean 'port'?"),
        ({"WAYBILL_SERVER_PRT": "1"}, {}, "did you mean 'WAYBILL_SERVER_PORT'?"),
        ({}, {"server": 1}, "'server' must be a table"),
        ({}, {"server": {"port": "x"}}, "server.port must be a whole number, not 'x'"),
        ({}, {"server": {"port": 1.5}}, "server.port must be a whole number"),
        ({}, {"server": {"port": True}}, "server.port must be a whole number"),
        ({}, {"server": {"port": 70_000}}, "server.port must be at most 65535"),
        ({}, {"server": {"port": -1}}, "server.port must be at least 0"),
        ({}, {"server": {"host": 1}}, "server.host must be a text"),
        ({}, {"server": {"trusted_proxies": [1]}}, "must be a list of texts"),
        ({}, {"server": {"tls_cert": "a.pem"}}, "given together"),
        ({"WAYBILL_RETENTION_INPUT_DAYS": "nan"}, {}, "must be a number"),
        ({}, {"workers": {"lease_seconds": 6}}, "must be twice"),
        ({}, {"log": {"level": "loud"}}, "log.level must be one of"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(
    environ: dict[str, str], toml: dict[str, object], message: str
) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings(environ, toml)
    assert message in refused.value.message


def test_variables_of_others_and_of_the_client_are_left_alone() -> None:
    environ = {
        "PATH": "/bin",
        "WAYBILL_URL": "http://x",
        "WAYBILL_TOKEN": "t",
        "WAYBILL_SERVICE_HOST": "10.0.0.1",
        "WAYBILL_PORT_8080_TCP": "tcp://10.0.0.1:8080",
    }
    assert load_settings(environ, {}) == Settings()


def test_a_secret_hides_in_repr_and_str() -> None:
    settings = load_settings({"WAYBILL_SERVER_METRICS_TOKEN": "s3cret"}, {})
    assert "s3cret" not in f"{settings!r} {settings.server.metrics_token}"
    assert Secret("a") == Secret("a") != Secret("b")


def test_a_wrong_secret_is_not_repeated_in_the_message() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings({}, {"server": {"metrics_token": 12345678}})
    assert "12345678" not in refused.value.message


def test_the_default_file_gives_the_defaults_commented_out_or_not() -> None:
    text = default_toml()
    assert load_settings({}, tomllib.loads(text)) == Settings()
    uncommented = "\n".join(
        line[1:] if line.startswith("#") and not line.startswith("# ") else line
        for line in text.splitlines()
    )
    assert load_settings({}, tomllib.loads(uncommented)) == Settings()


def test_every_setting_has_a_meaning() -> None:
    assert all(meaning for _, _, _, meaning in settings_reference())


def test_a_directory_s_file_is_read(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    assert read_settings(directory) == Settings()
    directory.config.write_text("[server]\nport = 9000\n")
    assert read_settings(directory).server.port == 9000


def test_a_file_that_is_no_toml_is_refused_with_its_name(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    directory.config.write_text("[server\n")
    with pytest.raises(SettingsInvalid, match=r"waybill\.toml is not valid TOML"):
        read_settings(directory)


def test_folders_are_made_for_their_owner_only(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.make_folders()
    directory.make_folders()
    assert stat.S_IMODE(directory.secrets.stat().st_mode) == 0o700
    assert directory.secret("pepper").parent == directory.secrets


def test_the_client_s_settings_come_from_options_then_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("WAYBILL_URL", raising=False)
    monkeypatch.setenv("WAYBILL_TOKEN", "from-env")
    chosen = client_settings(None, None)
    assert (chosen.url, chosen.token.reveal()) == ("http://127.0.0.1:8080", "from-env")
    assert client_settings("http://x", "given").token.reveal() == "given"
