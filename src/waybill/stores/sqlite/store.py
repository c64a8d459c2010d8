"""The embedded store as one object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.stores.sqlite.credentials import Credentials
from waybill.stores.sqlite.database import Database
from waybill.stores.sqlite.duties import Duties
from waybill.stores.sqlite.jobs import Jobs
from waybill.stores.sqlite.keys import Keys
from waybill.stores.sqlite.runs import Runs
from waybill.stores.sqlite.uploads import Uploads

if TYPE_CHECKING:
    from pathlib import Path


class SqliteStore(Jobs, Keys, Runs, Duties, Credentials, Uploads):
    """Jobs, runs, duties, credentials and uploads in one database file.

    Safe for many threads and processes; each process opens its own, after any fork.
    Satisfies ``JobStore``, ``RunStore``, ``DutyStore``, ``CredentialStore`` and
    ``UploadStore``.
    """

    def __init__(self, path: Path) -> None:
        """Open the database at ``path``, made and brought to this version's schema as needed.

        Raises:
            StorageFull: no space.
            StoreUnavailable: SQLite is too old, the database too new, or it cannot be opened.
        """
        super().__init__(Database(path))

    def close(self) -> None:
        """Commit what is at hand and close; safe to repeat."""
        self._database.close()
