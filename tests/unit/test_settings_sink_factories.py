"""Sinks of other packages, found by their entry point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from waybill.errors import SettingsInvalid
from waybill.registry import DIALECTS, load_sink_factory

if TYPE_CHECKING:
    from pathlib import Path


def install(folder: Path, package: str, target: str) -> None:
    metadata = folder / f"{package}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[waybill.sinks]\nledger = {target}\n")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "their_ledger.py").write_text("def make(settings, directory): return settings\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_sink_is_found_by_the_name_of_its_entry_point(folder: Path) -> None:
    install(folder, "theirs", "their_ledger:make")
    assert load_sink_factory("ledger")({"a": 1}, folder) == {"a": 1}


def test_an_unknown_sink_is_refused_with_the_nearest_name(folder: Path) -> None:
    install(folder, "theirs", "their_ledger:make")
    with pytest.raises(SettingsInvalid, match="did you mean 'ledger'"):
        load_sink_factory("leger")


def test_a_sink_offered_twice_is_refused(folder: Path) -> None:
    install(folder, "theirs", "their_ledger:make")
    install(folder, "others", "other_ledger:make")
    with pytest.raises(SettingsInvalid, match="more than once"):
        load_sink_factory("ledger")


def test_a_sink_that_cannot_be_loaded_is_refused(folder: Path) -> None:
    install(folder, "theirs", "their_ledger:missing")
    with pytest.raises(SettingsInvalid, match="cannot be loaded"):
        load_sink_factory("ledger")


def test_every_dialect_is_listed_under_its_own_name() -> None:
    assert {"waybill", "trax", "tao"} <= set(DIALECTS)
    assert {name: dialect.NAME for name, dialect in DIALECTS.items()} == {
        name: name for name in DIALECTS
    }
