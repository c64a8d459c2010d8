"""What every store of blobs must do, as tests to inherit.

A subclass gives a fixture ``blobs``: a fresh, empty store. Its class name begins with ``Test``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from waybill.errors import NotFound
from waybill.model.ids import BlobName

if TYPE_CHECKING:
    from waybill.ports.blobs import Blobs

NAME = BlobName("acme/jobs/0001/input")


class BlobsContract:
    """The promises of ``Blobs`` and ``BlobWriter``."""

    @pytest.mark.parametrize("durable", [True, False])
    def test_a_committed_blob_is_read_as_it_was_written(
        self, blobs: Blobs, *, durable: bool
    ) -> None:
        writer = blobs.create(NAME, durable=durable)
        writer.write(b"one,")
        writer.write(memoryview(b"two"))
        assert writer.commit() == NAME
        with blobs.open(NAME) as stream:
            assert stream.read() == b"one,two"
        assert blobs.size(NAME) == 7

    def test_an_empty_blob_is_a_blob(self, blobs: Blobs) -> None:
        blobs.create(NAME).commit()
        assert blobs.size(NAME) == 0

    def test_a_large_blob_is_whole(self, blobs: Blobs) -> None:
        data = bytes(range(256)) * 20_000
        _put(blobs, NAME, data)
        with blobs.open(NAME) as stream:
            assert stream.read() == data

    @pytest.mark.parametrize(("offset", "rest"), [(0, b"abc"), (2, b"c"), (3, b""), (9, b"")])
    def test_a_blob_is_read_from_an_offset(self, blobs: Blobs, offset: int, rest: bytes) -> None:
        _put(blobs, NAME, b"abc")
        with blobs.open(NAME, offset=offset) as stream:
            assert stream.read() == rest

    def test_a_blob_is_invisible_before_its_commit(self, blobs: Blobs) -> None:
        writer = blobs.create(NAME)
        writer.write(b"abc")
        with pytest.raises(NotFound):
            blobs.open(NAME)
        with pytest.raises(NotFound):
            blobs.size(NAME)
        writer.discard()

    def test_a_discarded_blob_leaves_nothing(self, blobs: Blobs) -> None:
        writer = blobs.create(NAME)
        writer.write(b"abc")
        writer.discard()
        writer.discard()
        assert list(blobs.names_older_than(-60)) == []

    def test_discarding_after_the_commit_changes_nothing(self, blobs: Blobs) -> None:
        writer = blobs.create(NAME)
        writer.commit()
        writer.discard()
        assert blobs.size(NAME) == 0

    def test_a_missing_blob_is_not_found(self, blobs: Blobs) -> None:
        with pytest.raises(NotFound):
            blobs.open(NAME)
        with pytest.raises(NotFound):
            blobs.size(NAME)

    def test_a_part_of_a_name_is_no_blob(self, blobs: Blobs) -> None:
        _put(blobs, NAME, b"abc")
        for name in ("acme/jobs/0001", "acme", f"{NAME}/more"):
            with pytest.raises(NotFound):
                blobs.size(BlobName(name))
            with pytest.raises(NotFound):
                blobs.open(BlobName(name))

    def test_a_deleted_blob_is_gone(self, blobs: Blobs) -> None:
        _put(blobs, NAME, b"abc")
        blobs.delete(NAME)
        blobs.delete(NAME)
        with pytest.raises(NotFound):
            blobs.size(NAME)

    def test_deleting_one_blob_leaves_its_neighbours(self, blobs: Blobs) -> None:
        neighbour = BlobName("acme/jobs/0001/report")
        _put(blobs, NAME, b"abc")
        _put(blobs, neighbour, b"abc")
        blobs.delete(NAME)
        assert blobs.size(neighbour) == 3

    def test_a_tree_is_deleted_with_all_below_it_and_nothing_beside_it(self, blobs: Blobs) -> None:
        below = [BlobName("a/b/1"), BlobName("a/b/c/2")]
        beside = [BlobName("a/bb/1"), BlobName("a/x")]
        for name in (*below, *beside):
            _put(blobs, name, b"abc")
        blobs.delete_tree("a/b")
        blobs.delete_tree("a/b")
        assert sorted(blobs.names_older_than(-60)) == sorted(beside)

    def test_a_name_can_be_used_again_after_its_tree_was_deleted(self, blobs: Blobs) -> None:
        _put(blobs, NAME, b"abc")
        blobs.delete_tree("acme")
        _put(blobs, NAME, b"abcd")
        assert blobs.size(NAME) == 4

    def test_young_blobs_are_not_among_the_old(self, blobs: Blobs) -> None:
        _put(blobs, NAME, b"abc")
        assert list(blobs.names_older_than(3_600)) == []
        assert list(blobs.names_older_than(-60)) == [NAME]

    def test_an_unfinished_blob_is_among_the_old_and_can_be_deleted(self, blobs: Blobs) -> None:
        writer = blobs.create(NAME)
        writer.write(b"abc")
        (unfinished,) = blobs.names_older_than(-60)
        assert unfinished != NAME
        blobs.delete(unfinished)
        assert list(blobs.names_older_than(-60)) == []
        writer.discard()

    def test_a_local_path_leads_to_the_bytes(self, blobs: Blobs) -> None:
        _put(blobs, NAME, b"abc")
        path = blobs.local_path(NAME)
        assert path is None or Path(path).read_bytes() == b"abc"

    @pytest.mark.parametrize(
        "name",
        ["", "/etc/passwd", "../x", "a/../x", "a/..", "..", ".", "a/./b", "a//b", "a/", "a\n", "é"],
    )
    def test_a_name_that_is_not_ours_is_refused(self, blobs: Blobs, name: str) -> None:
        with pytest.raises(ValueError, match="blob"):
            blobs.create(BlobName(name))


def _put(blobs: Blobs, name: BlobName, data: bytes) -> None:
    writer = blobs.create(name)
    writer.write(data)
    writer.commit()
