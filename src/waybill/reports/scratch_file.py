"""Files that must be whole before their first byte can go out: written to disk, then sent."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from xlsxwriter.exceptions import XlsxFileError

from waybill.errors import StorageFull

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PIECE_BYTES: Final = 256 * 1024


def send_written(write: Callable[[Path], None], directory: Path) -> Iterator[bytes]:
    """What ``write`` puts into the file of the given path, as pieces.

    The file lies below ``directory``, in a folder that is gone when the iterator ends or is closed.

    Raises:
        StorageFull: the folder cannot be written.
    """
    with _storage_errors():
        scratch = tempfile.TemporaryDirectory(prefix="report-", dir=directory)
    with scratch as folder:
        path = Path(folder) / "report"
        with _storage_errors():
            write(path)
        with path.open("rb") as finished:
            while piece := finished.read(_PIECE_BYTES):
                yield piece


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, XlsxFileError) as error:
        raise StorageFull(f"the report cannot be written: {error}") from error
