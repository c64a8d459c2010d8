"""Blobs as files under one folder, durable the way a file system wants it."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from waybill.errors import NotFound, StorageFull
from waybill.model.ids import BlobName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NAME: Final = re.compile(r"(?!.*(?:^|/)\.\.?(?:/|\Z))[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*\Z")
_TRIES: Final = 5
"""How often a folder is made again that is removed as empty in the same moment."""


class LocalBlobs:
    """Files under ``root``, mode 0600 in folders of mode 0700. See ``Blobs``.

    An unfinished blob is a file beside its final place whose name begins with a dot; ``create``
    refuses such names, so the two never meet.
    """

    def __init__(self, root: Path, *, now_seconds: Callable[[], float] = time.time) -> None:
        """Use ``root``, made where it is missing; ``now_seconds`` is compared with file times."""
        self._root = root.absolute()
        self._now_seconds = now_seconds
        self._lasting: set[Path] = set()
        with _storage_errors(self._root):
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(self._root.parent)

    def create(self, name: BlobName, *, durable: bool = True) -> LocalBlobWriter:
        """See ``Blobs.create``; a blob of that name is replaced at ``commit``.

        Raises:
            ValueError: the name is not a relative path of plain segments.
            StorageFull: the file cannot be made.
        """
        path = self._path(name)
        if path.name.startswith("."):
            raise ValueError(f"a blob's name does not begin with a dot: {name!r}")
        return LocalBlobWriter(name=name, path=path, durable=durable, sync_folders=self._sync)

    def open(self, name: BlobName, *, offset: int = 0) -> BinaryIO:
        """See ``Blobs.open``."""
        try:
            stream = self._path(name).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise _not_found() from error
        if offset:
            stream.seek(offset)
        return stream

    def size(self, name: BlobName) -> int:
        """See ``Blobs.size``."""
        try:
            status = self._path(name).stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise _not_found() from error
        if not stat.S_ISREG(status.st_mode):
            raise _not_found()
        return status.st_size

    def local_path(self, name: BlobName) -> str | None:
        """See ``Blobs.local_path``."""
        return str(self._path(name))

    def delete(self, name: BlobName) -> None:
        """See ``Blobs.delete``; folders that become empty go too."""
        path = self._path(name)
        with _storage_errors(path), suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
        self._prune(path.parent)

    def delete_tree(self, prefix: str) -> None:
        """See ``Blobs.delete_tree``."""
        path = self._path(BlobName(prefix))
        with _storage_errors(path), suppress(FileNotFoundError, NotADirectoryError):
            shutil.rmtree(path)
        self._prune(path.parent)

    def names_older_than(self, seconds: float) -> Iterator[BlobName]:
        """See ``Blobs.names_older_than``."""
        newest = self._now_seconds() - seconds
        for folder, _, files in os.walk(self._root):
            for file in files:
                path = Path(folder, file)
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime <= newest:
                        yield BlobName(path.relative_to(self._root).as_posix())

    def _path(self, name: BlobName) -> Path:
        if not _NAME.match(name):
            raise ValueError(f"not the name of a blob: {name!r}")
        return self._root / name

    def _prune(self, folder: Path) -> None:
        """Remove empty folders upwards, but none of those in the root."""
        with suppress(OSError):
            while self._root not in (folder, folder.parent):
                folder.rmdir()
                folder = folder.parent

    def _sync(self, path: Path) -> None:
        """Sync every folder above a file: any may be new, made by us or by a neighbour.

        Folders in the root are never removed, so their names need it once only.
        """
        for folder in path.parents:
            _sync_folder(folder)
            if folder == self._root or folder in self._lasting:
                break
        self._lasting.update(folder for folder in path.parents if folder.parent == self._root)


class LocalBlobWriter:
    """A file being written beside its final place. See ``BlobWriter``."""

    def __init__(
        self,
        *,
        name: BlobName,
        path: Path,
        durable: bool,
        sync_folders: Callable[[Path], None],
    ) -> None:
        self._name = name
        self._path = path
        self._is_durable = durable
        self._sync_folders = sync_folders
        self._temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with _storage_errors(path):
            self._descriptor = _create(self._temporary)

    def write(self, data: bytes | memoryview) -> None:
        """See ``BlobWriter.write``."""
        with self._discarding_on_errors(), memoryview(data).cast("B") as view:
            written = 0
            while written < len(view):
                written += os.write(self._descriptor, view[written:])

    def commit(self) -> BlobName:
        """See ``BlobWriter.commit``."""
        with self._discarding_on_errors():
            if self._is_durable:
                os.fsync(self._descriptor)
            self._close()
            self._temporary.rename(self._path)
        if self._is_durable:
            self._sync_name()
        return self._name

    def discard(self) -> None:
        """See ``BlobWriter.discard``."""
        if self._descriptor >= 0:
            self._close()
            self._temporary.unlink(missing_ok=True)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)

    def _sync_name(self) -> None:
        try:
            with _storage_errors(self._path):
                self._sync_folders(self._path)
        except StorageFull:
            self._path.unlink(missing_ok=True)
            raise

    @contextmanager
    def _discarding_on_errors(self) -> Iterator[None]:
        try:
            with _storage_errors(self._path):
                yield
        except StorageFull:
            with suppress(OSError):
                self.discard()
            self._temporary.unlink(missing_ok=True)
            raise


def _create(temporary: Path) -> int:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):
            return os.open(temporary, flags, 0o600)
        _make_folders(temporary.parent)
    return os.open(temporary, flags, 0o600)


def _make_folders(folder: Path) -> None:
    """Make a folder and those above it that are missing, each open to its owner only."""
    with suppress(FileNotFoundError):
        folder.mkdir(mode=0o700, exist_ok=True)
        return
    _make_folders(folder.parent)
    with suppress(FileNotFoundError):
        folder.mkdir(mode=0o700, exist_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    """Every failure to write is the same to the core: it can be tried again later."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise StorageFull(f"a file in {path.parent} cannot be written: {reason}") from error


def _not_found() -> NotFound:
    return NotFound("there is no such file", code="BLOB_NOT_FOUND")
