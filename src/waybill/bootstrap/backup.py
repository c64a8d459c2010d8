"""A copy of a server's directory that can be served, taken while the server runs.

Databases are copied by SQLite's own backup, first the jobs, then the sinks; files after them. So
the copy may hold more rows and files than its jobs know of, never fewer: a job that ran on while
the copy was taken is repeated there, and repeating changes nothing.
"""

from __future__ import annotations

import shutil
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

import apsw

from waybill.errors import SettingsInvalid, StateConflict, StorageFull
from waybill.settings import DataDirectory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAGES_PER_STEP: Final = 4_096
BUSY_MILLISECONDS: Final = 30_000


def backup(root: Path, target: Path, *, on_progress: Callable[[str], None]) -> None:
    """Copy the directory ``root`` to ``target``, which must not exist.

    ``on_progress`` is told the name of each file before it is copied.

    Raises:
        SettingsInvalid: ``root`` is no Waybill directory.
        StateConflict: ``target`` exists, or lies inside ``root``.
        StorageFull: it cannot be written; nothing of it is left.
    """
    source, copy = DataDirectory(root), DataDirectory(target)
    if not source.config.exists():
        raise SettingsInvalid(f"{root} is not a Waybill directory")
    if target.exists():
        raise StateConflict(f"{target} exists already; name a new folder")
    if source.root.resolve() in target.resolve().parents:
        raise StateConflict(f"{target} lies inside the directory itself; name a folder outside")
    try:
        _copy(source, copy, on_progress)
    except (OSError, apsw.Error) as error:
        shutil.rmtree(target, ignore_errors=True)
        raise StorageFull(f"the backup could not be written and was removed: {error}") from error


def _copy(source: DataDirectory, copy: DataDirectory, on_progress: Callable[[str], None]) -> None:
    root, target = source.root, copy.root
    copy.make_folders()
    databases = [source.jobs_database, *sorted(source.sinks.rglob("*.sqlite"))]
    for database in databases:
        on_progress(str(database.relative_to(root)))
        copied = target / database.relative_to(root)
        copied.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy_database(database, copied)
    described = (source.entities, source.bundles, source.exports)
    folders = (source.sinks, source.blobs, source.secrets, *described)
    for folder in folders:
        on_progress(str(folder.relative_to(root)))
        copy_files(folder, target / folder.relative_to(root))
    shutil.copy2(source.config, copy.config)


def copy_files(source: Path, target: Path) -> None:
    """Every finished file below a folder but databases; one that vanishes meanwhile is left out.

    A file that vanishes belonged to a run that ended or to a request that was refused: nothing in
    the databases, copied before, needs it but to be made again.
    """
    for path in sorted(source.rglob("*")):
        is_ours = path.name.startswith(".") or ".sqlite" in path.name
        if is_ours or not path.is_file():
            continue
        copied = target / path.relative_to(source)
        copied.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            shutil.copy2(path, copied)


def copy_database(source: Path, target: Path) -> None:
    """One database, consistent at one moment, while others write to it; only its owner reads it."""
    target.touch(mode=0o600, exist_ok=False)
    with (
        closing(apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)) as old,
        closing(apsw.Connection(str(target))) as new,
        new.backup("main", old, "main") as copying,
    ):
        old.set_busy_timeout(BUSY_MILLISECONDS)
        while not copying.done:
            copying.step(PAGES_PER_STEP)
