"""The databases of all projects, the last used of them kept open."""

from __future__ import annotations

import re
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final

from waybill.errors import RequestInvalid
from waybill.model.ids import JobId, ProjectName
from waybill.sinks.ledger.entries import find_fence
from waybill.sinks.sqlite.project import ProjectDatabase

if TYPE_CHECKING:
    from pathlib import Path

_MOST_OPEN: Final = 32
_MOST_REMEMBERED_JOBS: Final = 10_000
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Projects:
    """Finds and opens the database of a project, also by a job that wrote it."""

    def __init__(self, directory: Path, busy_timeout_seconds: float) -> None:
        self._directory = directory
        self._busy_timeout_seconds = busy_timeout_seconds
        self._lock = Lock()
        self._open: OrderedDict[ProjectName, ProjectDatabase] = OrderedDict()
        self._jobs: OrderedDict[JobId, ProjectName] = OrderedDict()

    def of(self, project: ProjectName) -> ProjectDatabase:
        """The database of a project, which may not exist yet.

        Raises:
            RequestInvalid: the project's name cannot be the name of a file.
        """
        if not _FILE_NAME.fullmatch(project):
            raise RequestInvalid(f"{project!r} is not the name of a project")
        with self._lock:
            found = self._open.pop(project, None)
            if found is None:
                path = self._directory / f"{project}.sqlite"
                found = ProjectDatabase(path, self._busy_timeout_seconds)
            self._open[project] = found
            surplus = self._open.popitem(last=False)[1] if len(self._open) > _MOST_OPEN else None
        if surplus is not None:
            surplus.close()
        return found

    def remember(self, job: JobId, project: ProjectName) -> None:
        """Note where a job writes, so that it is found at once by its id alone."""
        with self._lock:
            self._jobs[job] = project
            if len(self._jobs) > _MOST_REMEMBERED_JOBS:
                self._jobs.popitem(last=False)

    def of_job(self, job: JobId) -> ProjectDatabase | None:
        """The database that a job wrote, ``None`` where it wrote nothing."""
        known = self._jobs.get(job)
        names = self._names() if known is None else [known]
        for name in names:
            database = self.of(name)
            if _holds(database, job):
                self.remember(job, name)
                return database
        return None

    def close(self) -> None:
        """Close all databases; safe to repeat."""
        with self._lock:
            databases = list(self._open.values())
            self._open.clear()
        for database in databases:
            database.close()

    def _names(self) -> list[ProjectName]:
        return sorted(ProjectName(path.stem) for path in self._directory.glob("*.sqlite"))


def _holds(database: ProjectDatabase, job: JobId) -> bool:
    if not database.exists:
        return False
    with database.reading() as db:
        return find_fence(db, job) is not None
