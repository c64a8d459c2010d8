"""Configuration: ``waybill.toml`` and the environment, merged once; where state lies on disk.

The only module that reads the environment. A variable ``WAYBILL_<SECTION>_<KEY>`` beats the file,
the file beats the defaults. Unknown keys are refused by name, with the nearest known one.
"""

from __future__ import annotations

import difflib
import math
import os
import re
import tomllib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from waybill.errors import SettingsInvalid
from waybill.model.durations import parse_duration
from waybill.model.limits import Limits
from waybill.model.settings import (
    ApidatatoolsSettings,
    LogSettings,
    OutboundSettings,
    RetentionSettings,
    Secret,
    ServerSettings,
    Settings,
    VoyadoSettings,
    WorkerSettings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from dataclasses import Field
    from pathlib import Path

__all__ = [
    "CLIENT_VARIABLES",
    "DEFAULT_URL",
    "PREFIX",
    "ClientSettings",
    "DataDirectory",
    "LogSettings",
    "RetentionSettings",
    "Secret",
    "ServerSettings",
    "Settings",
    "WorkerSettings",
    "client_settings",
    "default_toml",
    "load_settings",
    "read_settings",
    "settings_reference",
]

PREFIX: Final = "WAYBILL_"
"""What every variable of ours begins with."""

CLIENT_VARIABLES: Final = ("WAYBILL_URL", "WAYBILL_TOKEN")
"""Variables of the command line's client, no settings of the server."""

DEFAULT_URL: Final = "http://127.0.0.1:8080"
"""Where the client looks for a server unless told otherwise."""

_SERVICE_LINKS: Final = ("WAYBILL_SERVICE_", "WAYBILL_PORT")
"""What Kubernetes puts into the environment beside a service named ``waybill``."""

_MAY_BE_ZERO: Final = ("wait_seconds", "inflate_ratio_after_bytes")
"""Limits that can be nothing at all."""

_PUBLIC_URL: Final = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?")
_LOG_LEVELS: Final = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Which server the command line speaks to, and as whom."""

    url: str
    token: Secret


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """Names of everything a server keeps under its directory."""

    root: Path

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.root / "waybill.toml"

    @property
    def entities(self) -> Path:
        """Folder of entity descriptors."""
        return self.root / "entities"

    @property
    def bundles(self) -> Path:
        """Folder of bundle descriptors."""
        return self.root / "bundles"

    @property
    def exports(self) -> Path:
        """Folder of export definitions."""
        return self.root / "exports"

    @property
    def jobs_database(self) -> Path:
        """The database of jobs, credentials and events."""
        return self.root / "jobs.sqlite"

    @property
    def sinks(self) -> Path:
        """Folder of the embedded sink's databases, one per project."""
        return self.root / "sinks"

    @property
    def blobs(self) -> Path:
        """Folder of inputs, spools and reports."""
        return self.root / "blobs"

    @property
    def run(self) -> Path:
        """Folder of sockets and locks of live processes."""
        return self.root / "run"

    @property
    def scratch(self) -> Path:
        """Folder of files that nobody misses after a restart."""
        return self.root / "scratch"

    @property
    def secrets(self) -> Path:
        """Folder of keys, readable by its owner only."""
        return self.root / "secrets"

    def secret(self, name: str) -> Path:
        """The file of one key."""
        return self.secrets / name

    def make_folders(self) -> None:
        """Make every folder that is missing, for the owner only; safe to repeat."""
        state = (self.sinks, self.blobs, self.run, self.scratch, self.secrets)
        for folder in (self.root, self.entities, self.bundles, self.exports, *state):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def load_settings(environ: Mapping[str, str], toml: Mapping[str, object]) -> Settings:
    """The settings that these two sources give; reads nothing else.

    ``toml``: the parsed file. Values of the environment are text: numbers are read as
    such, lists are split at commas.

    Raises:
        SettingsInvalid: a key is unknown, a value of the wrong type or out of range.
    """
    _refuse_unknown(toml, _section_names(), "section")
    raw: dict[str, dict[str, object]] = {name: {} for name in _section_names()}
    for name, table in toml.items():
        if not isinstance(table, dict):
            raise SettingsInvalid(f"{name!r} must be a table such as [{name}]")
        raw[name].update(table)
    for section, key, text in _from_environment(environ):
        raw[section][key] = text
    settings = Settings(
        server=ServerSettings(**_values(ServerSettings, "server", raw["server"])),
        workers=WorkerSettings(**_values(WorkerSettings, "workers", raw["workers"])),
        retention=RetentionSettings(**_values(RetentionSettings, "retention", raw["retention"])),
        limits=Limits(**_values(Limits, "limits", raw["limits"])),
        outbound=OutboundSettings(**_values(OutboundSettings, "outbound", raw["outbound"])),
        voyado=VoyadoSettings(**_values(VoyadoSettings, "voyado", raw["voyado"])),
        apidatatools=ApidatatoolsSettings(
            **_values(ApidatatoolsSettings, "apidatatools", raw["apidatatools"])
        ),
        log=LogSettings(**_values(LogSettings, "log", raw["log"])),
    )
    _check_together(settings)
    return settings


def read_settings(directory: DataDirectory) -> Settings:
    """The settings of a directory under this process's environment; no file means defaults.

    Raises:
        SettingsInvalid: as ``load_settings``, or the file is no TOML.
    """
    try:
        text = directory.config.read_text(encoding="utf-8")
        return load_settings(os.environ, tomllib.loads(text))
    except FileNotFoundError:
        return load_settings(os.environ, {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{directory.config} is not valid TOML: {error}") from error


def client_settings(url: str | None, token: str | None) -> ClientSettings:
    """What was given on the command line, else ``WAYBILL_URL`` and ``WAYBILL_TOKEN``."""
    return ClientSettings(
        url=url or os.environ.get("WAYBILL_URL") or DEFAULT_URL,
        token=Secret(token or os.environ.get("WAYBILL_TOKEN") or ""),
    )


def settings_reference() -> Iterator[tuple[str, str, str, str]]:
    """Section, key, default as TOML and meaning of every setting, in order."""
    defaults = Settings()
    for section in fields(Settings):
        table = getattr(defaults, section.name)
        for key in fields(table):
            meaning = key.metadata.get("help", "See docs/reference/limits.md.")
            yield section.name, key.name, _as_toml(getattr(table, key.name)), meaning


def default_toml() -> str:
    """A settings file that says all defaults, commented out, each with its meaning."""
    lines = [
        "# Settings of this Waybill server. Every line that is commented out shows the default.",
        "# A variable WAYBILL_<SECTION>_<KEY> beats this file. Restart the server after a change.",
    ]
    current = ""
    for section, key, default, meaning in settings_reference():
        if section != current:
            lines += ["", f"[{section}]"]
            current = section
        if section != "limits":
            lines.append(f"# {meaning}")
        lines.append(f"#{key} = {default}")
    return "\n".join(lines) + "\n"


def _section_names() -> tuple[str, ...]:
    return tuple(section.name for section in fields(Settings))


def _section_keys(section: str) -> tuple[str, ...]:
    return tuple(key.name for key in fields(getattr(Settings(), section)))


def _refuse_unknown(given: Mapping[str, object], known: tuple[str, ...], what: str) -> None:
    for name in given:
        if name not in known:
            raise SettingsInvalid(f"unknown {what} {name!r}{_suggestion(name, known)}")


def _suggestion(name: str, known: tuple[str, ...]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {nearest[0]!r}?" if nearest else f"; known: {', '.join(known)}"


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Section, key and text of every variable of ours."""
    names = {
        f"{PREFIX}{section}_{key}".upper(): (section, key)
        for section in _section_names()
        for key in _section_keys(section)
    }
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable in CLIENT_VARIABLES:
            continue
        if variable in names:
            yield (*names[variable], text)
        elif not variable.startswith(_SERVICE_LINKS):
            suggestion = _suggestion(variable, tuple(names))
            raise SettingsInvalid(f"unknown variable {variable!r}{suggestion}")


def _values(section: type[Any], name: str, raw: Mapping[str, object]) -> dict[str, Any]:
    keys: dict[str, Field[Any]] = {key.name: key for key in fields(section)}
    _refuse_unknown(raw, tuple(keys), f"key of [{name}]")
    values = {}
    for key, value in raw.items():
        values[key] = _converted(value, keys[key].default, f"{name}.{key}")
        least = keys[key].metadata.get("least", 0 if key in _MAY_BE_ZERO else 1)
        if isinstance(values[key], int | float) and least is not None and values[key] < least:
            raise SettingsInvalid(f"{name}.{key} must be at least {least:g}, not {value}")
    return values


def _converted(value: object, default: object, name: str) -> object:
    """The value in the type of its default; text of the environment is parsed."""
    if isinstance(default, tuple):
        return _as_list(value, name)
    if isinstance(default, Secret | str):
        return _as_text(value, default, name)
    return _as_number(value, whole=isinstance(default, int), name=name)


def _as_list(value: object, name: str) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise SettingsInvalid(f"{name} must be a list of texts, not {value!r}")


def _as_text(value: object, default: object, name: str) -> object:
    if not isinstance(value, str):
        raise SettingsInvalid(f"{name} must be a text")
    return Secret(value) if isinstance(default, Secret) else value


def _as_number(value: object, *, whole: bool, name: str) -> float:
    try:
        if isinstance(value, bool) or (whole and isinstance(value, float)):
            raise ValueError  # noqa: TRY301 - one message for all wrong kinds
        number = int(str(value)) if whole else float(str(value))
        if not math.isfinite(number):
            raise ValueError  # noqa: TRY301 - the same
    except ValueError:
        kind = "a whole number" if whole else "a number"
        raise SettingsInvalid(f"{name} must be {kind}, not {value!r}") from None
    return number


def _check_together(settings: Settings) -> None:
    """Refuse values that contradict each other."""
    server, workers = settings.server, settings.workers
    if bool(server.tls_cert) != bool(server.tls_key):
        raise SettingsInvalid("server.tls_cert and server.tls_key are given together or not at all")
    if server.port > 65_535:  # noqa: PLR2004 - the last port there is
        raise SettingsInvalid(f"server.port must be at most 65535, not {server.port}")
    if server.public_url and not _PUBLIC_URL.fullmatch(server.public_url):
        raise SettingsInvalid(
            f"server.public_url must be like https://imports.example.org, not {server.public_url!r}"
        )
    if workers.heartbeat_seconds * 2 > workers.lease_seconds:
        raise SettingsInvalid("workers.lease_seconds must be twice workers.heartbeat_seconds")
    if parse_duration(settings.voyado.blocking_timeout_default) is None:
        raise SettingsInvalid("voyado.blocking_timeout_default must be like PT5M, or PT0S")
    if settings.log.level not in _LOG_LEVELS:
        raise SettingsInvalid(f"log.level must be one of {', '.join(_LOG_LEVELS)}")


def _as_toml(value: object) -> str:
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_as_toml(part) for part in value) + "]"
    text = value.reveal() if isinstance(value, Secret) else str(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
