from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from waybill.stores.sqlite.store import SqliteStore
from waybill.testing.credential_store_contract import CredentialStoreContract
from waybill.testing.job_store_contract import JobStoreContract
from waybill.testing.upload_store_contract import UploadStoreContract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "jobs.db")
    yield made
    made.close()


class TestJobsInSqlite(JobStoreContract):
    pass


class TestUploadsInSqlite(UploadStoreContract):
    pass


class TestCredentialsInSqlite(CredentialStoreContract):
    pass
