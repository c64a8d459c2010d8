"""The file of a task as the child opens it: out of its packing or archive, one layer deep."""

from __future__ import annotations

import tempfile
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from waybill.formats.contained.archive import is_workbook, only_member, read_directory, read_member
from waybill.formats.content import Packing, look_into
from waybill.formats.magic import is_zip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from waybill.formats.contained.protocol import Task
    from waybill.formats.content import Content

PIECE_BYTES: Final = 1024 * 1024


@contextmanager
def seekable(task: Task) -> Iterator[BinaryIO]:
    """The unpacked file, open for reading anywhere; a copy has no name on disk.

    Raises:
        FileRefused: it cannot be unpacked, or a limit was met.
    """
    content = look_into(task.path, task.limits)
    if content.packing is not Packing.NONE:
        with _copy((piece for piece, _ in _unpacked(content)), task.scratch) as copy:
            yield copy
        return
    with open(task.path, "rb") as file:  # noqa: PTH123 - a plain file object is wanted
        members = read_directory(file, task.limits) if is_zip(content.head) else ()
        if not members or is_workbook(members):
            yield file
            return
        pieces = read_member(file, only_member(members), task.limits)
        with _copy(pieces, task.scratch) as copy:
            yield copy


def in_order(task: Task) -> Iterator[tuple[bytes, int]]:
    """The unpacked bytes, each with how many stored ones were read; raises as ``seekable``."""
    content = look_into(task.path, task.limits)
    if content.packing is Packing.NONE and is_zip(content.head):
        with open(task.path, "rb") as file:  # noqa: PTH123 - a plain file object is wanted
            member = only_member(read_directory(file, task.limits))
            for piece in read_member(file, member, task.limits):
                yield piece, file.tell()
        return
    yield from _unpacked(content)


def _unpacked(content: Content) -> Iterator[tuple[bytes, int]]:
    with closing(content.open()) as stream:
        while piece := stream.read(PIECE_BYTES):
            yield piece, stream.input_bytes


def _copy(pieces: Iterable[bytes], folder: str) -> BinaryIO:
    copy = cast("BinaryIO", tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - closed by the caller
    for piece in pieces:
        copy.write(piece)
    copy.seek(0)
    return copy
