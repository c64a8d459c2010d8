"""What every store of uploads must do, as tests to inherit.

A subclass gives a fixture ``store``: a fresh, empty store. Its class name begins with ``Test``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from waybill.errors import NotAllowed, NotFound, StateConflict
from waybill.model.job import InputFile
from waybill.model.upload import Upload, UploadUsage
from waybill.testing.sample_jobs import OTHER_PROJECT, PROJECT, START, at

if TYPE_CHECKING:
    from waybill.ports.upload_store import UploadStore

FILE = InputFile(blob="uploads/1", name="data.json", media_type="", size_bytes=7, sha256="a" * 64)

MOST = UploadUsage(pending=3, stored_bytes=20)


class UploadStoreContract:
    """The promises of ``UploadStore``."""

    def test_a_promise_is_found_until_it_expires(self, store: UploadStore) -> None:
        upload = _promise(store)
        assert store.find_upload(PROJECT, upload.id, at(59)) == upload
        assert store.find_upload(PROJECT, upload.id, at(60)) is None
        assert store.find_upload(OTHER_PROJECT, upload.id, at(1)) is None
        assert store.find_upload(PROJECT, "another", at(1)) is None

    def test_a_file_is_kept_once_and_gets_a_time_of_its_own(self, store: UploadStore) -> None:
        upload = _promise(store)
        kept = store.keep_upload(
            PROJECT, upload.id, FILE, now=at(5), expires_at=at(500), most_bytes=99
        )
        assert (kept.file, kept.stored_at, kept.expires_at) == (FILE, at(5), at(500))
        assert store.find_upload(PROJECT, upload.id, at(499)) == kept
        with pytest.raises(StateConflict):
            store.keep_upload(
                PROJECT, upload.id, FILE, now=at(6), expires_at=at(600), most_bytes=99
            )
        assert store.find_upload(PROJECT, upload.id, at(499)) == kept

    @pytest.mark.parametrize(
        ("project", "name", "seconds"),
        [(PROJECT, "upl-1", 60), (OTHER_PROJECT, "upl-1", 5), (PROJECT, "upl-2", 5)],
    )
    def test_only_what_was_promised_is_kept(
        self, store: UploadStore, project: str, name: str, seconds: int
    ) -> None:
        _promise(store)
        with pytest.raises(NotFound):
            store.keep_upload(
                type(PROJECT)(project),
                name,
                FILE,
                now=at(seconds),
                expires_at=at(500),
                most_bytes=99,
            )

    def test_the_file_of_a_name_that_came_last_is_found(self, store: UploadStore) -> None:
        for number, seconds in ((1, 20), (2, 10)):
            upload = _promise(store, f"upl-{number}")
            store.keep_upload(
                PROJECT, upload.id, FILE, now=at(seconds), expires_at=at(500), most_bytes=99
            )
        _promise(store, "upl-3")
        found = store.find_stored_upload(PROJECT, "data.json", at(30))
        assert found is not None
        assert found.id == "upl-1"
        assert store.find_stored_upload(PROJECT, "data.json", at(500)) is None
        assert store.find_stored_upload(PROJECT, "other.json", at(30)) is None
        assert store.find_stored_upload(OTHER_PROJECT, "data.json", at(30)) is None

    def test_what_a_project_has_is_counted(self, store: UploadStore) -> None:
        assert store.upload_usage(PROJECT, START) == UploadUsage(pending=0, stored_bytes=0)
        for number in range(3):
            _promise(store, f"upl-{number}")
        store.keep_upload(PROJECT, "upl-0", FILE, now=at(1), expires_at=at(500), most_bytes=99)
        assert store.upload_usage(PROJECT, at(2)) == UploadUsage(pending=2, stored_bytes=7)
        assert store.upload_usage(PROJECT, at(60)) == UploadUsage(pending=0, stored_bytes=7)
        assert store.upload_usage(PROJECT, at(500)) == UploadUsage(pending=0, stored_bytes=0)
        assert store.upload_usage(OTHER_PROJECT, at(2)) == UploadUsage(pending=0, stored_bytes=0)

    def test_nothing_is_promised_beyond_the_quota(self, store: UploadStore) -> None:
        for number in range(3):
            _promise(store, f"upl-{number}")
        with pytest.raises(NotAllowed, match="3 uploads are open"):
            _promise(store, "upl-3")
        for number in range(3):
            store.keep_upload(
                PROJECT, f"upl-{number}", FILE, now=at(1), expires_at=at(500), most_bytes=99
            )
        with pytest.raises(NotAllowed, match="21 bytes"):
            _promise(store, "upl-3")
        assert store.find_upload(PROJECT, "upl-3", at(1)) is None

    def test_nothing_is_kept_beyond_the_quota(self, store: UploadStore) -> None:
        for number in range(2):
            _promise(store, f"upl-{number}")
        store.keep_upload(PROJECT, "upl-0", FILE, now=at(1), expires_at=at(500), most_bytes=13)
        with pytest.raises(NotAllowed, match="7 bytes") as refused:
            store.keep_upload(PROJECT, "upl-1", FILE, now=at(1), expires_at=at(500), most_bytes=13)
        assert refused.value.code == "QUOTA_EXCEEDED"
        assert store.upload_usage(PROJECT, at(2)) == UploadUsage(pending=1, stored_bytes=7)

    def test_what_has_expired_is_listed_and_forgotten(self, store: UploadStore) -> None:
        uploads = [_promise(store, f"upl-{number}") for number in range(3)]
        store.keep_upload(PROJECT, "upl-0", FILE, now=at(1), expires_at=at(500), most_bytes=99)
        assert store.expired_uploads(at(59), limit=9) == []
        assert {each.id for each in store.expired_uploads(at(60), limit=9)} == {"upl-1", "upl-2"}
        assert len(store.expired_uploads(at(60), limit=1)) == 1
        for upload in uploads[1:]:
            store.forget_upload(upload)
            store.forget_upload(upload)
        [last] = store.expired_uploads(at(500), limit=9)
        assert (last.id, last.file) == ("upl-0", FILE)


def _promise(store: UploadStore, name: str = "upl-1") -> Upload:
    upload = Upload(id=name, project=PROJECT, name="data.json", created_at=START, expires_at=at(60))
    store.add_upload(upload, most=MOST)
    return upload
