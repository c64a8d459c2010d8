from __future__ import annotations

import re
import threading
from importlib.resources import files
from typing import TYPE_CHECKING

import apsw
import pytest

from waybill.errors import StoreUnavailable
from waybill.stores.sqlite.connection import open_writer
from waybill.stores.sqlite.migrations import Migration, load_migrations, migrate
from waybill.stores.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = files("waybill.stores.sqlite")


def test_the_schema_file_is_the_sum_of_the_migrations(tmp_path: Path) -> None:
    summed = open_writer(tmp_path / "summed.db")
    migrate(summed, load_migrations())
    direct = open_writer(tmp_path / "direct.db")
    direct.execute((FOLDER / "schema.sql").read_text())
    assert _schema(summed) == _schema(direct)
    summed.close()
    direct.close()


def test_migrations_are_numbered_without_a_gap_and_say_when_they_run() -> None:
    migrations = load_migrations()
    assert [migration.number for migration in migrations] == [*range(1, len(migrations) + 1)]
    for migration in migrations:
        assert re.fullmatch(r"\d{4}_(pre|post)_[a-z_]+\.sql", migration.name)


def test_a_database_is_migrated_once(tmp_path: Path) -> None:
    for _ in range(2):
        SqliteStore(tmp_path / "jobs.db").close()
    connection = open_writer(tmp_path / "jobs.db")
    assert connection.pragma("user_version") == load_migrations()[-1].number
    connection.close()


def test_many_who_open_a_new_database_together_all_get_it(tmp_path: Path) -> None:
    errors: list[Exception] = []
    barrier = threading.Barrier(4)

    def open_store() -> None:
        barrier.wait()
        try:
            SqliteStore(tmp_path / "jobs.db").close()
        except StoreUnavailable as error:
            errors.append(error)

    threads = [threading.Thread(target=open_store) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_database_of_a_newer_version_is_refused_and_not_changed(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / "jobs.db")
    connection.execute("PRAGMA user_version = 999")
    with pytest.raises(StoreUnavailable) as caught:
        SqliteStore(tmp_path / "jobs.db")
    assert caught.value.code == "DATABASE_TOO_NEW"
    assert _schema(connection) == []
    connection.close()


def test_a_step_that_fails_leaves_the_steps_before_it(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / "jobs.db")
    steps = [
        Migration(number=1, name="0001_pre_one.sql", script="CREATE TABLE one (a);"),
        Migration(number=2, name="0002_pre_two.sql", script="CREATE TABLE two (a); BROKEN;"),
    ]
    with pytest.raises(apsw.SQLError):
        migrate(connection, steps)
    assert [name for name, _ in _schema(connection)] == ["one"]
    assert connection.pragma("user_version") == 1
    connection.close()


def _schema(connection: apsw.Connection) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    ).fetchall()
